import type { EngineFailure, InFlight, Observation, Outcome, SpawnAction } from '../model.js';
import type { Unanswered } from './state.js';

/**
 * For how long after that an engine that answers may still carry it out: as long again as it had before the deadline of its creation. An
 * engine that stood still takes up what has piled up first; what comes later still is a container in the list, and counts from then on.
 */
const GRACE_MS = 60_000;

/** Whether a failed request may have been carried out all the same, or may yet be. */
export function isUnanswered(failure: EngineFailure | undefined): boolean {
  return failure?.kind === 'timeout' || failure?.kind === 'unreachable' || failure?.kind === 'malformed';
}

/** One that was made and never asked to start is in the list, or gone. */
function unansweredStart({ action, result, error, unasked }: Outcome): SpawnAction | undefined {
  if (action.type !== 'spawn' || result !== 'failed' || unasked === true) return undefined;
  return isUnanswered(error) ? action : undefined;
}

/**
 * The starts of which the engine has not told the truth yet: its list shows that one lives or has lived, or has gone on without it, or with
 * nothing but a container that does not start, for the time of grace. There is no plan without a list, so an engine that is away
 * ends none of this.
 */
export function recallUnanswered(observation: Observation, before: readonly Unanswered[]): readonly Unanswered[] {
  const { outcomes, pilots, at } = observation;
  const news = outcomes.flatMap((outcome): readonly Unanswered[] => {
    const start = unansweredStart(outcome);
    return start === undefined ? [] : [{ name: start.spec.name, cpus: start.spec.cpus, sinceMs: at.monoMs }];
  });
  if (before.length + news.length === 0) return before;
  const settled = new Set(pilots.filter(({ state }) => state !== 'created').map(({ name }) => name));
  return [...before, ...news].filter(({ name, sinceMs }) => !settled.has(name) && at.monoMs - sinceMs < GRACE_MS);
}

/** Starts that hold a slot though the list does not show them: under way, or not answered. */
export function unlistedStarts(
  { pilots, inFlight }: Observation,
  unanswered: readonly Unanswered[],
): InFlight['spawning'] {
  const asked = new Map([...unanswered, ...inFlight.spawning].map(({ name, cpus }) => [name, cpus]));
  for (const { name } of pilots) asked.delete(name);
  return [...asked].map(([name, cpus]) => ({ name, cpus }));
}

/** Ms until the first of them has had its time of grace; undefined without any. */
export function unansweredDueMs(unanswered: readonly Unanswered[], nowMs: number): number | undefined {
  if (unanswered.length === 0) return undefined;
  return Math.min(...unanswered.map(({ sinceMs }) => sinceMs + GRACE_MS - nowMs));
}
