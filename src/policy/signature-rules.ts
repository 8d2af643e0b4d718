import { codeOf } from '../config/capped-file.js';
import { looksLikePgp, readPgpKeys } from '../config/pgp-keys.js';
import type { SignatureRules, TrustedKey, TrustedKeys } from '../config/signature.js';
import { readSshSigner, readSshSigners, type SshSigner } from '../config/ssh-keys.js';
import type { PolicyState } from './policy-file.js';
import type { Policy } from './policy.js';
import { readTrustedFile } from './trusted-file.js';

const mostBytes = 1024 * 1024;

type Found =
  { readonly signers: readonly SshSigner[] } | { readonly keys: readonly TrustedKey[]; readonly ring: Buffer };

/** The keys in one file; a text: a sentence that says why they cannot be used. */
async function readKeyFile(file: string, uid: number): Promise<Found | string> {
  const problem = (what: string) => `the file of keys ${file} ${what}`;
  try {
    const data = await readTrustedFile(file, uid, mostBytes);
    if (typeof data === 'string') return problem(data);
    if (data.length === 0) return problem('is empty');
    if (looksLikePgp(data)) {
      const read = readPgpKeys(data);
      return typeof read === 'string' ? problem(read) : read;
    }
    const signers = readSshSigners(data.toString('utf8'));
    return typeof signers === 'string' ? problem(signers) : { signers };
  } catch (error) {
    const code = codeOf(error);
    return problem(code === 'ELOOP' ? 'is a symbolic link; name the file itself' : `cannot be read (${code})`);
  }
}

/** All keys that a policy names; a text: why they cannot be used. One bad file spoils all: it may hold the key that was meant. Never rejects. */
export async function readConfigKeys({ config_keys: entries }: Policy, uid: number): Promise<TrustedKeys | string> {
  const signers: SshSigner[] = [];
  const list: TrustedKey[] = [];
  const rings: Buffer[] = [];
  for (const entry of entries) {
    const signer = readSshSigner(entry);
    const found = signer === undefined ? await readKeyFile(entry, uid) : { signers: [signer] };
    if (typeof found === 'string') return found;
    if ('signers' in found) signers.push(...found.signers);
    else {
      list.push(...found.keys);
      rings.push(found.ring);
    }
  }
  if (signers.length + list.length === 0) return 'config_keys in the policy of this host names no key; name some';
  return {
    list: [...signers.map(({ key }) => key), ...list],
    allowedSigners: signers.map(({ line }) => `${line}\n`).join(''),
    pgpRing: Buffer.concat(rings),
  };
}

/**
 * What this host wants of signatures. Without a policy that can be read that is not known, whether it was never there or was lost.
 * `uid`: of the daemon. `readKeys`: must not reject. Never rejects.
 */
export async function readSignatureRules(
  state: PolicyState,
  uid: number,
  readKeys = readConfigKeys,
): Promise<SignatureRules> {
  if (!state.ok) return { mode: 'unknown', why: state.why };
  const { config_signatures: mode } = state.policy;
  return mode === 'off' ? { mode } : { mode, keys: await readKeys(state.policy, uid) };
}
