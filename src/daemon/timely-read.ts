import type { Clock } from '../clock.js';
import { withDeadline } from '../observe/deadline.js';

/** A file on a dead file server must not hold up the pilots that run. */
const READ_MS = 2_000;

/**
 * What `read` finds, or what `instead` makes of the reason why that cannot be told in time. A read that hangs keeps a thread of this process, and
 * there are few of these: whoever asks meanwhile waits for the same one, and for nothing once that is late. `what`: is read, for people.
 */
export function createTimelyRead<T>(
  clock: Clock,
  what: string,
  read: () => Promise<T>,
  instead: (why: string) => T,
): () => Promise<T> {
  let pending: Promise<T> | undefined;
  let isLate = false;
  return async () => {
    if (isLate) return instead(`reading ${what} takes too long`);
    pending ??= read().finally(() => {
      pending = undefined;
      isLate = false;
    });
    const reading = pending;
    try {
      return await withDeadline(clock, READ_MS, `reading ${what}`, reading);
    } catch (error) {
      isLate = pending === reading;
      return instead(error instanceof Error ? error.message : String(error));
    }
  };
}
