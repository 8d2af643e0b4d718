import type { Config } from '../config/schema.js';

/** Half a second is enough for a first figure: 50 ticks of each CPU. It leaves the memory as soon as there is a better one. */
const FIRST_SPAN_MS = 500;
/** What could not be read as often as this is not read so often any more. */
const FIRST_READINGS = 5;
/** As long as pilots need to show that they live (`fizzle_seconds`), so that growth may go on. */
const EARLY_SPAN_MS = 10_000;
const EARLY_LOOKS_MS = 30_000;
/** Timers fire a hair early at times; what is due within this fraction of its span is due now. */
const TOLERANCE = 0.02;

/**
 * Ms from one look at the host to the next: `main_sleep`, but less at first, so that a host that has just started is not idle for
 * minutes. `watchedMs` = from the first sample to the last; undefined: there is none yet, after `readings`. Growth that is to be linear, as the original's
 * is, gets no early looks: each would permit pilots.
 */
export function lookSpanMs(config: Config, watchedMs: number | undefined, readings = 0): number {
  const periodMs = config.main_sleep * 1000;
  if (watchedMs === undefined) return Math.min(readings < FIRST_READINGS ? FIRST_SPAN_MS : EARLY_SPAN_MS, periodMs);
  const early =
    config.policy !== 'legacy' && config.growth === 'doubling' && watchedMs < EARLY_LOOKS_MS * (1 - TOLERANCE);
  return early ? Math.min(EARLY_SPAN_MS, periodMs) : periodMs;
}

/** Ms left of a span that began `agoMs` ago. */
export function leftOfSpanMs(spanMs: number, agoMs: number): number {
  const leftMs = spanMs - agoMs;
  return leftMs <= TOLERANCE * spanMs ? 0 : leftMs;
}
