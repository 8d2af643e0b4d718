import type { Config } from '../config/schema.js';
import type { Observation, Pilot, PilotState } from '../model.js';
import type { State, Tracked } from './state.js';

/** Who holds a slot, who has just ended, and what is remembered about each pilot. */
export interface Census {
  /** Pilots in the list that hold a slot: everything but those whose process is gone. */
  readonly holders: readonly Pilot[];
  /** How many hold a slot, those included that were asked for and are not listed yet. */
  readonly count: number;
  /** CPUs promised to all of those. */
  readonly promised: number;
  /** Memory promised to all of those, in bytes. */
  readonly promisedBytes: number;
  /** Pilots that ended since the last cycle other than by eviction. */
  readonly ended: number;
  readonly tracked: ReadonlyMap<string, Tracked>;
}

const GONE: readonly PilotState[] = ['exited', 'dead', 'removing'];

/** The CPUs a pilot takes: what it was started with, whether or not it uses them. */
export function cpusOf(config: Config, pilot: Pilot): number {
  return pilot.cpus ?? config.cpus_per_dock;
}

function bytesOf(config: Config, pilot: Pilot): number {
  return pilot.memoryBytes ?? config.max_dock_mem;
}

function hasEnded(pilot: Pilot): boolean {
  return pilot.state === 'exited' || pilot.state === 'dead';
}

/**
 * When a pilot was started, on the boot clock of now. By its label where that is of this boot; else by the wall clock, when it
 * is seen for the first time. Never later than that, so that nothing lives for ever.
 */
function bornBootMs({ at, host }: Observation, pilot: Pilot): number {
  if (pilot.spawnedBootMs !== undefined && pilot.bootId === host.bootId) {
    return Math.min(pilot.spawnedBootMs, at.bootMs);
  }
  return at.bootMs - Math.max(0, at.wallMs - pilot.createdWallMs);
}

/** What is remembered about a pilot that is seen for the first time. */
function firstSight(observation: Observation, pilot: Pilot): Tracked {
  return {
    firstSeenBootMs: observation.at.bootMs,
    bornBootMs: bornBootMs(observation, pilot),
    runsSinceBootMs: undefined,
    ran: false,
    proven: false,
    ended: false,
    evicted: false,
  };
}

/** What was known, if this look brings nothing new: a simulation looks at some pilots a hundred thousand times. */
function track(config: Config, observation: Observation, pilot: Pilot, before: Tracked | undefined): Tracked {
  const { bootMs } = observation.at;
  const known = before ?? firstSight(observation, pilot);
  const runs = pilot.state === 'running';
  // Not from its birth on: a busy engine may take long to start it.
  const runsSinceBootMs = known.runsSinceBootMs ?? (runs ? bootMs : undefined);
  const ran = known.ran || runs || pilot.state === 'paused' || hasEnded(pilot);
  const proven = known.proven || (runs && bootMs - (runsSinceBootMs ?? bootMs) >= config.fizzle_seconds * 1000);
  const ended = known.ended || hasEnded(pilot);
  const isSame = ran === known.ran && proven === known.proven && ended === known.ended;
  return !isSame || runsSinceBootMs !== known.runsSinceBootMs
    ? { ...known, runsSinceBootMs, ran, proven, ended }
    : known;
}

/** Counts each pilot's end once, whether it is seen exited or has vanished between two looks. */
export function takeCensus(config: Config, observation: Observation, state: State): Census {
  const { pilots, inFlight } = observation;
  const tracked = new Map<string, Tracked>();
  let ended = 0;
  for (const pilot of pilots) {
    const before = state.tracked.get(pilot.id);
    const now = track(config, observation, pilot, before);
    tracked.set(pilot.id, now);
    if (now.ended && before?.ended !== true && !now.evicted) ended += 1;
  }
  for (const [id, before] of state.tracked) {
    if (!tracked.has(id) && before.ran && !before.ended && !before.evicted) ended += 1;
  }
  const holders = pilots.filter((pilot) => !GONE.includes(pilot.state));
  const asked = inFlight.spawning.filter((spawn) => !pilots.some((pilot) => pilot.name === spawn.name));
  const promised =
    holders.reduce((sum, pilot) => sum + cpusOf(config, pilot), 0) + asked.reduce((sum, spawn) => sum + spawn.cpus, 0);
  const promisedBytes =
    holders.reduce((sum, pilot) => sum + bytesOf(config, pilot), 0) + asked.length * config.max_dock_mem;
  return { holders, count: holders.length + asked.length, promised, promisedBytes, ended, tracked };
}

/** Ms since a pilot of the list was started. */
export function ageMs(observation: Observation, census: Census, pilot: Pilot): number {
  const { bootMs } = observation.at;
  return bootMs - (census.tracked.get(pilot.id)?.bornBootMs ?? bootMs);
}
