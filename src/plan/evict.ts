import type { Config } from '../config/schema.js';
import type { CpuSample, Hold, Observation, Pilot, RemoveAction } from '../model.js';
import { configuredSlack, countedCpus, EPSILON, isStale, slackInForce, tolerable } from './capacity.js';
import { ageMs, cpusOf, type Census } from './census.js';
import type { LastEviction, SampleNote, State } from './state.js';

export interface Eviction {
  readonly actions: readonly RemoveAction[];
  readonly holds: readonly Hold[];
  readonly pressure: State['pressure'];
  readonly last: LastEviction | undefined;
}

/** Each eviction that undid new starts doubles the hold on growth, up to this. */
const LONGEST_HOLD_MS = 3_600_000;
/** With `grace_spawn: 0` the doubling starts from here. */
const SHORTEST_DOUBLED_HOLD_MS = 60_000;
/** Timers are not exact: a sample a hair too young still counts as spanning the grace period. */
const SPAN_TOLERANCE = 0.05;

/** The samples by which a pressure is judged: from the newest that is at least `grace_kill` old, or none if they do not reach that far. */
function judgingSamples(config: Config, samples: readonly SampleNote[]): readonly SampleNote[] {
  const newest = samples.at(-1);
  if (newest === undefined) return [];
  const sinceMs = newest.monoMs - 1000 * (config.grace_kill - SPAN_TOLERANCE * config.main_sleep);
  const first = samples.findLastIndex((note) => note.monoMs <= sinceMs);
  if (first < 0) return [];
  const span = samples.slice(first);
  return span.length >= 2 ? span : samples.slice(-2).length === 2 ? samples.slice(-2) : [];
}

/** Running pilots that are not being removed already, youngest first: the youngest has lost least work. */
function candidates(observation: Observation, census: Census): readonly Pilot[] {
  const leaving = new Set(observation.inFlight.removing);
  return census.holders
    .filter((pilot) => pilot.state === 'running' && !leaving.has(pilot.id))
    .map((pilot) => ({ pilot, age: ageMs(observation, pilot, census.tracked[pilot.id]) }))
    .sort((a, b) => a.age - b.age || a.pilot.name.localeCompare(b.pilot.name))
    .map(({ pilot }) => pilot);
}

/** The fewest of the youngest whose going brings the sum down to `limit` CPUs. */
function surplus(config: Config, pilots: readonly Pilot[], limit: number): readonly Pilot[] {
  let sum = pilots.reduce((total, pilot) => total + cpusOf(config, pilot), 0);
  const victims: Pilot[] = [];
  for (const pilot of pilots) {
    if (sum <= limit + EPSILON) break;
    victims.push(pilot);
    sum -= cpusOf(config, pilot);
  }
  return victims;
}

/**
 * Growth is held for `grace_spawn` after an eviction. If pilots were started for growth after the last one, and that was less than an
 * hour ago, the load is one that lures us in and pushes us out again: the hold doubles.
 */
function noteEviction(config: Config, state: State, nowMs: number): LastEviction {
  const before = state.eviction;
  const lured = before?.grownSince === true && nowMs - before.atMs < Math.max(LONGEST_HOLD_MS, 2 * before.holdMs);
  const holdMs = lured
    ? Math.min(LONGEST_HOLD_MS, Math.max(2 * before.holdMs, SHORTEST_DOUBLED_HOLD_MS))
    : Math.max(
        config.grace_spawn * 1000,
        before !== undefined && nowMs - before.atMs < LONGEST_HOLD_MS ? before.holdMs : 0,
      );
  return { atMs: nowMs, holdMs: Math.max(holdMs, config.grace_spawn * 1000), grownSince: false };
}

/** CPUs that pilots may keep, or undefined when nobody may be judged yet. Where pilots yield: the kindest sample of the grace period. */
function limitWhereYielding(config: Config, cpus: number, slack: number, samples: readonly SampleNote[]) {
  const span = judgingSamples(config, samples);
  if (span.length === 0) return undefined;
  return Math.max(...span.map((note) => tolerable(config, cpus, slack, note.foreign)));
}

/**
 * Where pilots do not yield, the owner's load shows only as far as the scheduler lets it: after the grace period every
 * sample with an excess evicts, until there has been none for a whole grace period.
 */
function trackPressure(
  config: Config,
  state: State,
  excess: boolean,
  nowMs: number,
): { readonly pressure: State['pressure']; readonly ripe: boolean } {
  const graceMs = 1000 * (config.grace_kill - SPAN_TOLERANCE * config.main_sleep);
  const before = state.pressure;
  if (!excess) {
    const calm = before === undefined || nowMs - before.lastMs >= graceMs;
    return { pressure: calm ? undefined : before, ripe: false };
  }
  const sinceMs = before?.sinceMs ?? nowMs;
  return { pressure: { sinceMs, lastMs: nowMs }, ripe: before !== undefined && nowMs - sinceMs >= graceMs };
}

function judge(
  config: Config,
  observation: Observation,
  state: State,
  sample: CpuSample,
  samples: readonly SampleNote[],
  pilots: readonly Pilot[],
): { readonly limit: number | undefined; readonly pressure: State['pressure'] } {
  const cpus = countedCpus(config, sample);
  const slack = slackInForce(config, cpus, observation.yields);
  if (observation.yields === 'cgroup') {
    return { limit: limitWhereYielding(config, cpus, slack, samples), pressure: undefined };
  }
  const newest = samples.at(-1);
  if (newest === undefined) return { limit: undefined, pressure: state.pressure };
  const limit = tolerable(config, cpus, slack, newest.foreign);
  const excess = surplus(config, pilots, limit).length > 0;
  const { pressure, ripe } = trackPressure(config, state, excess, newest.monoMs);
  return { limit: ripe ? limit : undefined, pressure };
}

/**
 * Who must make room for the owner. Judged once per new sample; `samples` ends with it. Nobody is evicted while the host is not
 * full (nobody is crowded out), because `max_docks` was lowered, or on a sample taken while our own pull unpacked.
 */
export function planEviction(
  config: Config,
  observation: Observation,
  state: State,
  samples: readonly SampleNote[],
  census: Census,
): Eviction {
  const { sample, at } = observation;
  const nothing: Eviction = { actions: [], holds: [], pressure: state.pressure, last: state.eviction };
  const judgeable = sample !== undefined && sample.seq !== state.lastSeq && samples !== state.samples;
  if (!judgeable || isStale(config, observation)) return nothing;

  const pilots = candidates(observation, census);
  const { limit, pressure } = judge(config, observation, state, sample, samples, pilots);
  const victims = limit === undefined ? [] : surplus(config, pilots, limit);
  if (victims.length === 0) return { ...nothing, pressure };

  const surplusText = `${victims.length} pilot(s) above what the host's other load leaves`;
  if (config.evict === 'never') {
    return { ...nothing, pressure, holds: [{ gate: 'evict-off', text: `${surplusText}; evict: never` }] };
  }
  const cpus = countedCpus(config, sample);
  if (sample.busy < cpus - configuredSlack(config, cpus)) {
    const text = `${surplusText}; ${sample.busy.toFixed(1)} of ${cpus} CPUs busy, nobody is crowded out`;
    return { ...nothing, pressure, holds: [{ gate: 'not-crowded', text }] };
  }
  return {
    actions: victims.map((pilot) => ({ type: 'remove', pilot, reason: 'evicted', stopSeconds: config.stop_timeout })),
    holds: [],
    pressure,
    last: noteEviction(config, state, at.monoMs),
  };
}
