import type { Hold } from '../decision.js';
import { candidates, eviction, graceMs, noteEviction, youngestFirst, type Eviction } from './evict.js';
import { frozenPilots } from './freeze.js';
import { bytesText, MEMORY_PRESSURE } from './gates.js';
import { hasNewSample, type Situation } from './situation.js';
import type { State } from './state.js';

/** Memory of the host is short below this part of it, or below `min_free_mem` if that is more. */
const SHORT_PART = 0.05;

/** What eviction for want of memory adds to that for CPUs. */
export interface MemoryEviction {
  readonly actions: Eviction['actions'];
  readonly holds: Eviction['holds'];
  readonly last: Eviction['last'];
  readonly memoryShortSinceMs: State['memoryShortSinceMs'];
}

/**
 * The host is short of memory and tasks wait for it; says so with its numbers. Pressure alone is no sign: a container that
 * thrashes within its own limit raises it on a host with plenty.
 */
function shortage({ config, observation }: Situation): string | undefined {
  const { memory, pressure } = observation.resources;
  if (memory === null || memory === undefined || pressure === null || pressure === undefined) return undefined;
  const least = Math.max(config.min_free_mem, SHORT_PART * observation.host.ramBytes);
  if (memory.availableBytes >= least || pressure.memorySome10 < MEMORY_PRESSURE) return undefined;
  const waiting = `tasks wait for memory in ${pressure.memorySome10} % of the time`;
  return `${waiting}, ${bytesText(memory.availableBytes)} available is less than ${bytesText(least)}`;
}

/**
 * Memory cannot be had by yielding, only by going: when it has been short in every sample of `grace_kill`, the youngest pilot goes,
 * and another one only if it is still short after another `grace_kill`. A cycle that makes room for CPUs makes room in memory too.
 */
export function planMemoryEviction(situation: Situation, byCpu: Eviction): MemoryEviction {
  const { config, observation, state } = situation;
  const nothing = { actions: [], holds: [], last: byCpu.last, memoryShortSinceMs: state.memoryShortSinceMs };
  // Whatever else the sample is good for: memory is looked at with each of them.
  if (!hasNewSample(situation)) return { ...nothing, holds: state.judged.byMemory };
  const short = shortage(situation);
  if (short === undefined) return { ...nothing, memoryShortSinceMs: undefined };

  const nowMs = observation.at.monoMs;
  const sinceMs = state.memoryShortSinceMs;
  const removes = byCpu.actions.some(({ type }) => type === 'remove');
  if (sinceMs === undefined || removes) return { ...nothing, memoryShortSinceMs: nowMs };
  const busy = new Set(byCpu.actions.map(({ pilot }) => pilot.id));
  // Who stands still for want of CPUs keeps his memory.
  const holding = youngestFirst(situation, [...candidates(situation), ...frozenPilots(situation)]);
  const youngest = holding.find(({ id }) => !busy.has(id));
  if (youngest === undefined || nowMs - sinceMs < graceMs(config)) return nothing;
  const hold = (gate: Hold['gate'], what: string): Hold => ({ gate, text: `${short}: ${what}` });
  if (config.evict === 'never') {
    return { ...nothing, holds: [hold('evict-off', 'evict: never')] };
  }
  return {
    actions: [eviction(situation, youngest)],
    holds: [hold('pressure', 'the youngest pilot makes room')],
    last: noteEviction(config, state.eviction, nowMs),
    memoryShortSinceMs: nowMs,
  };
}
