import type { Config } from '../config/schema.js';
import type { Hold } from '../decision.js';
import type { CpuSample, RemoveAction } from '../model.js';
import { isStale } from './capacity.js';
import { ageMs } from './census.js';
import { effectsHold, healthyStarts } from './effects.js';
import { imageGate, isShut, loadGate, modeGate, policyGate } from './gates.js';
import { hasNewSample, type Situation } from './situation.js';
import type { LegacyMemory } from './state.js';

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

/** Percent of the host that is busy; iowait counts as busy. */
function busyPercent(sample: CpuSample): number {
  return Math.max(0, (100 * (sample.cpus - sample.idle)) / sample.cpus);
}

interface Launchable {
  /** By idle CPU, of which 5 % are kept. */
  readonly byIdle: number;
  readonly byCap: number;
}

function launchable(config: Config, cpus: number, idlePercent: number, running: number): Launchable {
  return {
    byIdle: Math.trunc((idlePercent * 0.95 * cpus) / (config.cpus_per_dock * 100)),
    byCap: Math.max(config.max_docks - running, 0),
  };
}

/** How many pilots the original would launch: idle CPU with a reserve of 5 %, the cap, the pace. */
export function legacyLaunchable(config: Config, cpus: number, idlePercent: number, running: number): number {
  const { byIdle, byCap } = launchable(config, cpus, idlePercent, running);
  return Math.min(byIdle, byCap, config.docks_per_loop);
}

/** Which of the three it is that keeps there from being more. */
function limitHold(config: Config, cpus: number, idlePercent: number, running: number): Hold {
  const { byIdle, byCap } = launchable(config, cpus, idlePercent, running);
  if (byIdle < Math.min(config.docks_per_loop, byCap)) {
    const idle = (idlePercent * cpus) / 100;
    const text = `${idle.toFixed(2)} of ${cpus} CPUs are idle, 5 % of that are kept, one more takes ${config.cpus_per_dock}`;
    return { gate: 'foreign-cpu', text };
  }
  if (config.docks_per_loop < byCap) {
    return { gate: 'pace', text: `${config.docks_per_loop} more after each look at the host (docks_per_loop)` };
  }
  return { gate: 'cap', text: `${running} pilots, max_docks ${config.max_docks}` };
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

function controlOverhead(
  { config, observation, state, census, leaving }: Situation,
  cpus: number,
  busy: number,
): Overhead {
  const running = observation.pilots.filter((pilot) => pilot.state === 'running');
  const threshold = legacyThreshold(config, cpus, running.length);
  if (running.length === 0 || threshold === 0 || busy <= threshold + 10) return { evictions: [], sinceMs: undefined };
  const nowMs = observation.at.monoMs;
  const sinceMs = state.legacy.overheadSinceMs ?? nowMs;
  if (nowMs - sinceMs <= config.grace_kill * 1000) return { evictions: [], sinceMs };
  const youngest = running
    .filter((pilot) => !leaving.has(pilot.id))
    .sort((a, b) => b.createdWallMs - a.createdWallMs)[0];
  if (youngest === undefined) return { evictions: [], sinceMs };
  const age = ageMs(observation, census, youngest);
  return { evictions: [{ type: 'remove', pilot: youngest, reason: 'evicted', stopSeconds: 0, ageMs: age }], sinceMs };
}

/** Why nothing may be launched in this loop, or undefined. */
function closedGate(situation: Situation, lastRemovalMs: number | undefined): Hold | undefined {
  const { config, observation, effects } = situation;
  const { mode, at, sample } = observation;
  const gates = [
    modeGate(mode),
    policyGate(observation.policy),
    loadGate(situation, sample?.monoMs),
    imageGate(situation),
  ];
  const shut = gates.find(isShut);
  if (shut !== undefined) return shut.hold;
  if (lastRemovalMs !== undefined && at.monoMs - lastRemovalMs <= config.grace_spawn * 1000) {
    const left = Math.ceil(config.grace_spawn - (at.monoMs - lastRemovalMs) / 1000);
    return { gate: 'cool-down', text: `no launch for another ${left} s after a removal (grace_spawn)` };
  }
  return healthyStarts(effects, observation) === 0 ? effectsHold(effects, at.monoMs) : undefined;
}

/**
 * One loop of the original: control the overhead, then launch unless something was removed within `grace_spawn`. It had one look
 * at the host per loop, so between two samples there is nothing to do. `reaped`: how many pilots this cycle
 * reaps, those left out that it has tried to in vain before: they would hold launches back for ever.
 */
export function planLegacy(situation: Situation, reaped: number): LegacyPlan {
  const { config, observation, state, census, effects } = situation;
  const { sample, at } = observation;
  const before = state.legacy;
  const isNew = hasNewSample(situation) && !isStale(config, sample?.monoMs, at.monoMs);
  const cpus = sample?.cpus ?? observation.host.ncpus;
  const busy = sample === undefined ? 100 : busyPercent(sample);
  const { evictions, sinceMs } = isNew
    ? controlOverhead(situation, cpus, busy)
    : { evictions: [], sinceMs: before.overheadSinceMs };
  // The original reaps after it launches: what this cycle reaps holds back the next one.
  const lastRemovalMs = evictions.length > 0 ? at.monoMs : before.lastRemovalMs;
  const closed = closedGate(situation, lastRemovalMs);
  const fitting = isNew && closed === undefined ? legacyLaunchable(config, cpus, 100 - busy, census.count) : 0;
  const launch = Math.min(fitting, healthyStarts(effects, observation));
  return {
    launch: Math.max(0, launch),
    evictions,
    holds: [closed ?? limitHold(config, cpus, 100 - busy, census.count)],
    memory: { overheadSinceMs: sinceMs, lastRemovalMs: reaped > 0 ? at.monoMs : lastRemovalMs },
  };
}
