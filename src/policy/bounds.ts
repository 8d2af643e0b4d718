import { formatDuration, formatSize } from '../config/quantity.js';
import type { Config } from '../config/schema.js';
import type { Policy, PolicyKey } from './policy.js';

/** Keys whose values are numbers, or a word in the place of one. */
export type NumberName = { [Name in keyof Config]: Config[Name] extends number | string ? Name : never }[keyof Config];

type Show = (value: number) => string;

/** One number of the configuration, and the key of the policy that it must not go beyond. */
interface Bound {
  readonly name: NumberName;
  readonly by: PolicyKey;
  readonly show: Show;
}

function bound(name: NumberName, by: PolicyKey, show: Show = String): Bound {
  return { name, by, show };
}

const memory: Show = (bytes) => (bytes === Infinity ? 'no limit' : formatSize(bytes));
const keeping: Show = (seconds) => (seconds === Infinity ? 'never' : formatDuration(seconds));

/** What the policy caps. */
const most: readonly Bound[] = [
  bound('max_docks', 'most_docks'),
  bound('docks_per_loop', 'most_docks_per_loop'),
  bound('cpus', 'most_cpus'),
  bound('cpus_per_dock', 'most_cpus_per_dock'),
  bound('max_dock_mem', 'most_dock_mem', memory),
  bound('max_dock_swap', 'most_dock_swap', formatSize),
  bound('max_dock_pids', 'most_dock_pids'),
  bound('max_ttl', 'most_ttl', formatDuration),
  bound('stop_timeout', 'most_stop_timeout', formatDuration),
  bound('grace_kill', 'most_grace_kill', formatDuration),
  bound('freeze_max', 'most_freeze_max', formatDuration),
  bound('cpu_slack', 'most_cpu_slack'),
  bound('evict_margin', 'most_evict_margin'),
  bound('start_cost', 'most_start_cost'),
  bound('image_keep', 'most_image_keep', keeping),
  bound('journal_size', 'most_journal_size', formatSize),
  bound('post_mortem_size', 'most_post_mortem_size', formatSize),
  bound('journal_age', 'most_journal_age', formatDuration),
];

/** What the policy raises. */
const least: readonly Bound[] = [
  bound('main_sleep', 'least_main_sleep', formatDuration),
  bound('updateconfig', 'least_updateconfig', formatDuration),
  bound('git_interval', 'least_updateconfig', formatDuration),
  bound('cpu_headroom', 'least_cpu_headroom'),
  bound('min_free_mem', 'least_min_free_mem', formatSize),
  bound('min_free_disk', 'least_min_free_disk', formatSize),
  bound('foreign_window', 'least_foreign_window', formatDuration),
  bound('grace_spawn', 'least_grace_spawn', formatDuration),
  bound('fizzle_seconds', 'least_fizzle_seconds', formatDuration),
  bound('backoff_seconds', 'least_backoff', formatDuration),
  bound('backoff_max', 'least_backoff', formatDuration),
  bound('image_expiration', 'least_image_expiration', formatDuration),
];

/** For both sides; NaN for what follows from the host and is neither too much nor too little. */
function numberOf(name: keyof Config | PolicyKey, value: unknown): number {
  if (value === 'never') return Infinity;
  const isMemory = name === 'max_dock_mem' || name === 'most_dock_mem';
  return isMemory && value === 0 ? Infinity : typeof value === 'number' ? value : NaN;
}

/** The numbers of a configuration that a policy changes, each with the sentence that says so. */
export function boundNumbers(
  config: Config,
  policy: Policy,
): { readonly changed: Partial<Config>; readonly clamps: readonly string[] } {
  const changed: Record<string, number> = {};
  const clamps: string[] = [];
  function look({ name, by, show }: Bound, isBeyond: (value: number, limit: number) => boolean): void {
    const [value, limit] = [numberOf(name, config[name]), numberOf(by, policy[by])];
    if (!isBeyond(value, limit)) return;
    changed[name] = limit;
    clamps.push(`${name} is ${show(limit)} instead of ${show(value)}: the policy of this host says ${by}`);
  }
  for (const cap of most) look(cap, (value, limit) => value > limit);
  for (const floor of least) look(floor, (value, limit) => value < limit);
  return { changed, clamps };
}

/**
 * The numbers of a configuration that are beyond those of another one, `than`, on the side that a policy bounds. What follows from the host in
 * one of them only cannot be told, and is taken to be.
 */
export function numbersBeyond(than: Config, config: Config): readonly NumberName[] {
  function differs({ name }: Bound, isBeyond: (value: number, limit: number) => boolean): boolean {
    const [value, limit] = [numberOf(name, config[name]), numberOf(name, than[name])];
    return Number.isNaN(value) !== Number.isNaN(limit) || isBeyond(value, limit);
  }
  return [
    ...most.filter((cap) => differs(cap, (value, limit) => value > limit)),
    ...least.filter((floor) => differs(floor, (value, limit) => value < limit)),
  ].map(({ name }) => name);
}
