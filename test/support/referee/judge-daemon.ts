import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonProcess } from './processes.js';
import type { Blame } from './sightings.js';

export interface DaemonLimits {
  readonly descriptors: number;
  readonly sockets: number;
  readonly threads: number;
}

/** What no daemon of this size needs more of. */
export const usualLimits: DaemonLimits = { descriptors: 120, sockets: 60, threads: 32 };

/** P8 and P12: how many daemons there are, and what each takes of the host. */
export function judgeDaemons(daemons: readonly DaemonProcess[], limits: DaemonLimits, blame: Blame): void {
  if (daemons.length > 1) blame('P8 writer', `daemons at once: ${daemons.map(({ pid }) => pid).join(' ')}`);
  for (const daemon of daemons) {
    for (const what of ['descriptors', 'sockets', 'threads'] as const) {
      if (daemon[what] > limits[what])
        blame('P12 bounds', `daemon ${daemon.pid} has more than ${limits[what]} ${what}`);
    }
  }
}

/** P11: none of the secrets is on a command line. They are not repeated here. */
export function judgeCommandLines(lines: readonly string[], secrets: readonly string[], blame: Blame): void {
  for (const line of lines) {
    const index = secrets.findIndex((secret) => line.includes(secret));
    if (index >= 0) blame('P11 secret', `secret ${index + 1} is in the command line of ${line.split(' ')[0] ?? ''}`);
  }
}

/** P11: none of the secrets is in a file, or in what is below a folder. */
export function judgeOutputs(paths: readonly string[], secrets: readonly string[], blame: Blame): void {
  for (const file of paths.flatMap(filesBelow)) {
    const text = readFileSync(file, 'utf8');
    const index = secrets.findIndex((secret) => text.includes(secret));
    if (index >= 0) blame('P11 secret', `secret ${index + 1} is in ${file}`);
  }
}

function filesBelow(path: string): readonly string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return [path];
  if (stats?.isDirectory() !== true) return [];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}
