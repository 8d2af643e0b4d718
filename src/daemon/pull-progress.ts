import type { Clock } from '../clock.js';
import type { PullProgress } from '../engine/container-engine.js';
import type { EventSink } from '../report/event.js';

/** Often enough to see that it moves, not so often that it fills the log. */
const TELL_EVERY_MS = 10_000;

/** Passes on the progress of pulls, now and then for each. */
export function createPullReporter(clock: Clock, publish: EventSink) {
  const toldMs = new Map<string, number>();
  return (reference: string, { doneBytes, totalBytes }: PullProgress): void => {
    const { monoMs } = clock.now();
    if (monoMs - (toldMs.get(reference) ?? -Infinity) < TELL_EVERY_MS) return;
    toldMs.set(reference, monoMs);
    publish({ type: 'pull-progress', reference, doneBytes, totalBytes });
  };
}
