import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';

/** Where the kernel does not tell of changes. */
const pollMs = 1000;
/** Where it does: a directory in the place of one that was moved away is not watched. Each look at a quiet host costs more CPU than its calls. */
const rarePollMs = 5000;

/** The files that ask for a mode, as a string that changes when one comes or goes. */
function requestsIn(runDir: string): string {
  return ['drain', 'stop', 'force-stop'].filter((name) => existsSync(join(runDir, name))).join(' ');
}

/**
 * Calls `onChange` when a request comes or goes, until `signal` aborts. At once where the kernel tells of changes, as not every
 * file system has it; within a second elsewhere.
 */
export async function watchRunDirectory(
  runDir: string,
  clock: Clock,
  signal: AbortSignal,
  onChange: () => void,
): Promise<void> {
  let sooner = new AbortController();
  const watcher = openWatcher(runDir, () => {
    sooner.abort();
  });
  let wake = AbortSignal.any([signal, sooner.signal]);
  let last = requestsIn(runDir);
  while (!signal.aborted) {
    await clock.sleep(watcher?.works() === true ? rarePollMs : pollMs, wake);
    if (wake.aborted) {
      sooner = new AbortController();
      wake = AbortSignal.any([signal, sooner.signal]);
    }
    const now = requestsIn(runDir);
    if (now !== last) onChange();
    last = now;
  }
  watcher?.close();
}

interface Watcher {
  works(): boolean;
  close(): void;
}

function openWatcher(runDir: string, onHint: () => void): Watcher | undefined {
  let works = true;
  try {
    const watcher = watch(runDir, { persistent: false }, (_event, name) => {
      // Our own status file changes all the time.
      if (name === 'drain' || name === 'stop' || name === 'force-stop') onHint();
    });
    watcher.on('error', () => {
      works = false;
      watcher.close();
    });
    return {
      works: () => works,
      close: () => {
        watcher.close();
      },
    };
  } catch {
    return undefined;
  }
}
