import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/clock.js';

/** A short run: fewer samples, the same measurements. */
export const quick = process.env['PLANCTON_BENCH_QUICK'] === 'yes';

const ticksASecond = 100;

/** What /proc tells of a process, from field 3 on: the name in parentheses before it may hold blanks. */
function statOf(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** CPU seconds of a process so far, with those of its children that have ended. */
export function cpuSecondsOf(pid: number): number {
  const ticks = statOf(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0);
  return ticks / ticksASecond;
}

/** When a process began, ms since 1970. */
export function startedMsOf(pid: number): number {
  const ticksAfterBoot = Number(statOf(pid)[19]);
  const { wallMs, bootMs } = systemClock.now();
  return wallMs - bootMs + (1000 * ticksAfterBoot) / ticksASecond;
}

/** Resident memory of a process, MB. */
export function residentMbOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** Files, sockets and the like that a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
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
