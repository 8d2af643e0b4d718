import type { Config } from '../config/schema.js';
import type { CpuSample, Observation, YieldMode } from '../model.js';
import type { SampleNote, State } from './state.js';

/** Sums of decimal fractions are not exact: 24 pilots of 0.1 CPU must fit in 2.4. */
export const EPSILON = 1e-9;

/** The CPUs that are shared with pilots, of those that are online. */
export function countedCpus(config: Config, online: number): number {
  return config.cpus === 'auto' ? online : config.cpus;
}

function usualSlack(online: number): number {
  return Math.max(0.5, 0.02 * online);
}

/** The foreign load that is not held against pilots: nothing is ever exactly idle. CPUs. */
export function configuredSlack(config: Config, online: number): number {
  return config.cpu_slack === 'auto' ? usualSlack(online) : config.cpu_slack;
}

/** CPUs that may be idle on a host that counts as full: also where no foreign load is ignored, since nothing is ever exactly busy. */
function idleTolerance(config: Config, online: number): number {
  return Math.max(configuredSlack(config, online), usualSlack(online));
}

/** As `configuredSlack`, but 0 where the owner gets only what the scheduler leaves him: there every bit he gets counts. */
export function slackInForce(config: Config, online: number, yields: YieldMode): number {
  return yields === 'cgroup' ? configuredSlack(config, online) : 0;
}

/**
 * CPUs used by everybody but us: busy - own - service - what starting containers cost. Undefined when our own share is unknown.
 * `starts` = pilots started during the span, each at `start_cost` CPU seconds.
 */
export function foreignCpus(config: Config, sample: CpuSample, starts: number): number | undefined {
  if (sample.own === undefined) return undefined;
  const starting = (config.start_cost * starts * 1000) / sample.spanMs;
  return Math.max(0, sample.busy - sample.own - sample.service - starting);
}

/**
 * CPUs that pilots may fill beside a foreign load of `foreign` CPUs on a host with `online` CPUs. Where `cpus` gives them a part of it only,
 * others have the rest first. A host that is given to pilots (`evict: never`) is all theirs: what else runs there serves them (foremen,
 * file systems, monitoring) and is not held against them.
 */
export function room(config: Config, online: number, slack: number, foreign: number): number {
  const cpus = countedCpus(config, online);
  const taken = config.evict === 'never' ? 0 : Math.max(0, foreign - slack);
  return Math.min(cpus, Math.max(cpus, online) - config.cpu_headroom - taken);
}

/** How many CPUs pilots may hold before somebody is crowded out: a little more than what would be started anew. */
export function tolerable(config: Config, online: number, slack: number, foreign: number): number {
  return room(config, online, slack, foreign) + config.evict_margin;
}

/** The highest foreign load in `foreign_window`, or else the newest there is; undefined without a valid sample. */
export function peakForeign(config: Config, samples: readonly SampleNote[], nowMs: number): number | undefined {
  const sinceMs = nowMs - config.foreign_window * 1000;
  const recent = samples.filter((note) => note.monoMs > sinceMs && !note.provisional);
  if (recent.length === 0) return samples.at(-1)?.foreign;
  return Math.max(...recent.map((note) => note.foreign));
}

/** The samples with the newest one added, if it is new and says something about foreign load. What no rule looks back at goes. */
export function recordSample(config: Config, observation: Observation, state: State): readonly SampleNote[] {
  const { sample } = observation;
  if (sample === undefined || sample.seq === state.lastSeq) return state.samples;
  const foreign = foreignCpus(config, sample, state.startsSinceSample);
  if (foreign === undefined) return state.samples;
  const reachMs = 1000 * (Math.max(config.foreign_window, config.grace_kill) + 3 * config.main_sleep);
  const kept = state.samples.filter((note) => note.monoMs >= sample.monoMs - reachMs);
  const full = sample.busy >= sample.cpus - idleTolerance(config, sample.cpus);
  return [...kept, { monoMs: sample.monoMs, foreign, full, provisional: sample.short || sample.duringPull }];
}

/** True when a sample that ended at `sampleMs` is too old to start or evict anybody on its word. */
export function isStale(config: Config, sampleMs: number | undefined, nowMs: number): boolean {
  return sampleMs !== undefined && nowMs - sampleMs > 3000 * config.main_sleep;
}
