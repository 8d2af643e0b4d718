import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../src/config/schema.js';
import { readScenario } from '../../src/simulate/read-scenario.js';
import type { Scenario } from '../../src/simulate/scenario.js';

/** Where the scenarios are that people get. */
export const scenarioFolder = join(import.meta.dirname, '..', '..', 'conf', 'scenarios');

/** One of the scenarios that people get, by the name of its file without `.yaml`. */
export async function readShipped(name: string): Promise<{ readonly scenario: Scenario; readonly config: Config }> {
  const file = join(scenarioFolder, `${name}.yaml`);
  const reading = await readScenario({
    scenario: { file, text: await readFile(file, 'utf8') },
    config: undefined,
    readText: (path) => readFile(path, 'utf8'),
  });
  if (!reading.ok || reading.warnings.length > 0) throw new Error(JSON.stringify(reading));
  return reading;
}
