import type { StuckPilot } from '../decision.js';
import type { Observation, Outcome, Pilot, RemovalReason, SeenMode } from '../model.js';
import type { RemovalTrouble, Tracked } from './state.js';
import { isUnanswered } from './unanswered.js';

/** A process that cannot be killed waits for a disk or a server; asking more often does not help it, and costs the engine a thread each time. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;
/** It takes the engine less than this to remove what has ended. */
const LONGEST_REMOVAL_MS = 30_000;
/** Who waits for all pilots to go does not wait for one that resisted this often, which takes a few minutes. */
const TRIES_TO_GIVE_UP = 3;

/** It is not to go any more: had it still been, it would have been tried again by now. */
function isOver({ at, inFlight }: Observation, pilot: Pilot, { dueMs }: RemovalTrouble): boolean {
  return at.monoMs > dueMs + LONGEST_PAUSE_MS && !inFlight.removing.includes(pilot.id);
}

/**
 * The engine has listed it as being removed for so long that it may say so for ever: it saves that state before it tries, and not what
 * came of it. Whoever asked for that, it has to be asked again.
 */
export function isGoingTooLong(tracked: Tracked | undefined, nowMs: number): boolean {
  return tracked?.goingSinceMs !== undefined && nowMs - tracked.goingSinceMs >= LONGEST_REMOVAL_MS;
}

/** It was removed, and is in the list for the last time: what was being removed when that was read may be gone by now. */
function isGone({ at, inFlight }: Observation, pilot: Pilot, known: Tracked, { result }: Outcome): boolean {
  const isGoing = pilot.state === 'removing' && !isGoingTooLong(known, at.monoMs);
  const mayBeGone = isGoing || inFlight.removing.includes(pilot.id);
  return result !== 'failed' && mayBeGone;
}

/** The trouble after one more try in vain. */
function afterTry(
  nowMs: number,
  pilot: Pilot,
  before: RemovalTrouble | undefined,
  reason: RemovalReason,
  { result, error }: Outcome,
): RemovalTrouble {
  const tries = before?.reason === reason ? before.tries + 1 : 1;
  const unsaid = result === 'done' ? 'it is gone, but still listed' : 'no reason given';
  return {
    sinceMs: before?.sinceMs ?? nowMs,
    reason,
    tries,
    dueMs: nowMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1)),
    said: error?.message ?? unsaid,
    refused: !isUnanswered(error) || (pilot.state === 'created' && before?.refused === true),
  };
}

/** The trouble with removing a pilot after what became of that since the last cycle. */
export function removalTrouble(observation: Observation, pilot: Pilot, known: Tracked): RemovalTrouble | undefined {
  const before = known.removalTrouble;
  const { at, outcomes } = observation;
  const tried = outcomes.findLast(({ action }) => action.type === 'remove' && action.pilot.id === pilot.id);
  if (tried?.action.type !== 'remove') {
    return before !== undefined && isOver(observation, pilot, before) ? undefined : before;
  }
  if (isGone(observation, pilot, known, tried)) return undefined;
  return afterTry(at.monoMs, pilot, before, tried.action.reason, tried);
}

/** Whether it is too early to try again to remove it for this reason. */
export function rests(trouble: RemovalTrouble | undefined, reason: RemovalReason, nowMs: number): boolean {
  return trouble?.reason === reason && nowMs < trouble.dueMs;
}

/** No process of it is left or can come, though the engine cannot remove it: it was never started, and what is to be removed is not. */
export function isShell({ state }: Pilot, trouble: RemovalTrouble | undefined): boolean {
  return state === 'created' && trouble?.refused === true;
}

/**
 * It has resisted long enough for those who wait for all pilots to go. Who was only to make room works on, and may yet go in its own time; and
 * what was tried before everything was to go is tried anew.
 */
export function resists(trouble: RemovalTrouble | undefined, mode: SeenMode): boolean {
  if (trouble === undefined || trouble.tries < TRIES_TO_GIVE_UP) return false;
  return mode === 'force-stop' ? trouble.reason === 'force-stop' : trouble.reason !== 'evicted';
}

/** It runs on: the engine has said so, or has not done it the third time. Before that it may be about to go. */
export function runsOn(trouble: RemovalTrouble | undefined): boolean {
  return trouble !== undefined && (trouble.refused || trouble.tries >= TRIES_TO_GIVE_UP);
}

/** All pilots in quarantine: they were to be removed, are still there, and are tried again ever less often. */
export function stuckPilots(
  { pilots }: Observation,
  tracked: ReadonlyMap<string, Tracked>,
  holders: readonly Pilot[],
): readonly StuckPilot[] {
  return pilots.flatMap((pilot): readonly StuckPilot[] => {
    const trouble = tracked.get(pilot.id)?.removalTrouble;
    if (trouble === undefined) return [];
    const { sinceMs, tries, dueMs, said } = trouble;
    return [{ pilot, sinceMs, tries, nextTryMs: dueMs, said, holdsSlot: holders.includes(pilot) }];
  });
}

/** Ms until the next of them is tried again; undefined if none rests. */
export function quarantineDueMs(stuck: readonly StuckPilot[], nowMs: number): number | undefined {
  const ahead = stuck.map(({ nextTryMs }) => nextTryMs - nowMs).filter((ms) => ms > 0);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}
