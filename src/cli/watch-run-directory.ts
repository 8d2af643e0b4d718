import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';

const pollMs = 1000;

/** The files that ask for a mode, as a string that changes when one comes or goes. */
function requestsIn(runDir: string): string {
  return ['drain', 'stop', 'force-stop'].filter((name) => existsSync(join(runDir, name))).join(' ');
}

/**
 * Calls `onChange` when a request comes or goes, until `signal` aborts. Looks every second; the kernel's
 * notification only makes it sooner, as not every file system has it.
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
    await clock.sleep(pollMs, wake);
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

function openWatcher(runDir: string, onHint: () => void): { close(): void } | undefined {
  try {
    const watcher = watch(runDir, { persistent: false }, (_event, name) => {
      // Our own status file changes all the time.
      if (name === 'drain' || name === 'stop' || name === 'force-stop') onHint();
    });
    watcher.on('error', () => {
      watcher.close();
    });
    return watcher;
  } catch {
    return undefined;
  }
}
