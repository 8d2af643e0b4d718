import type { GitClient } from './git-client.js';
import { GitFailure } from './git-client.js';
import { ACCEPTED, type GitRepository } from './git-repository.js';

/** Clocks differ; a commit from further ahead would make every later one look old. */
const MAX_AHEAD_S = 86_400;

interface CommitHeader {
  readonly parents: readonly string[];
  /** Of the committer, seconds since 1970. */
  readonly committedS: number;
}

/** From the commit itself, which names its parents even where the clone does not have them. */
async function headerOf(git: GitClient, commit: string, signal?: AbortSignal): Promise<CommitHeader> {
  const text = await git.run(['cat-file', 'commit', commit], signal);
  const [header = ''] = text.split('\n\n', 1);
  const parents = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id = '']) => id);
  const committedS = Number(/^committer .*> (\d+) [+-]\d+$/m.exec(header)?.[1] ?? 0);
  return { parents, committedS };
}

async function isAncestor(git: GitClient, older: string, newer: string, signal?: AbortSignal): Promise<boolean> {
  const { exitCode, told } = await git.inspect(['merge-base', '--is-ancestor', older, newer], signal);
  if (exitCode > 1) throw new GitFailure('failed', told.trim(), exitCode);
  return exitCode === 0;
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/**
 * What is wrong with the age of a commit that would take the place of the one in force; undefined: nothing. A commit that follows the one in
 * force is newer. Where the history is too short to tell, the dates of the committers decide, which a signature covers.
 */
export async function ageProblem(
  git: GitClient,
  repository: GitRepository,
  commit: string,
  nowWallMs: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { parents, committedS } = await headerOf(git, commit, signal);
  const cure = 'commit what is wanted anew, on top of the branch';
  if (committedS > nowWallMs / 1000 + MAX_AHEAD_S) {
    return `it is dated ${day(committedS)}, which is in the future: set the clocks of this host and of whoever made it, and commit it again`;
  }
  for (const name of ['HEAD', ACCEPTED]) {
    const inForce = await repository.resolve(name, signal);
    if (inForce === undefined || inForce === commit || parents.includes(inForce)) continue;
    if (await isAncestor(git, inForce, commit, signal)) continue;
    const before = await headerOf(git, inForce, signal);
    if (committedS >= before.committedS && !(await isAncestor(git, commit, inForce, signal))) continue;
    const dates = `${day(committedS)}, and ${inForce.slice(0, 12)} is of ${day(before.committedS)}`;
    return `it is older than the revision in force (it is of ${dates}), as if somebody served an old state again: ${cure}`;
  }
  return undefined;
}
