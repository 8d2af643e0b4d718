import { systemClock } from '../clock.js';

/** What Node calls requests that a thread of its own carries out: to the file system, and to the resolver. */
const threadRequests: ReadonlySet<string> = new Set(['FSReqCallback', 'FSReqPromise', 'GetAddrInfoReqWrap']);
const patienceMs = 500;
const pollMs = 10;

function isHeldUp(): boolean {
  return process.getActiveResourcesInfo().some((name) => threadRequests.has(name));
}

/**
 * Ends this process. Node waits for its threads first, for ever where one waits for a file server that is away: then a signal ends it. After an
 * orderly end that is SIGTERM, which service managers take for one, too.
 */
export function endProcess(exitCode: number): never {
  if (isHeldUp()) {
    const signal = exitCode === 0 ? 'SIGTERM' : 'SIGKILL';
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  process.exit(exitCode);
}

/** The same, after a little time for what is under way in threads. */
export async function endProcessSoon(exitCode: number): Promise<never> {
  for (let waitedMs = 0; isHeldUp() && waitedMs < patienceMs; waitedMs += pollMs) await systemClock.sleep(pollMs);
  return endProcess(exitCode);
}
