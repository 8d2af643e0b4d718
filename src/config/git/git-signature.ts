import type { GitClient } from './git-client.js';
import { tagsAt } from './git-tags.js';
import type { Signature, TrustedKeys } from '../signature.js';

const UNKNOWN_CURE = 'add that key to config_keys in the policy of this host, or sign with one that is there';

const UNKNOWN = `it is signed by a key that this host does not know; ${UNKNOWN_CURE}`;
const CHANGED = 'its signature is not of this content: it was changed after it was signed; sign it again';

// What gpg tells by its status lines, worst first; the last word of a line may be the name of the key, so only the beginning counts.
const PGP_PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/^BADSIG /m, CHANGED],
  [/^REVKEYSIG /m, 'the key that signed it was revoked; sign it with another one'],
  [
    /^EXPKEYSIG /m,
    'the key that signed it has expired; renew it in config_keys of the policy, or sign with another one',
  ],
  [/^EXPSIG /m, 'its signature has expired; sign it again'],
  [/^(ERRSIG|NO_PUBKEY) /m, UNKNOWN],
];

// What ssh-keygen tells, the most telling first: where it finds nobody it goes on and calls the signature good, of an unknown key.
const SSH_PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/incorrect signature/, CHANGED],
  [/key has expired: |not yet valid: /, `the key that signed it was not valid at that time; ${UNKNOWN_CURE}`],
  [/key is not permitted/, `the key that signed it may not sign for git; ${UNKNOWN_CURE}`],
  [/No principal matched|^Good "git" signature /m, UNKNOWN],
];

/** Reads what `git verify-commit --raw` and `git verify-tag --raw` tell. */
export function judgeSignature(exitCode: number, told: string, keys: TrustedKeys): Signature | undefined {
  const missing = /cannot run (gpg|ssh-keygen)/.exec(told)?.[1];
  if (missing !== undefined) {
    const cure = `install ${missing === 'gpg' ? 'gnupg' : 'openssh-client'} on this host`;
    return { problem: `its signature cannot be checked, since there is no ${missing}; ${cure}` };
  }
  const status = [...told.matchAll(/^\[GNUPG:\] (.*)$/gm)].map(([, line = '']) => line);
  if (status.length > 0) return judgePgp(exitCode, status, keys);
  return told.trim() === '' || told.includes('no signature found') ? undefined : judgeSsh(exitCode, told);
}

function judgeSsh(exitCode: number, told: string): Signature {
  const [, signer, fingerprint] = /^Good "git" signature for (.+) with \S+ key (SHA256:\S+)$/m.exec(told) ?? [];
  if (exitCode === 0 && signer !== undefined && fingerprint !== undefined) return { by: `${signer} (${fingerprint})` };
  const known = SSH_PROBLEMS.find(([pattern]) => pattern.test(told))?.[1];
  return { problem: known ?? `its signature cannot be checked (${told.trim().split('\n', 1).join('').slice(0, 200)})` };
}

function judgePgp(exitCode: number, status: readonly string[], keys: TrustedKeys): Signature {
  const text = status.join('\n');
  const found = PGP_PROBLEMS.find(([pattern]) => pattern.test(text))?.[1];
  if (found !== undefined) return { problem: found };
  const valid = status.filter((line) => line.startsWith('VALIDSIG ')).map((line) => line.split(' ').at(-1));
  const isOne = valid.length === 1 && status.filter((line) => line.startsWith('GOODSIG ')).length === 1;
  // The primary key: what signs may be a subkey of it.
  const key = keys.list.find(({ kind, fingerprint }) => kind === 'gpg' && fingerprint === valid[0]);
  if (exitCode === 0 && isOne && key !== undefined) return { by: `${key.name} (${key.fingerprint})` };
  return { problem: UNKNOWN };
}

/** Who signed a commit, or an annotated tag that points at it. The keys were written where git looks for them. */
export async function signatureOf(
  git: GitClient,
  commit: string,
  keys: TrustedKeys,
  signal?: AbortSignal,
): Promise<Signature> {
  const verify = async (kind: 'commit' | 'tag', name: string) => {
    const { exitCode, told } = await git.inspect([`verify-${kind}`, '--raw', name], signal);
    return judgeSignature(exitCode, told, keys);
  };
  let first = await verify('commit', commit);
  if (first !== undefined && 'by' in first) return first;
  for (const { ref, name } of await tagsAt(git, commit, signal)) {
    const judged = await verify('tag', ref);
    if (judged === undefined) continue;
    if ('by' in judged) return { by: `${judged.by}, in the tag ${name}` };
    first ??= { problem: `the tag ${name} does not vouch for it: ${judged.problem}` };
  }
  const cure = 'sign the commit (git commit -S), or push a signed tag for it (git tag -s)';
  return first ?? { problem: `it is not signed; ${cure}` };
}
