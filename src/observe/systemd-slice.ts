import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs `systemctl` with these arguments and gives what it printed; rejects when it fails or takes too long. */
export type Systemctl = (args: readonly string[]) => Promise<string>;

/** The real thing: no shell, no questions, ten seconds. */
export async function runSystemctl(args: readonly string[]): Promise<string> {
  const options = { timeout: 10_000, killSignal: 'SIGKILL', maxBuffer: 65_536 } as const;
  const { stdout } = await promisify(execFile)('systemctl', ['--no-ask-password', ...args], options);
  return stdout;
}

/** Starts a slice, so that it is there before the first pilot, and tells its place in the tree of control groups. */
export async function startSlice(systemctl: Systemctl, slice: string): Promise<string> {
  await systemctl(['start', slice]);
  const path = (await systemctl(['show', '--property=ControlGroup', '--value', slice])).trim();
  if (!path.startsWith('/')) throw new Error(`systemd has no control group for ${slice}`);
  return path.slice(1);
}

/** Has the CPU time of a slice counted, until the next boot. With version 1 systemd does so on request only. */
export async function accountSlice(systemctl: Systemctl, slice: string): Promise<void> {
  await systemctl(['set-property', '--runtime', slice, 'CPUAccounting=yes']);
}

/** Gives a slice the lowest CPU weight or the default one, until the next boot. */
export async function weighSlice(systemctl: Systemctl, slice: string, version: 1 | 2, lowest: boolean): Promise<void> {
  const set = (property: string) => systemctl(['set-property', '--runtime', slice, property]);
  if (version === 1) {
    await set(lowest ? 'CPUShares=2' : 'CPUShares=1024');
    return;
  }
  if (!lowest) {
    await set('CPUWeight=100');
    return;
  }
  // `idle` is stronger, but older kernels and older systemd do not know it.
  await set('CPUWeight=idle').catch(() => set('CPUWeight=1'));
}

/** Gives a slice the lowest weight for disks or the default one, until the next boot, if the host has such weights. */
export async function weighSliceForDisks(systemctl: Systemctl, slice: string, lowest: boolean): Promise<void> {
  const set = (property: string) => systemctl(['set-property', '--runtime', slice, property]);
  await set(lowest ? 'IOWeight=1' : 'IOWeight=100')
    // Before version 230.
    .catch(() => set(lowest ? 'BlockIOWeight=10' : 'BlockIOWeight=500'))
    .catch(() => undefined);
}
