import type { Config } from '../config/schema.js';
import type { Observation, Pilot, PilotState } from '../model.js';
import { isShell } from './quarantine.js';
import type { State, Tracked, Unanswered } from './state.js';
import { track } from './track.js';
import { unlistedStarts } from './unanswered.js';

/** Who holds a slot, who has just ended, and what is remembered about each pilot. */
export interface Census {
  /** Pilots in the list that hold a slot: everything but those that have no process and will have none. */
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

/** Counts each pilot's end once, whether it is seen exited or has vanished between two looks. */
export function takeCensus(
  config: Config,
  observation: Observation,
  state: State,
  unanswered: readonly Unanswered[],
): Census {
  const { pilots } = observation;
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
  const holders = pilots.filter(
    (pilot) => !GONE.includes(pilot.state) && !isShell(pilot, tracked.get(pilot.id)?.removalTrouble),
  );
  const asked = unlistedStarts(observation, unanswered);
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
