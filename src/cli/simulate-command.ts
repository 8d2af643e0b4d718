import { readCapped } from '../config/capped-file.js';
import type { Config } from '../config/schema.js';
import { MAX_LOAD_BYTES } from '../simulate/load-file.js';
import { readScenario } from '../simulate/read-scenario.js';
import { formatResult, resultJson } from '../simulate/report.js';
import { simulate } from '../simulate/simulate.js';
import { readConfigFile } from './config-files.js';
import type { CliContext } from './context.js';
import { exitCodes } from './exit-codes.js';

export interface SimulateOptions {
  /** Instead of the policy of the configuration. */
  readonly policy?: Config['policy'];
  /** A configuration file, instead of the configuration in the scenario. */
  readonly config?: string;
  readonly json?: boolean;
}

/**
 * Prints what a daemon would have done in the scenario of a file; looks at no engine and at no daemon. Returns the exit code:
 * 78, after every problem with its place, for files that cannot be used. Rejects with a CliError for those that are not there (66) or
 * cannot be read (78).
 */
export async function runSimulation(
  context: Pick<CliContext, 'out' | 'err'>,
  file: string,
  options: SimulateOptions,
): Promise<number> {
  const reading = await readScenario({
    scenario: await readConfigFile(file),
    config: options.config === undefined ? undefined : await readConfigFile(options.config),
    readText: (path) => readCapped(path, { followLinks: true, maxBytes: MAX_LOAD_BYTES }),
  });
  for (const text of reading.ok ? reading.warnings : reading.problems) context.err(text);
  if (!reading.ok) return exitCodes.config;
  const config = { ...reading.config, policy: options.policy ?? reading.config.policy };
  const result = simulate(reading.scenario, config);
  context.out(options.json === true ? resultJson(config, result) : formatResult(reading.scenario, config, result));
  return exitCodes.ok;
}
