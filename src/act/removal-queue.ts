import pLimit from 'p-limit';
import type { Clock } from '../clock.js';

const MOST_AT_ONCE = 16;
/** What takes longer waits for its own pilot and not for the engine: the others need not. */
const PATIENCE_MS = 1_000;

/** Lets removals begin, few at a time. */
export interface RemovalQueue {
  /** Runs `removal` when its turn has come; resolves when it has ended. */
  add(removal: () => Promise<void>): Promise<void>;
}

/** A queue in which those that take long keep nobody waiting: there is one removal a pilot at most, so all of them are few. */
export function createRemovalQueue(clock: Clock): RemovalQueue {
  const limit = pLimit(MOST_AT_ONCE);
  return {
    add: (removal) =>
      limit(async () => {
        const ended = new AbortController();
        const slow = clock.sleep(PATIENCE_MS, ended.signal).then(() => {
          if (ended.signal.aborted) return false;
          limit.concurrency += 1;
          return true;
        });
        try {
          await removal();
        } finally {
          ended.abort();
          if (await slow) limit.concurrency -= 1;
        }
      }),
  };
}
