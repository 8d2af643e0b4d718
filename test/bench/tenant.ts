import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { cpuSecondsOf } from './measure.js';

/** Others who compute on this host, outside of any container. */
export interface Tenant {
  /** CPU seconds they have had so far. */
  cpuSeconds(): number;
  stop(): void;
}

/** Works for `share` of every tenth of a second. */
const workText = `
const share = Number(process.argv[1]);
(function work() {
  const end = performance.now() + 100 * share;
  while (performance.now() < end);
  setTimeout(work, 100 * (1 - share));
})();`;

/** Starts this many processes that each want `share` of a CPU. Gone when the bench has ended, however it ends. */
export function startTenant(processes: number, share = 1): Tenant {
  const argv = ['--pdeathsig', 'KILL', process.execPath, '-e', workText, String(share)];
  const children = Array.from({ length: processes }, () => spawn('setpriv', argv, { stdio: 'ignore' }));
  const stop = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  onTestFinished(stop);
  return {
    cpuSeconds: () => children.reduce((sum, { pid = 0 }) => sum + cpuSecondsOf(pid), 0),
    stop,
  };
}
