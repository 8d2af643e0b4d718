import type { ConfigText } from '../config/layers.js';
import { loadConfig } from '../config/load.js';
import { formatProblem } from '../config/problem.js';
import { formatDuration } from '../config/quantity.js';
import { redactConfig } from '../config/redact.js';
import type { Config } from '../config/schema.js';
import { seenHost } from '../journal/seen-host.js';
import type { HostFacts } from '../model.js';
import { narrow } from '../policy/narrow.js';
import { readPolicyFile } from '../policy/policy-file.js';
import { pastResult, replayScenario, type PastResult } from '../simulate/replay.js';
import type { SimulationResult } from '../simulate/result.js';
import { simulate } from '../simulate/simulate.js';
import type { Scenario } from '../simulate/scenario.js';
import { readConfigFile, readConfigInUse } from './config-files.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { readOwnJournal } from './own-journal.js';
import { ownPlaces, resolvePaths, type Paths } from './paths.js';
import { formatTable } from './text-table.js';
import { jsonText } from './json-text.js';

export interface ReplayOptions extends CliOptions {
  /** Instead of the policy of the configurations. */
  readonly policy?: Config['policy'];
  /** A configuration file, to be tried beside the one in use. */
  readonly config?: string;
  readonly json?: boolean;
  /** Ms since 1970. */
  readonly since: number;
}

/** A column of what is compared. */
interface Column {
  readonly title: string;
  /** Undefined: it is what really was. */
  readonly config: Config | undefined;
  readonly result: PastResult & Partial<SimulationResult>;
}

/** The configuration of these files within the caps of this host's policy; undefined after their problems were told. */
async function loadOrTell(
  context: CliContext,
  paths: Paths,
  layers: readonly ConfigText[],
  host: HostFacts,
): Promise<Config | undefined> {
  const result = loadConfig(layers, host);
  for (const problem of result.ok ? result.warnings : result.problems) {
    context.err(formatProblem(problem, layers.find(({ file }) => file === problem.file)?.text));
  }
  if (!result.ok) return undefined;
  // What it refuses is no matter of how many pilots there are.
  const policy = await readPolicyFile(paths.policyFile, context.uid);
  return policy.ok ? narrow(result.config, policy.policy, ownPlaces(paths, context.cliFile)).config : result.config;
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;
const mean = (value: number) => value.toFixed(1);

/** What is compared, and how it is written. */
const FIGURES: readonly (readonly [string, keyof SimulationResult, (value: number) => string])[] = [
  ['pilots started', 'spawned', String],
  ['completed', 'completed', String],
  ['evicted', 'evicted', String],
  ['expired', 'expired', String],
  ['fizzled', 'fizzled', String],
  ['pilots at a time', 'pilotsMean', mean],
  ['would have fitted', 'admissibleMean', mean],
  ['idle CPUs', 'idleCpusMean', mean],
  ['pilot time wasted by evictions', 'wastedFraction', percent],
  ['crowded for', 'overcommittedSeconds', (seconds) => (seconds < 0.5 ? '0s' : formatDuration(Math.round(seconds)))],
  ['owner slowed by', 'ownerSlowdownFraction', percent],
];

function formatComparison(scenario: Scenario, columns: readonly Column[]): string {
  const { ncpus, hours, pilot } = scenario;
  const life = `${formatDuration(Math.round(pilot.seconds))} -+ ${percent(pilot.jitter)}`;
  const title = `${ncpus} CPUs, ${hours.toFixed(1)} h of samples; simulated pilots live ${life} and use ${percent(pilot.cpu)} of their CPUs`;
  const cellOf = ({ result }: Column, key: keyof SimulationResult, format: (value: number) => string) => {
    const value = result[key];
    return typeof value === 'number' ? format(value) : '-';
  };
  const head = ['', ...columns.map((column) => column.title)];
  const rows = FIGURES.map(([label, key, format]) => [label, ...columns.map((column) => cellOf(column, key, format))]);
  return [
    title,
    formatTable(
      [head, ...rows],
      [...columns.keys()].map((index) => index + 1),
    ),
  ].join('\n');
}

function comparisonJson(scenario: Scenario, sinceMs: number, columns: readonly Column[]): string {
  const head = { apiVersion: 'plancton/v1', kind: 'Replay', since: new Date(sinceMs).toISOString() };
  const { ncpus, hours, pilot } = scenario;
  const results = columns.map(({ title, config, result }) => {
    return { title, ...result, config: config === undefined ? null : redactConfig(config) };
  });
  return jsonText({ ...head, ncpus, hours, pilot, results }, 2);
}

/**
 * Prints what this host went through, what a daemon with the configuration in use would make of the same day in a simulation, and what one
 * with another configuration would. Returns the exit code: 78, after every problem, for configurations that cannot be used. Rejects with a
 * CliError (66) where the journal has nothing of that time.
 */
export async function replay(context: CliContext, options: ReplayOptions): Promise<number> {
  const paths = resolvePaths(options, context);
  const isWanted = ({ type }: { readonly type: string }) => type === 'cycle' || type === 'action-ended';
  const span = { sinceMs: options.since, untilMs: Infinity, isWanted };
  const { folder, entries } = await readOwnJournal(context, paths, span);
  const seen = seenHost(entries);
  const scenario = replayScenario(seen);
  if (scenario === undefined) {
    const since = new Date(options.since).toISOString();
    const cure = 'ask for more with --since; see journal_size and journal_age in the configuration';
    throw new CliError(exitCodes.noInput, `the journal (${folder}) has no sample of this host since ${since}: ${cure}`);
  }
  const host = { ...(await context.readHost()), ncpus: scenario.ncpus };
  const inUse = await loadOrTell(context, paths, await readConfigInUse(paths.confDir, host.hostname), host);
  const tried = options.config === undefined ? undefined : [await readConfigFile(options.config)];
  const other = tried && (await loadOrTell(context, paths, tried, host));
  if (inUse === undefined || (tried !== undefined && other === undefined)) return exitCodes.config;
  const simulated = (title: string, loaded: Config): Column => {
    const config = { ...loaded, policy: options.policy ?? loaded.policy };
    return { title, config, result: simulate(scenario, config) };
  };
  const columns: readonly Column[] = [
    { title: 'as it was', config: undefined, result: pastResult(seen, inUse.fizzle_seconds) },
    simulated('in use', inUse),
    ...(other === undefined ? [] : [simulated(options.config ?? '', other)]),
  ];
  const text =
    options.json === true ? comparisonJson(scenario, options.since, columns) : formatComparison(scenario, columns);
  context.out(text);
  return exitCodes.ok;
}
