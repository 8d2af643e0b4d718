import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tempDirectory } from '../support/temp-directory.js';
import { waitFor } from './measure.js';

/** Looks into the heap of a daemon. */
export interface HeapProbe {
  /** What the daemon has to be started with. */
  readonly env: Readonly<Record<string, string>>;
  /** MB that are in use after garbage was collected. */
  heapMbOf(pid: number): Promise<number>;
}

export function heapProbe(): HeapProbe {
  const file = join(tempDirectory(), 'heap');
  return {
    env: { NODE_OPTIONS: `--require ${join(import.meta.dirname, 'heap-probe.cjs')}`, HEAP_PROBE_FILE: file },
    heapMbOf: async (pid) => {
      rmSync(file, { force: true });
      process.kill(pid, 'SIGWINCH');
      await waitFor('the daemon tells its heap', 30_000, () => existsSync(file) && readFileSync(file, 'utf8') !== '');
      return Number(readFileSync(file, 'utf8')) / 2 ** 20;
    },
  };
}
