import { systemClock } from '../clock.js';

/** What Node calls requests that a thread of its own carries out: to the file system, and to the resolver. */
const threadRequests: ReadonlySet<string> = new Set(['FSReqCallback', 'FSReqPromise', 'GetAddrInfoReqWrap']);
const patienceMs = 500;
const pollMs = 10;

function isHeldUp(): boolean {
  return process.getActiveResourcesInfo().some((name) => threadRequests.has(name));
}

/**
 * Ends this process after an orderly end of its work. Node waits for its threads first, for ever where one waits for a file server that is away:
 * what is not back soon is left behind by way of a signal, SIGTERM where all went well, which service managers take for a clean end, too.
 */
export async function endProcess(exitCode: number): Promise<never> {
  for (let waitedMs = 0; isHeldUp() && waitedMs < patienceMs; waitedMs += pollMs) await systemClock.sleep(pollMs);
  if (isHeldUp()) {
    const signal = exitCode === 0 ? 'SIGTERM' : 'SIGKILL';
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  process.exit(exitCode);
}
