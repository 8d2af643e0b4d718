import type { Config } from '../config/schema.js';
import type { Hold, Observation, RemoveAction } from '../model.js';
import type { Census } from './census.js';
import type { LegacyMemory, State } from './state.js';

/**
 * `policy: legacy`: the original's two formulas, number for number (mconcas/plancton `plancton/__init__.py`, 0.6.0), as a
 * reference and for comparison. They contradict each other; see docs/differences.md before using it.
 */
export interface LegacyPlan {
  readonly launch: number;
  readonly evictions: readonly RemoveAction[];
  readonly holds: readonly Hold[];
  readonly memory: LegacyMemory;
}

/** Percent of the host that is busy; iowait counts as busy. Without a sample it is all busy, as the original has it. */
function busyPercent(observation: Observation): number {
  const { sample } = observation;
  if (sample === undefined) return 100;
  return Math.max(0, (100 * (sample.cpus - sample.idle)) / sample.cpus);
}

/** How many pilots the original would launch: idle CPU with a reserve of 5 %, the cap, the pace. */
export function legacyLaunchable(config: Config, cpus: number, idlePercent: number, running: number): number {
  const fitting = Math.trunc((idlePercent * 0.95 * cpus) / (config.cpus_per_dock * 100));
  return Math.min(fitting, Math.max(config.max_docks - running, 0), config.docks_per_loop);
}

/** The CPU percentage that the original takes to be its own share; a Python 2 integer where `cpus_per_dock` is one. */
export function legacyThreshold(config: Config, cpus: number, running: number): number {
  const share = (100 * config.cpus_per_dock * Math.min(running, config.max_docks)) / cpus;
  return Number.isInteger(config.cpus_per_dock) ? Math.floor(share) : share;
}

interface Overhead {
  readonly evictions: readonly RemoveAction[];
  readonly sinceMs: number | undefined;
}

function controlOverhead(config: Config, observation: Observation, state: State, cpus: number, busy: number): Overhead {
  const running = observation.pilots.filter((pilot) => pilot.state === 'running');
  const threshold = legacyThreshold(config, cpus, running.length);
  if (running.length === 0 || threshold === 0 || busy <= threshold + 10) return { evictions: [], sinceMs: undefined };
  const nowMs = observation.at.monoMs;
  const sinceMs = state.legacy.overheadSinceMs ?? nowMs;
  if (nowMs - sinceMs <= config.grace_kill * 1000) return { evictions: [], sinceMs };
  const leaving = new Set(observation.inFlight.removing);
  const youngest = running
    .filter((pilot) => !leaving.has(pilot.id))
    .sort((a, b) => b.createdWallMs - a.createdWallMs)[0];
  if (youngest === undefined) return { evictions: [], sinceMs };
  return { evictions: [{ type: 'remove', pilot: youngest, reason: 'evicted', stopSeconds: 0 }], sinceMs };
}

/** One loop of the original: control the overhead, then launch unless something was removed within `grace_spawn`. */
export function planLegacy(
  config: Config,
  observation: Observation,
  state: State,
  census: Census,
  reaps: readonly RemoveAction[],
  image: string | undefined,
): LegacyPlan {
  const cpus = observation.sample?.cpus ?? observation.host.ncpus;
  const busy = busyPercent(observation);
  const nowMs = observation.at.monoMs;
  const overhead = controlOverhead(config, observation, state, cpus, busy);
  const evicted = overhead.evictions.length;
  const lastBeforeLaunch = evicted > 0 ? nowMs : state.legacy.lastRemovalMs;
  const memory: LegacyMemory = {
    overheadSinceMs: overhead.sinceMs,
    lastRemovalMs: reaps.length > 0 ? nowMs : lastBeforeLaunch,
  };
  const base = { evictions: overhead.evictions, memory };
  if (observation.mode !== 'active') {
    return { ...base, launch: 0, holds: [{ gate: 'draining', text: 'draining: none is started' }] };
  }
  if (image === undefined) {
    return { ...base, launch: 0, holds: [{ gate: 'image', text: `image ${config.docker_image} is not on this host` }] };
  }
  if (lastBeforeLaunch !== undefined && nowMs - lastBeforeLaunch <= config.grace_spawn * 1000) {
    return { ...base, launch: 0, holds: [{ gate: 'cool-down', text: 'too little time since the last removal' }] };
  }
  const launch = legacyLaunchable(config, cpus, 100 - busy, census.count - evicted);
  return { ...base, launch: Math.max(0, launch), holds: [] };
}
