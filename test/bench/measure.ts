import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/clock.js';

/** A short run: fewer samples, the same measurements. */
export const quick = process.env['PLANCTON_BENCH_QUICK'] === 'yes';

/** CPU seconds of a process so far, with those of its children that have ended. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks. What follows it begins with field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / 100;
}

/** When a process began, ms since 1970. */
export function startedMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Field 22, ticks since boot.
  const ticks = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  const { wallMs, bootMs } = systemClock.now();
  return wallMs - bootMs + 10 * ticks;
}

/** Resident memory of a process, MB. */
export function residentMbOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** Waits until `condition` holds; throws after `deadlineMs`. */
export async function waitFor(
  what: string,
  deadlineMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = systemClock.now().monoMs + deadlineMs;
  while (!(await condition())) {
    if (systemClock.now().monoMs > endMs) throw new Error(`waited ${deadlineMs / 1000} s in vain: ${what}`);
    await systemClock.sleep(50);
  }
}
