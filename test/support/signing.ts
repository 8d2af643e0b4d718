import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Somebody with a key; `options` make a git command sign with it. */
export interface Signer {
  readonly options: readonly string[];
  /** A file with the public key. */
  readonly publicFile: string;
  readonly env?: Record<string, string>;
}

/** An SSH key of its own in `dir`. */
export async function createSshSigner(dir: string, name: string): Promise<Signer> {
  const file = join(dir, `${name}.key`);
  await execFileAsync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `${name}@site.org`, '-f', file]);
  const options = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${file}`];
  return { options, publicFile: `${file}.pub` };
}

interface GpgSigner extends Signer {
  /** Ends the key's validity: `publicFile` says so from then on. Who stole the key can go on signing with it. */
  revoke(): Promise<void>;
}

/** A GPG key in a home of its own. `expires`: as gpg takes it. `at`: a time for gpg to pretend, as `20260101T000000`. */
export async function createGpgSigner(dir: string, name: string, expires = 'never', at?: string): Promise<GpgSigner> {
  // The path of the agent's socket must be short.
  const home = join(dir, name);
  await mkdir(home, { mode: 0o700 });
  const gpgIn = async (folder: string, ...args: string[]) => {
    const fixed = [
      '--homedir',
      folder,
      '--batch',
      '--quiet',
      '--no-tty',
      '--pinentry-mode',
      'loopback',
      '--passphrase',
      '',
    ];
    return (await execFileAsync('gpg', [...fixed, ...args], { maxBuffer: 1024 * 1024 })).stdout;
  };
  const gpg = (...args: string[]) => gpgIn(home, ...args);
  const user = `${name} <${name}@site.org>`;
  const then = at === undefined ? [] : ['--faked-system-time', at];
  await gpg(...then, '--quick-generate-key', user, 'ed25519', 'sign', expires);
  const publicFile = join(dir, `${name}.asc`);
  await writeFile(publicFile, await gpg('--armor', '--export', user));
  if (at !== undefined) await appendFile(join(home, 'gpg.conf'), `faked-system-time ${at}\n`);
  const listing = await gpg('--with-colons', '--list-keys', user);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? '';
  return {
    options: ['-c', `user.signingKey=${fingerprint}`],
    publicFile,
    env: { GNUPGHOME: home },
    revoke: async () => {
      const text = await readFile(join(home, 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8');
      const certificate = join(home, 'revoked.asc');
      // The colon keeps people from importing it by mistake.
      await writeFile(certificate, text.replace(/^:(?=-----BEGIN)/m, ''));
      const others = join(home, 'others');
      await mkdir(others, { mode: 0o700 });
      await gpgIn(others, '--import', publicFile, certificate);
      await writeFile(publicFile, await gpgIn(others, '--armor', '--export', user));
    },
  };
}

/** Ends the agents that gpg started for the keys below `dir`. */
export async function endGpgAgents(homes: readonly string[]): Promise<void> {
  for (const home of homes) await execFileAsync('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => undefined);
}
