import type { Status } from '../../report/status.js';
import { exitCodes } from '../exit-codes.js';
import type { BootstrapContext } from './context.js';

const deadlineMs = 120_000;
const pollMs = 300;

/** What to say about a daemon that has no running pilot yet; the empty text when it has. */
export function progressOf(status: Status | undefined): string {
  if (status === undefined) return 'waiting for the first look at the host';
  if (status.pilots.some(({ state }) => state === 'running')) return '';
  if (status.trouble !== undefined) return status.trouble;
  // A pull of an image that is there is no reason to wait.
  if (status.image.pulling !== undefined && typeof status.image.id !== 'string')
    return `fetching the image ${status.image.pulling}`;
  const [hold] = status.holds;
  return hold === undefined ? 'waiting for the first pilot' : `no pilot yet: ${hold.text}`;
}

/** Waits until a pilot runs and says meanwhile what it waits for. Returns the exit code: 75 when none came in time. */
export async function waitForPilots(
  context: Pick<BootstrapContext, 'clock' | 'out' | 'err' | 'readStatus'>,
  runDir: string,
): Promise<number> {
  const endMs = context.clock.now().monoMs + deadlineMs;
  let said = '';
  for (;;) {
    const status = context.readStatus(runDir);
    const progress = progressOf(status);
    if (progress === '') {
      context.out(`${status?.pilots.length ?? 0} pilots run`);
      return exitCodes.ok;
    }
    if (progress !== said) context.err(progress);
    said = progress;
    if (context.clock.now().monoMs >= endMs) {
      context.err(`no pilot runs after ${deadlineMs / 1000} s; plancton goes on trying: planctonctl status`);
      return exitCodes.tryLater;
    }
    await context.clock.sleep(pollMs);
  }
}
