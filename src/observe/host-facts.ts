import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { HostFacts } from '../model.js';
import { parseProcStat } from './proc-stat.js';
import { readMemory } from './system-information.js';

/** What does not change while the daemon runs. Never rejects: what cannot be read is replaced by what Node knows. */
export async function readHostFacts(options: { readonly clock: Clock; readonly procRoot: string }): Promise<HostFacts> {
  const { clock, procRoot } = options;
  const memory = await readMemory(clock).catch(() => undefined);
  return {
    hostname: hostname(),
    ncpus: await countCpus(procRoot),
    ramBytes: memory !== undefined && memory.ramBytes > 0 ? memory.ramBytes : totalmem(),
    swapBytes: memory?.swapBytes ?? 0,
    bootId: await readBootId(procRoot),
  };
}

async function countCpus(procRoot: string): Promise<number> {
  try {
    return parseProcStat(await readFile(join(procRoot, 'stat'), 'utf8')).cpus;
  } catch {
    return cpus().length || availableParallelism();
  }
}

async function readBootId(procRoot: string): Promise<string> {
  const file = join(procRoot, 'sys', 'kernel', 'random', 'boot_id');
  const text = await readFile(file, 'utf8').catch(() => '');
  // A name that no pilot carries: their age is then taken from the wall clock.
  return text.trim() || randomUUID();
}
