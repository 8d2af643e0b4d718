import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';

export const MACHINE_ID_FILE = '/etc/machine-id';

/**
 * The name of this Plancton among all on the engine: it goes on every pilot. Made from the machine and the run directory, so that
 * the same daemon finds its pilots again whatever files were lost, and another run directory is another instance.
 */
export async function readInstance(runDir: string, machineIdFile: string, hostname: string): Promise<string> {
  const machine = await readFile(machineIdFile, 'utf8').catch(() => '');
  const place = await realpath(runDir).catch(() => runDir);
  const identity = `${machine.trim() === '' ? hostname : machine.trim()}\n${place}`;
  return createHash('sha256').update(identity).digest('hex').slice(0, 12);
}
