import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrustedKeys } from '../signature.js';

/** What ssh-keygen reads; in the folder of git's settings. */
export function allowedSignersFile(folder: string): string {
  return join(folder, 'allowed_signers');
}

/** The private home of gpg; in the folder of git's settings. */
export function gnupgFolder(folder: string): string {
  return join(folder, 'gnupg');
}

// A clock that is not set yet must not make a good key one from the future.
// It looks nowhere but into the one keyring, asks nobody, starts no agent, and believes every key in it, since the host named each of them.
const gpgOptions = [
  'batch',
  'no-tty',
  'no-autostart',
  'no-auto-key-retrieve',
  'no-auto-check-trustdb',
  'no-permission-warning',
  'no-random-seed-file',
  'ignore-time-conflict',
  'lock-never',
  'trust-model always',
  'no-default-keyring',
];

/** Writes the keys for the programs that check signatures, in place of all that were there. Rejects when the folder cannot be written. */
export async function writeKeys(folder: string, keys: TrustedKeys): Promise<void> {
  const home = gnupgFolder(folder);
  const ring = join(home, 'trusted.gpg');
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(ring, keys.pgpRing, { mode: 0o600 });
  await writeFile(join(home, 'gpg.conf'), [...gpgOptions, `keyring ${ring}`, ''].join('\n'), { mode: 0o600 });
  await writeFile(allowedSignersFile(folder), keys.allowedSigners, { mode: 0o600 });
}
