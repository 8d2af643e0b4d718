import type { Clock } from '../clock.js';

/** The result of `work`, or a rejection after `ms`. The work itself is not stopped; what it yields later is ignored. */
export async function withDeadline<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const tooLate = clock.sleep(ms, done.signal).then(() => {
    throw new Error(`${what} took more than ${ms} ms`);
  });
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    done.abort();
  }
}
