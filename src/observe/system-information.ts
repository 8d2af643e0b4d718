import { currentLoad, mem } from 'systeminformation';
import type { Clock } from '../clock.js';
import { withDeadline } from './deadline.js';

/** How the CPUs were used since the previous call, in ms of CPU time. */
export interface LoadGain {
  readonly cpus: number;
  readonly busyMs: number;
  readonly idleMs: number;
}

const deadlineMs = 10_000;

/**
 * The load since the previous call anywhere in this process; the first call averages since boot, and a call within
 * 200 ms gets the previous answer. Rejects after ten seconds. Blocks for some 25 ms on Linux (it starts processes).
 */
export async function readLoad(clock: Clock): Promise<LoadGain> {
  const load = await withDeadline(clock, deadlineMs, 'reading the CPU load', currentLoad());
  // Its totals are of no use: they count guest time twice and mix ticks of steal with milliseconds.
  const busyMs =
    load.rawCurrentLoadUser +
    load.rawCurrentLoadNice +
    load.rawCurrentLoadSystem +
    load.rawCurrentLoadIrq +
    load.rawCurrentLoadSteal * 10;
  return { cpus: load.cpus.length, busyMs, idleMs: load.rawCurrentLoadIdle };
}

/** Memory of the host, in bytes. */
export interface HostMemory {
  readonly ramBytes: number;
  readonly swapBytes: number;
  /** What can be had without swapping: free, or cache that can be dropped. */
  readonly availableBytes: number;
}

/** Installed memory and swap, and what of it is to be had. Rejects after ten seconds. */
export async function readMemory(clock: Clock): Promise<HostMemory> {
  const memory = await withDeadline(clock, deadlineMs, 'reading the memory of the host', mem());
  return { ramBytes: memory.total, swapBytes: memory.swaptotal, availableBytes: memory.available };
}
