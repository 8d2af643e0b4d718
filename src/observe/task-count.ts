import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tasks } from '../model.js';

function wholeNumber(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,10}$/.test(text)) throw new Error(`${what} tells no number`);
  return Number(text);
}

/**
 * Processes and threads of the host, and how many there can be: the fourth field of `/proc/loadavg` and the smaller one of the kernel's two limits
 * (proc(5)). Throws the error of the system, or one that says what makes no sense.
 */
export function readTasks(procRoot: string): Tasks {
  const read = (...path: readonly string[]) => readFileSync(join(procRoot, ...path), 'utf8').trim();
  const [, count] = /^(?:[\d.]+ ){3}\d+\/(\d+) \d+$/.exec(read('loadavg')) ?? [];
  const limits = ['pid_max', 'threads-max'].map((name) => wholeNumber(read('sys', 'kernel', name), name));
  return { count: wholeNumber(count, '/proc/loadavg'), most: Math.min(...limits) };
}
