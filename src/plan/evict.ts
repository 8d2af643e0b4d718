import type { Config } from '../config/schema.js';
import type { Hold } from '../decision.js';
import type { Pilot, ReclaimAction, RemoveAction } from '../model.js';
import { EPSILON, isStale, slackInForce, tolerable } from './capacity.js';
import { ageMs, cpusOf } from './census.js';
import type { Situation } from './situation.js';
import type { LastEviction, SampleNote, State } from './state.js';

export interface Eviction {
  readonly actions: readonly ReclaimAction[];
  readonly holds: readonly Hold[];
  readonly pressure: State['pressure'];
  readonly last: LastEviction | undefined;
}

/** Each eviction that undid new starts doubles the hold on growth, up to this. */
const LONGEST_HOLD_MS = 3_600_000;
/** With `grace_spawn: 0` the doubling starts from here. */
const SHORTEST_DOUBLED_HOLD_MS = 60_000;
/** Timers are not exact: a sample that is this part of `main_sleep` too young still counts as spanning the grace period. */
const SPAN_TOLERANCE = 0.05;

/** How long an excess has to last, less what timers may be off. */
export function graceMs(config: Config): number {
  return 1000 * (config.grace_kill - SPAN_TOLERANCE * config.main_sleep);
}

/** The samples by which a pressure is judged: back to the newest that is `grace_kill` old, at least two; none if they do not reach that far. */
function judgingSamples(config: Config, samples: readonly SampleNote[]): readonly SampleNote[] {
  const full = samples.filter((note) => !note.provisional);
  const sinceMs = (full.at(-1)?.monoMs ?? 0) - graceMs(config);
  const first = Math.min(
    full.findLastIndex((note) => note.monoMs <= sinceMs),
    full.length - 2,
  );
  return first < 0 ? [] : full.slice(first);
}

/** The youngest has lost least work. */
export function youngestFirst({ observation, census }: Situation, pilots: readonly Pilot[]): readonly Pilot[] {
  return pilots
    .map((pilot) => ({ pilot, age: ageMs(observation, census, pilot) }))
    .sort((a, b) => a.age - b.age || (a.pilot.name < b.pilot.name ? -1 : 1))
    .map(({ pilot }) => pilot);
}

/** Running pilots that are not going anyway, youngest first. */
export function candidates(situation: Situation): readonly Pilot[] {
  const { census, leaving } = situation;
  const running = census.holders.filter((pilot) => pilot.state === 'running' && !leaving.has(pilot.id));
  return youngestFirst(situation, running);
}

/** The fewest of the youngest whose going brings the sum of all that run down to `limit` CPUs. */
function surplus({ config, unmoved }: Situation, pilots: readonly Pilot[], limit: number): readonly Pilot[] {
  let sum = [...pilots, ...unmoved].reduce((total, pilot) => total + cpusOf(config, pilot), 0);
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
export function noteEviction(config: Config, before: LastEviction | undefined, nowMs: number): LastEviction {
  const shortestMs = config.grace_spawn * 1000;
  const memoryMs = Math.max(LONGEST_HOLD_MS, 2 * (before?.holdMs ?? 0));
  if (before === undefined || nowMs - before.atMs >= memoryMs) {
    return { atMs: nowMs, holdMs: shortestMs, grownSince: false };
  }
  const doubledMs = Math.min(LONGEST_HOLD_MS, Math.max(2 * before.holdMs, SHORTEST_DOUBLED_HOLD_MS));
  const holdMs = before.grownSince ? doubledMs : before.holdMs;
  return { atMs: nowMs, holdMs: Math.max(holdMs, shortestMs), grownSince: false };
}

/** What it takes to let one go. */
export function eviction({ config, observation, census }: Situation, pilot: Pilot): RemoveAction {
  const stopSeconds = config.stop_timeout;
  return { type: 'remove', pilot, reason: 'evicted', stopSeconds, ageMs: ageMs(observation, census, pilot) };
}

/** The newest sample, if it says something that has not been judged yet: nobody is evicted twice on the same word, or on an old one. */
function sampleToJudge({ config, observation, state, samples }: Situation): SampleNote | undefined {
  const { at } = observation;
  const newest = samples.at(-1);
  const isNew = newest !== state.samples.at(-1);
  if (newest === undefined || !isNew || newest.provisional || isStale(config, newest.monoMs, at.monoMs))
    return undefined;
  return newest;
}

/** CPUs that pilots may keep, or undefined when nobody may be judged yet. Where pilots yield: the kindest sample of the grace period. */
function limitWhereYielding(config: Config, online: number, slack: number, span: readonly SampleNote[]) {
  if (span.length === 0) return undefined;
  return Math.max(...span.map((note) => tolerable(config, online, slack, note.foreign)));
}

/**
 * Where pilots do not yield, the owner's load shows only as far as the scheduler lets it: after the grace period every
 * sample with an excess evicts, until there has been none for a whole grace period.
 */
function trackPressure(
  config: Config,
  before: State['pressure'],
  excess: boolean,
  nowMs: number,
): { readonly pressure: State['pressure']; readonly ripe: boolean } {
  if (!excess) {
    const calm = before === undefined || nowMs - before.lastMs >= graceMs(config);
    return { pressure: calm ? undefined : before, ripe: false };
  }
  const sinceMs = before?.sinceMs ?? nowMs;
  return {
    pressure: { sinceMs, lastMs: nowMs },
    ripe: before !== undefined && nowMs - sinceMs >= graceMs(config),
  };
}

/** How many CPUs pilots may keep, and whether those above that have been crowded out for as long as it takes. */
interface Judgement {
  /** Undefined: nobody can be judged yet. */
  readonly limit: number | undefined;
  readonly crowded: boolean;
  readonly pressure: State['pressure'];
}

function judge(situation: Situation, online: number, newest: SampleNote, pilots: readonly Pilot[]): Judgement {
  const { config, observation, state, samples } = situation;
  const slack = slackInForce(config, online, observation.yields);
  if (observation.yields === 'cgroup') {
    const span = judgingSamples(config, samples);
    const crowded = span.every(({ full }) => full);
    return { limit: limitWhereYielding(config, online, slack, span), crowded, pressure: undefined };
  }
  const limit = tolerable(config, online, slack, newest.foreign);
  const isAbove = surplus(situation, pilots, limit).length > 0;
  const { pressure, ripe } = trackPressure(config, state.pressure, isAbove && newest.full, newest.monoMs);
  return { limit: ripe || !newest.full ? limit : undefined, crowded: ripe, pressure };
}

/**
 * Who must make room for the owner. Judged once per new sample. Nobody is evicted who was not crowded out for all of `grace_kill`, which he
 * is not while the host is not full, nor because `max_docks` was lowered, nor on a sample taken while our own pull unpacked.
 */
export function planEviction(situation: Situation): Eviction {
  const { config, observation, state } = situation;
  const { sample, at } = observation;
  const nothing: Eviction = { actions: [], holds: [], pressure: state.pressure, last: state.eviction };
  const newest = sampleToJudge(situation);
  if (sample === undefined || newest === undefined) return { ...nothing, holds: state.judged.byCpu };

  const pilots = candidates(situation);
  const { limit, crowded, pressure } = judge(situation, sample.cpus, newest, pilots);
  const victims = limit === undefined ? [] : surplus(situation, pilots, limit);
  if (victims.length === 0) return { ...nothing, pressure };

  const surplusText = `${victims.length} pilot(s) above what the host's other load leaves`;
  if (config.evict === 'never') {
    return { ...nothing, pressure, holds: [{ gate: 'evict-off', text: `${surplusText}; evict: never` }] };
  }
  if (!crowded) {
    const busy = `${sample.busy.toFixed(1)} of ${sample.cpus} CPUs busy`;
    const since = newest.full ? 'for less than grace_kill' : 'nobody is crowded out';
    return { ...nothing, pressure, holds: [{ gate: 'not-crowded', text: `${surplusText}; ${busy}, ${since}` }] };
  }
  return {
    actions: victims.map((pilot) => eviction(situation, pilot)),
    holds: [],
    pressure,
    last: noteEviction(config, state.eviction, at.monoMs),
  };
}
