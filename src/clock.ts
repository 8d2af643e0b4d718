import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Instant } from './model.js';

/** The only source of time. Everything that needs to know or to wait is handed one of these. */
export interface Clock {
  now(): Instant;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A wall clock that moved by more against the monotonic one was set, or the host slept. */
const STEPPED_MS = 50;

/** Ms by which the clock that counts suspends, too, was ahead of the monotonic one, and the wall clock at the same moment. */
let ahead: { readonly bootMs: number; readonly wallMs: number } | undefined;

/**
 * Ms by which the clock of the boot is ahead of the monotonic one. Asking the kernel costs more than all other clocks together, so it is asked only
 * when this may have changed: the wall clock of a host that slept has been put forward by the same time.
 */
function bootAheadMs(wallMs: number, monoMs: number): number {
  const wallAheadMs = wallMs - monoMs;
  if (ahead === undefined || Math.abs(wallAheadMs - ahead.wallMs) > STEPPED_MS) {
    ahead = { bootMs: readBootMs() - performance.now(), wallMs: wallAheadMs };
  }
  return ahead.bootMs;
}

function readBootMs(): number {
  try {
    const seconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    if (Number.isFinite(seconds)) return seconds * 1000;
  } catch {
    // Not Linux: suspend is then not counted, which only makes pilots live longer.
  }
  return performance.now();
}

export const systemClock: Clock = {
  now: () => {
    const wallMs = Date.now();
    const monoMs = performance.now();
    return { wallMs, monoMs, bootMs: monoMs + bootAheadMs(wallMs, monoMs) };
  },
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
