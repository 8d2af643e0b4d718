import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectCgroupTree, readCpuNs } from './cgroup-tree.js';
import { counterGain } from './counter.js';

/** CPU time in ns used so far by what serves the pilots; by source. A source that is not there has no entry. */
export type ServiceReading = ReadonlyMap<string, number>;

export interface ServiceCpuOptions {
  readonly procRoot: string;
  readonly cgroupRoot: string;
  /** Control groups to count as ours, relative to the root of the tree (version 1: of the cpuacct tree). */
  readonly ownCgroups: () => readonly string[];
}

/** Reads the CPU of this process, of its children that have ended, and of the groups named as ours. Synchronous. */
export function createServiceCpu({ procRoot, cgroupRoot, ownCgroups }: ServiceCpuOptions): () => ServiceReading {
  const tree = detectCgroupTree(cgroupRoot);
  return () => {
    const used = new Map(readDaemonCpu(procRoot));
    for (const path of ownCgroups().filter(staysInTree)) {
      const group = readCpuNs(tree, path);
      if (group !== undefined) used.set(`group ${path}`, group);
    }
    return used;
  };
}

/** The CPU of this process and of its children that have ended. Synchronous. */
export function readDaemonCpu(procRoot: string): ServiceReading {
  const used = readDaemonCpuNs(procRoot);
  return new Map(used === undefined ? [] : [['daemon', used]]);
}

/** CPU time in ns between two readings; undefined when a counter fell, or is in one of them only. */
export function serviceCpuNs(before: ServiceReading, after: ServiceReading): number | undefined {
  let sum = 0;
  for (const source of new Set([...before.keys(), ...after.keys()])) {
    const gain = counterGain(before.get(source), after.get(source));
    if (gain === undefined) return undefined;
    sum += gain;
  }
  return sum;
}

// What the kernel tells user space is in hundredths of a second on every architecture that Node runs on.
const nsPerTick = 10_000_000;

function readDaemonCpuNs(procRoot: string): number | undefined {
  try {
    const text = readFileSync(join(procRoot, 'self', 'stat'), 'utf8');
    // The name in parentheses may hold anything; utime is the 12th field after it, then stime, cutime, cstime.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).map(Number);
    const sum = ticks.reduce((total, tick) => total + tick, 0);
    return ticks.length === 4 && Number.isFinite(sum) ? sum * nsPerTick : undefined;
  } catch {
    return undefined;
  }
}

function staysInTree(path: string): boolean {
  return !path.split('/').includes('..');
}
