import type { HangingEffects, Hold } from '../decision.js';
import type { Action, Observation, Pilot } from '../model.js';
import type { EffectsMemory, State } from './state.js';

/**
 * An engine may list containers in a millisecond and start or remove none of them, when what carries that out hangs behind it. It is
 * judged by what it does: after three pilots for which it did not do in time what it was asked to, none is started but one now and
 * then, until something works again. Three different ones: what cannot be killed says nothing about the engine, however often that is tried.
 */
const TIMEOUTS_TO_HOLD = 3;
const WINDOW_MS = 300_000;
const FIRST_PAUSE_MS = 30_000;
/**
 * One start in vain costs little; a host that waits when its engine is well again costs more. No longer than a start without an answer is
 * waited for: that it came true late is what tells that the engine is well.
 */
const LONGEST_PAUSE_MS = 60_000;

const NOTHING: EffectsMemory = { timeouts: [], hold: undefined };

/** The pilot that an action has an effect on; undefined for what the engine does with the help of others. */
function pilotOf(action: Action): string | undefined {
  if (action.type === 'spawn') return action.spec.name;
  return 'pilot' in action ? action.pilot.name : undefined;
}

/** Taking away what has no process is not what an engine hangs at: that it works proves nothing. */
function provesHealth(action: Action): boolean {
  return action.type !== 'remove' || action.pilot.state === 'running' || action.pilot.state === 'paused';
}

/** The hold after `news` more calls in vain. */
function nextHold({ timeouts, hold }: EffectsMemory, news: number, nowMs: number): EffectsMemory['hold'] {
  if (hold === undefined) {
    if (timeouts.length < TIMEOUTS_TO_HOLD) return undefined;
    const sinceMs = timeouts[0]?.atMs ?? nowMs;
    return { sinceMs, inVain: timeouts.length, pauseMs: FIRST_PAUSE_MS, dueMs: nowMs + FIRST_PAUSE_MS };
  }
  const inVain = hold.inVain + news;
  if (nowMs < hold.dueMs) return { ...hold, inVain };
  const pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * hold.pauseMs);
  return { sinceMs: hold.sinceMs, inVain, pauseMs, dueMs: nowMs + pauseMs };
}

/** A start that was not answered in time has had its effect all the same: whatever was in vain before it does not count any more. */
function forgiveStart(memory: EffectsMemory, name: string): EffectsMemory {
  const note = memory.timeouts.find((timeout) => timeout.name === name);
  if (note === undefined) return memory;
  const { hold } = memory;
  return {
    timeouts: memory.timeouts.filter((timeout) => timeout !== note),
    hold: hold !== undefined && hold.sinceMs < note.atMs ? undefined : hold,
  };
}

function removedBy(action: Action): string | undefined {
  return action.type === 'remove' ? action.pilot.id : undefined;
}

/** Whether a pilot that was to be removed, and for which there was no answer, has gone since the last look: the engine does something again. */
function wentLate({ timeouts }: EffectsMemory, pilots: readonly Pilot[], tracked: State['tracked']): boolean {
  const alive = new Set(pilots.filter(({ state }) => state !== 'exited' && state !== 'dead').map(({ id }) => id));
  return timeouts.some(({ removing }) => {
    return removing !== undefined && tracked.get(removing)?.ended === false && !alive.has(removing);
  });
}

/**
 * What the outcomes since the last cycle, and late effects, say about the engine. A refusal says nothing: it is an answer, but nothing was
 * done. Nor does a pilot that is known not to go: that it failed to once has counted.
 */
export function judgeEffects(
  { outcomes, pilots, at }: Observation,
  { effects, unanswered, tracked }: Pick<State, 'effects' | 'unanswered' | 'tracked'>,
): EffectsMemory {
  const begun = new Set(pilots.filter(({ state }) => state !== 'created').map(({ name }) => name));
  const late = unanswered.map(({ name }) => name).filter((name) => begun.has(name));
  const saysNothing = (action: Action, name: string): boolean => {
    if (action.type === 'spawn') return begun.has(name);
    if (action.type !== 'remove') return false;
    // It is gone all the same, or known not to go.
    const isListed = pilots.some(({ id }) => id === action.pilot.id);
    return !isListed || tracked.get(action.pilot.id)?.removalTrouble !== undefined;
  };
  const goesOn = wentLate(effects, pilots, tracked);
  let memory = goesOn ? NOTHING : late.reduce(forgiveStart, effects);
  let news = 0;
  for (const { action, result, error } of outcomes) {
    const name = pilotOf(action);
    if (name === undefined) continue;
    if (result === 'done' && provesHealth(action)) {
      memory = NOTHING;
      news = 0;
    } else if (error?.kind === 'timeout' && !saysNothing(action, name)) {
      const others = memory.timeouts.filter((note) => note.name !== name && at.monoMs - note.atMs <= WINDOW_MS);
      memory = { ...memory, timeouts: [...others, { name, atMs: at.monoMs, removing: removedBy(action) }] };
      news += 1;
    }
  }
  return news > 0 ? { ...memory, hold: nextHold(memory, news, at.monoMs) } : memory;
}

/** The time to try again has not come. */
export function isHeld({ hold }: EffectsMemory, nowMs: number): boolean {
  return hold !== undefined && nowMs < hold.dueMs;
}

/** How many pilots may be started as far as the engine's health goes; `Infinity` = as many as fit. */
export function healthyStarts(memory: EffectsMemory, { at, inFlight }: Observation): number {
  if (memory.hold === undefined) return Infinity;
  return isHeld(memory, at.monoMs) || inFlight.spawning.length > 0 ? 0 : 1;
}

/** For the eyes of people; undefined while the engine does what it is asked to. */
export function hangingEffects({ hold }: EffectsMemory): HangingEffects | undefined {
  return hold && { sinceMs: hold.sinceMs, inVain: hold.inVain, nextTryMs: hold.dueMs };
}

/** Why no pilots are started while the engine hangs. */
export function effectsHold({ hold }: EffectsMemory, nowMs: number): Hold {
  const left = Math.ceil(((hold?.dueMs ?? nowMs) - nowMs) / 1000);
  const next = left > 0 ? `one start is tried in ${left} s` : 'one start is being tried';
  const text = `the engine lists pilots but did not start, stop or remove them in time, ${hold?.inVain ?? 0} times; ${next}`;
  return { gate: 'engine-effects', text };
}

/** Ms until the next start may be tried; undefined if that is not a matter of time. */
export function effectsDueMs({ hold }: EffectsMemory, nowMs: number): number | undefined {
  return hold === undefined || hold.dueMs <= nowMs ? undefined : hold.dueMs - nowMs;
}
