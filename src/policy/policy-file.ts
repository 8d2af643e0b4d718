import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../config/capped-file.js';
import { formatPolicyProblem, loadPolicy } from './load-policy.js';
import type { Policy } from './policy.js';
import { readTrustedFile } from './trusted-file.js';

const mostBytes = 256 * 1024;

/** The policy in force, or a sentence that says why there is none and what to do; no pilot may be started then. */
export type PolicyState = { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly why: string };

/** The policy of this host. */
export interface HostPolicy {
  readonly file: string;
  /** Reads the file again if it was changed. Never rejects. */
  read(): Promise<PolicyState>;
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

/** Reads the policy anew. `uid`: of the daemon. Never rejects. */
export async function readPolicyFile(file: string, uid: number): Promise<PolicyState> {
  try {
    const read = await readTrustedFile(file, uid, mostBytes);
    if (typeof read === 'string') return broken(file, read);
    const text = read.toString('utf8');
    const verdict = loadPolicy({ file, text });
    if (verdict.ok) return verdict;
    const problems = verdict.problems.map((problem) => formatPolicyProblem(problem, text));
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
