import { dirname, isAbsolute, join } from 'node:path';
import type { ConfigText } from '../config/layers.js';
import { loadConfig, sortProblems } from '../config/load.js';
import { formatProblem, isOpen, type ConfigProblem } from '../config/problem.js';
import type { Config } from '../config/schema.js';
import type { MayShow } from '../config/source-line.js';
import { ConfigSourceError } from '../config/source.js';
import { readLoad, type LoadReading } from './load-file.js';
import { readScenarioFile, type ScenarioFile } from './scenario-file.js';
import { scenarioKeys, type Scenario } from './scenario.js';
import { simulatedFacts } from './simulated-host.js';

export interface ScenarioInput {
  /** Its `file` is the path, as the user wrote it. */
  readonly scenario: ConfigText;
  /** Takes the place of the configuration in the scenario. */
  readonly config: ConfigText | undefined;
  /** The text of another file; undefined when there is none. May reject with a ConfigSourceError. */
  readonly readText: (path: string) => Promise<string | undefined>;
}

/** What to simulate, or all that is wrong with it; problems as text, each with its line and a caret. */
export type ScenarioReading =
  | { readonly ok: true; readonly scenario: Scenario; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The key below which a scenario has its configuration. */
const CONFIG = 'config';

/** Of a scenario: lines of nothing but known keys. What stands below `config` may hold secrets, as any configuration may. */
const mayShowInScenario: MayShow = (owner, within) => {
  const known = Object.values(scenarioKeys).flat();
  const isKnown = within.every((key) => known.includes(key) || isOpen(key));
  return isKnown && (within.length > 0 || (owner !== undefined && owner !== CONFIG));
};

const mayShowInLoad: MayShow = () => true;

interface Foreign extends LoadReading {
  /** The file it was read from, if any. */
  readonly file?: ConfigText;
}

/** What others want: as listed, or from the file that is named instead. */
async function readForeign({ values, reject }: ScenarioFile, input: ScenarioInput): Promise<Foreign> {
  const nothing: Foreign = { steps: [], problems: [] };
  if (values === undefined) return nothing;
  if (Array.isArray(values.foreign)) return { steps: values.foreign, problems: [] };
  const { file: name } = values.foreign;
  const at = ['foreign', 'file'];
  try {
    const path = isAbsolute(name) ? name : join(dirname(input.scenario.file), name);
    const text = await input.readText(path);
    if (text !== undefined) return { ...readLoad({ file: path, text }), file: { file: path, text } };
    reject(at, `there is no file ${path}`);
  } catch (error) {
    if (!(error instanceof ConfigSourceError)) throw error;
    reject(at, error.message);
  }
  return nothing;
}

/** Shows a problem as the file it is in may be shown. */
function show(problem: ConfigProblem, { scenario, config }: ScenarioInput, load: ConfigText | undefined): string {
  if (problem.file === load?.file) return formatProblem(problem, load.text, mayShowInLoad);
  if (problem.file === config?.file) return formatProblem(problem, config.text);
  return formatProblem(problem, scenario.text, mayShowInScenario);
}

/** Reads a scenario, the load it names and the configuration to try on it. Rejects only with what `readText` does. */
export async function readScenario(input: ScenarioInput): Promise<ScenarioReading> {
  const own = readScenarioFile(input.scenario);
  const load = await readForeign(own, input);
  const period = own.values?.period;
  const last = load.steps.at(-1)?.at ?? 0;
  if (period !== undefined && last >= period) own.reject(['period'], `must be more than ${last}, when foreign ends`);
  const loaded = loadConfig([input.config ?? { ...input.scenario, within: CONFIG }], simulatedFacts(own.ncpus));

  const found = [...own.problems, ...(loaded.ok ? loaded.warnings : loaded.problems), ...load.problems];
  const files = [input.scenario, input.config, load.file].map((text) => text?.file ?? '');
  const texts = sortProblems(found, files).map((problem) => show(problem, input, load.file));
  const isUsable = found.every(({ severity }) => severity === 'warning');
  if (own.values === undefined || !loaded.ok || !isUsable) return { ok: false, problems: texts };
  const { ncpus, hours, seed, pilot } = own.values;
  const scenario: Scenario = { ncpus, hours, seed, pilot, foreign: load.steps, period };
  return { ok: true, scenario, config: loaded.config, warnings: texts };
}
