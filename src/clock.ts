import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Instant } from './model.js';

/** The only source of time. Everything that needs to know or to wait is handed one of these. */
export interface Clock {
  now(): Instant;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Ms since boot, suspend included, where the kernel tells; the monotonic clock elsewhere. */
function bootMs(): number {
  try {
    const seconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    if (Number.isFinite(seconds)) return seconds * 1000;
  } catch {
    // Not Linux: suspend is then not counted, which only makes pilots live longer.
  }
  return performance.now();
}

export const systemClock: Clock = {
  now: () => ({ wallMs: Date.now(), monoMs: performance.now(), bootMs: bootMs() }),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // Longer timers overflow to 1 ms in Node; callers look again after a day anyway.
      const timer = setTimeout(done, Math.min(Math.max(ms, 0), 86_400_000));
      signal?.addEventListener('abort', done, { once: true });
    }),
};
