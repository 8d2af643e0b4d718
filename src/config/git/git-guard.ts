import { GitFailure, type GitClient } from './git-client.js';
import { ACCEPTED, type GitRepository } from './git-repository.js';
import { ConfigSourceError } from '../source.js';

/** A step from the commit that is checked out to another one. */
export interface CheckOutStep {
  readonly confDir: string;
  readonly from: string;
  readonly to: string;
  /** The branch of `origin` that `to` came from. */
  readonly branch: string;
}

function listed(files: readonly string[]): string {
  const shown = files.slice(0, 5).map((file) => JSON.stringify(file));
  return shown.join(', ') + (files.length > 5 ? ` and ${files.length - 5} more` : '');
}

/** Whether the commit that is checked out came from the server at some time, so that leaving it loses nothing. */
async function isFromServer(git: GitClient, repository: GitRepository, step: CheckOutStep, signal?: AbortSignal) {
  const { from, to, branch } = step;
  for (const name of [ACCEPTED, `refs/remotes/origin/${branch}`]) {
    if (from === (await repository.resolve(name, signal))) return true;
  }
  try {
    await git.run(['merge-base', '--is-ancestor', from, to], signal);
    return true;
  } catch (error) {
    if (error instanceof GitFailure && error.kind === 'failed') return false;
    throw error;
  }
}

/** Rejects with a `ConfigSourceError` of kind `rejected` when the step would lose what a person did in the clone. */
export async function protectWork(
  git: GitClient,
  repository: GitRepository,
  step: CheckOutStep,
  signal?: AbortSignal,
): Promise<void> {
  const { confDir, from, to } = step;
  const refuse = (why: string, cure: string) =>
    new ConfigSourceError('rejected', `Commit ${to.slice(0, 12)} is not put in place: ${why}; ${cure}.`, to);
  const edits = await repository.edits(signal);
  if (edits.length > 0) {
    const cure = `commit and push the edits, or drop them with "git -C ${confDir} reset --hard"`;
    throw refuse(`files in ${confDir} were edited by hand (${listed(edits)})`, cure);
  }
  if (!(await isFromServer(git, repository, step, signal))) {
    const cure = `push it, or drop it with "git -C ${confDir} reset --hard ${to.slice(0, 12)}"`;
    throw refuse(`${confDir} holds commit ${from.slice(0, 12)}, which never came from the server`, cure);
  }
  try {
    // A rehearsal: it finds untracked files that are in the way.
    await git.run(['read-tree', '-n', '-m', '-u', from, to], signal);
  } catch (error) {
    if (error instanceof GitFailure && error.kind === 'failed') throw refuse(error.message, 'move that file away');
    throw error;
  }
}
