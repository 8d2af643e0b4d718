import { constants, type Stats } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../config/capped-file.js';
import { formatPolicyProblem, loadPolicy } from './load-policy.js';
import type { Policy } from './policy.js';

const mostBytes = 256 * 1024;

/** The policy in force, or a sentence that says why there is none and what to do; no pilot may be started then. */
export type PolicyState = { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly why: string };

/** The policy of this host. */
export interface HostPolicy {
  readonly file: string;
  /** Reads the file again if it was changed. Never rejects. */
  read(): Promise<PolicyState>;
}

/** Whether only root and `uid` may change what has these rights. */
export function isSafe({ uid: owner, mode }: Pick<Stats, 'uid' | 'mode'>, uid: number): boolean {
  return (owner === 0 || owner === uid) && (mode & 0o022) === 0;
}

function broken(file: string, what: string): PolicyState {
  return { ok: false, why: `the policy of this host, ${file}, ${what}: no pilot is started` };
}

function failure(file: string, error: unknown): PolicyState {
  const code = codeOf(error);
  if (code === 'ENOENT') {
    const why = `there is no policy for this host (${file}), so no pilot is started; plancton-bootstrap or \`planctonctl policy init\` writes one`;
    return { ok: false, why };
  }
  return broken(file, code === 'ELOOP' ? 'is a symbolic link; put the file itself there' : `cannot be read (${code})`);
}

/** The text of the file, or why it cannot be trusted. Rejects with the error of the system. */
async function readTrusted(file: string, uid: number): Promise<{ text: string } | { why: PolicyState }> {
  const folder = dirname(file);
  const about = await lstat(folder);
  if (!isSafe(about, uid)) return { why: broken(file, `is in ${folder}, where others than root may write`) };
  // Not blocking: a pipe in its place must not hold us up.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return { why: broken(file, 'is not a file') };
    if (!isSafe(stats, uid)) {
      return { why: broken(file, 'can be changed by others than root; chown root and chmod go-w it') };
    }
    if (stats.size > mostBytes) return { why: broken(file, `holds more than ${mostBytes / 1024} KiB`) };
    return { text: await handle.readFile('utf8') };
  } finally {
    await handle.close();
  }
}

/** Reads the policy anew. `uid`: of the daemon. Never rejects. */
export async function readPolicyFile(file: string, uid: number): Promise<PolicyState> {
  try {
    const read = await readTrusted(file, uid);
    if ('why' in read) return read.why;
    const verdict = loadPolicy({ file, text: read.text });
    if (verdict.ok) return verdict;
    const problems = verdict.problems.map((problem) => formatPolicyProblem(problem, read.text));
    return {
      ok: false,
      why: ['the policy of this host is not valid, so no pilot is started:', ...problems].join('\n'),
    };
  } catch (error) {
    return failure(file, error);
  }
}

async function fingerprint(file: string): Promise<string> {
  const about = await Promise.all(
    [dirname(file), file].map((path) =>
      lstat(path, { bigint: true }).then(
        ({ ino, mode, uid, ctimeNs, size }) => [ino, mode, uid, ctimeNs, size].join(' '),
        codeOf,
      ),
    ),
  );
  return about.join('; ');
}

/** The policy in `file`. `uid`: of the daemon. */
export function createHostPolicy(file: string, uid: number): HostPolicy {
  let known: { readonly print: string; readonly state: PolicyState } | undefined;
  return {
    file,
    async read() {
      const print = await fingerprint(file);
      // Changes within one tick of the file system's clock would pass unseen, if the text were not read after the look.
      if (known?.print !== print) known = { print, state: await readPolicyFile(file, uid) };
      return known.state;
    },
  };
}
