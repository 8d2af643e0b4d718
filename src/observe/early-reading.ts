import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { readDaemonCpu, type ServiceReading } from './daemon-cpu.js';
import { parseProcStat, type CpuTicks } from './proc-stat.js';

/** The counters of the host before anything is known of pilots. */
export interface EarlyReading {
  readonly monoMs: number;
  readonly host: CpuTicks;
  /** What this process had used by then. */
  readonly service: ServiceReading;
}

/**
 * Reads the host while the daemon is still being loaded, so that it knows how busy the host is as soon as it can ask for pilots. Undefined
 * where there is nothing to read. Synchronous; never throws.
 */
export function readEarly(clock: Clock, procRoot: string): EarlyReading | undefined {
  try {
    const host = parseProcStat(readFileSync(join(procRoot, 'stat'), 'utf8'));
    return { host, service: readDaemonCpu(procRoot), monoMs: clock.now().monoMs };
  } catch {
    return undefined;
  }
}
