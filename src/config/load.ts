import type { HostFacts } from '../model.js';
import { ExpressionError } from './expression/expression-error.js';
import { evaluateExpression } from './expression/expression.js';
import type { Place } from './findings.js';
import { readLayer, type Layer, type Setting } from './layer.js';
import type { ConfigText } from './layers.js';
import type { ConfigProblem } from './problem.js';
import { keys, maxPilots, type Config, type KeyName } from './schema.js';

export type { ConfigText } from './layers.js';

/** Where a value comes from. */
export type Origin = 'default' | Place;

/** A configuration that can be used, or everything that keeps it from being used; sorted by file, line and column. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly origins: Readonly<Record<KeyName, Origin>>;
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What of the host `max_docks` may speak of. */
type Host = Pick<HostFacts, 'ncpus' | 'ramBytes' | 'swapBytes'>;

/** Of all files of a host together: what is read holds up everything else for as long as it takes. */
const MOST_CHARACTERS = 1024 * 1024;

const keyNames = Object.keys(keys) as KeyName[];

/** For each key the last file that mentions it. */
function merge(layers: readonly Layer[]): ReadonlyMap<KeyName, Setting> {
  const merged = new Map(layers.flatMap((layer) => [...layer.settings]));
  // An empty value puts the default back, also over an earlier file.
  return new Map([...merged].filter(([, { isEmpty }]) => !isEmpty));
}

/** The names that `max_docks` knows, with the values that are in force. */
function namesFor(config: Omit<Config, 'max_docks'>, host: Host): ReadonlyMap<string, number> {
  return new Map([
    ['ncpus', config.cpus === 'auto' ? host.ncpus : Math.floor(config.cpus)],
    ['ram_bytes', host.ramBytes],
    ['swap_bytes', host.swapBytes],
    ['max_dock_mem', config.max_dock_mem],
    ['max_dock_swap', config.max_dock_swap],
  ]);
}

interface Cap {
  readonly maxDocks: number;
  readonly problems: readonly ConfigProblem[];
}

/** Evaluates `max_docks` and judges the result. */
function evaluateCap(text: string, setting: Setting | undefined, names: ReadonlyMap<string, number>): Cap {
  const key = 'max_docks';
  const start: Place = setting?.place ?? { file: '(default)', line: 1, column: 1 };
  try {
    const result = evaluateExpression(text, names, maxPilots);
    // A host may be told in so many words to run nothing; an expression hardly means to.
    const isMeant = result > 0 || /^0+$/.test(text);
    const message = `comes to ${result} on this host, so no pilot will be started`;
    const hint = 'write max(1, ...) around it if there should be one';
    const problems = isMeant ? [] : [{ severity: 'warning' as const, ...start, key, message, hint }];
    return { maxDocks: Math.max(0, result), problems };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const message = `${error.message}; give ${keys.max_docks.accepted}`;
    const place = setting?.placeIn(error.column - 1) ?? start;
    return { maxDocks: 0, problems: [{ severity: 'error', ...place, key, message }] };
  }
}

/** Engines refuse a limit on swap without one on memory. */
function checkSwap(config: Omit<Config, 'max_docks'>, setting: Setting | undefined): readonly ConfigProblem[] {
  if (setting === undefined || config.max_dock_mem > 0 || config.max_dock_swap === 0) return [];
  const message = 'cannot be limited while max_dock_mem is 0, which is no limit; set max_dock_mem as well';
  return [{ severity: 'error', ...setting.place, key: 'max_dock_swap', message }];
}

/** Problems in the order of their files, and then of their places. */
export function sortProblems(problems: readonly ConfigProblem[], files: readonly string[]): readonly ConfigProblem[] {
  const rank = (problem: ConfigProblem) => files.indexOf(problem.file);
  return [...problems].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

/**
 * Reads a configuration from its files; later files override earlier ones key by key, and what no file mentions has its
 * default. Depends on nothing but its arguments. Never throws.
 */
export function loadConfig(layers: readonly ConfigText[], host: Host): LoadResult {
  const { file = '' } = layers.at(-1) ?? {};
  if (layers.reduce((sum, { text }) => sum + text.length, 0) > MOST_CHARACTERS) {
    const message = `with the files before it this is more than ${MOST_CHARACTERS / 1024} Ki characters`;
    return { ok: false, problems: [{ severity: 'error', file, line: 1, column: 1, key: '', message }] };
  }
  const read = layers.map(readLayer);
  const settings = merge(read);
  const values = keyNames.map((name) => {
    const setting = settings.get(name);
    return [name, setting === undefined ? keys[name].schema.parse(keys[name].fallback) : setting.value] as const;
  });
  // The schemas in the table made these values, so they have the types that the table says.
  const { max_docks: cap, ...rest } = Object.fromEntries(values) as unknown as Omit<Config, 'max_docks'> & {
    max_docks: string;
  };
  const { maxDocks, problems: capProblems } = evaluateCap(cap, settings.get('max_docks'), namesFor(rest, host));
  const found = [
    ...read.flatMap(({ problems }) => problems),
    ...capProblems,
    ...checkSwap(rest, settings.get('max_dock_swap')),
  ];
  const problems = sortProblems(
    found,
    layers.map(({ file }) => file),
  );
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems };
  const origins = keyNames.map((name) => [name, settings.get(name)?.place ?? 'default']);
  return {
    ok: true,
    config: { ...rest, max_docks: maxDocks },
    origins: Object.fromEntries(origins) as Record<KeyName, Origin>,
    warnings: problems,
  };
}
