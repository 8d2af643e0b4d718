import type { Hold } from '../decision.js';
import { candidates, eviction, graceMs, noteEviction, sampleToJudge, youngestFirst, type Eviction } from './evict.js';
import { frozenPilots } from './freeze.js';
import { bytesText, MEMORY_PRESSURE } from './gates.js';
import type { Situation } from './situation.js';
import type { State } from './state.js';

/** Memory of the host is short below this part of it, or below `min_free_mem` if that is more. */
const SHORT_PART = 0.05;

/** What eviction by memory adds to that by CPU. */
export interface MemoryEviction extends Eviction {
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
  const unchanged = { ...byCpu, memoryShortSinceMs: state.memoryShortSinceMs };
  if (sampleToJudge(situation) === undefined) return unchanged;
  const short = shortage(situation);
  if (short === undefined) return { ...byCpu, memoryShortSinceMs: undefined };

  const nowMs = observation.at.monoMs;
  const sinceMs = state.memoryShortSinceMs;
  const removes = byCpu.actions.some(({ type }) => type === 'remove');
  if (sinceMs === undefined || removes) return { ...byCpu, memoryShortSinceMs: nowMs };
  const busy = new Set(byCpu.actions.map(({ pilot }) => pilot.id));
  // Who stands still for want of CPUs keeps his memory.
  const holding = youngestFirst(situation, [...candidates(situation), ...frozenPilots(situation)]);
  const youngest = holding.find(({ id }) => !busy.has(id));
  if (youngest === undefined || nowMs - sinceMs < graceMs(config)) return unchanged;
  const hold = (gate: Hold['gate'], what: string): Hold => ({ gate, text: `${short}: ${what}` });
  if (config.evict === 'never') {
    return { ...unchanged, holds: [...byCpu.holds, hold('evict-off', 'evict: never')] };
  }
  return {
    actions: [...byCpu.actions, eviction(situation, youngest)],
    holds: [...byCpu.holds, hold('pressure', 'the youngest pilot makes room')],
    pressure: byCpu.pressure,
    last: noteEviction(config, state.eviction, nowMs),
    memoryShortSinceMs: nowMs,
  };
}
