import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { MemoryUse, Pressure, Resources, Tasks } from '../model.js';
import { createDiskGauge } from './disk-gauge.js';
import { parseStall } from './pressure-stall.js';
import { readMemory } from './system-information.js';
import { readTasks } from './task-count.js';

export interface ResourceReaderOptions {
  readonly clock: Clock;
  readonly procRoot: string;
  /** Where the engine keeps its data; null = on another host, undefined = not known. */
  readonly dataRoot: () => string | null | undefined;
  /** What our pilots hold; undefined = cannot be told. */
  readonly pilotsBytes: () => number | undefined;
}

/** Reads what pilots need beside CPUs. What it yields never rejects: what cannot be read is undefined. */
export function createResourceReader(options: ResourceReaderOptions): () => Promise<Resources> {
  const { clock, procRoot, dataRoot, pilotsBytes } = options;
  const askDisk = createDiskGauge(clock);
  return async () => {
    const root = dataRoot();
    const [memory, disk] = await Promise.all([
      readMemoryUse(clock, pilotsBytes).catch(() => undefined),
      typeof root === 'string' ? askDisk(root).catch(onlyIfThere) : root,
    ]);
    return { memory, disk, pressure: readPressure(procRoot), tasks: readTaskCount(procRoot) };
  };
}

async function readMemoryUse(clock: Clock, pilotsBytes: () => number | undefined): Promise<MemoryUse> {
  const { availableBytes } = await readMemory(clock);
  return { availableBytes, pilotsBytes: pilotsBytes() ?? 0 };
}

function readPressure(procRoot: string): Pressure | null | undefined {
  try {
    const memory = parseStall(readFileSync(join(procRoot, 'pressure', 'memory'), 'utf8'), 'some');
    const io = parseStall(readFileSync(join(procRoot, 'pressure', 'io'), 'utf8'), 'full');
    return { memorySome10: memory.avg10, memorySome60: memory.avg60, ioFull60: io.avg60 };
  } catch (error) {
    return onlyIfThere(error);
  }
}

function readTaskCount(procRoot: string): Tasks | null | undefined {
  try {
    return readTasks(procRoot);
  } catch (error) {
    return onlyIfThere(error);
  }
}

/** No such file: an engine in a machine of its own, a kernel without these figures. EOPNOTSUPP: a kernel that was told not to take them. */
function onlyIfThere(error: unknown): null | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'EOPNOTSUPP' ? null : undefined;
}
