import type { Status } from './status.js';

/** What a cycle may take on a slow host before its daemon is taken for hung. */
export const cycleMarginMs = 60_000;

/**
 * Whether a daemon should have ended another cycle by now: a long sleep is no hang, a loop that does not come back is one.
 * `sinceMs`: ms since the last cycle ended; `marginMs`: how long the next one may take itself.
 */
export function isOverdue(last: Pick<Status, 'nextCycleInSeconds'>, sinceMs: number, marginMs: number): boolean {
  return sinceMs > last.nextCycleInSeconds * 1000 + marginMs;
}
