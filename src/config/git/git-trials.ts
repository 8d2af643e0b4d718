import { isDeepStrictEqual } from 'node:util';
import type { GitClient } from './git-client.js';
import type { GitRepository } from './git-repository.js';
import type { GitWriter } from './git-writer.js';
import type { ConfigRevision, TrialRecord } from '../source.js';

/** The commit that was proven last; the ref also keeps git from clearing it away. */
const PROVEN = 'refs/plancton/proven';
/** The commit that was condemned last; its reflog says why. */
const CONDEMNED = 'refs/plancton/condemned';
/** A sentence, not a log. */
const MOST_WORDS = 600;

export interface GitTrialsOptions {
  readonly git: GitClient;
  readonly repository: GitRepository;
  readonly writer: GitWriter;
}

/** Remembers trials in refs of the clone. Rejects with `GitFailure` or `ConfigSourceError`. */
export function createGitTrials({ git, repository, writer }: GitTrialsOptions): TrialRecord {
  async function recall(ref: string, signal?: AbortSignal): Promise<ConfigRevision | undefined> {
    const commit = await repository.resolve(ref, signal);
    return commit === undefined ? undefined : repository.commit(commit, signal);
  }

  /** Edits by hand cannot be had again: nothing is remembered of a revision that is more than its commit and the files beside it. */
  async function mark(ref: string, revision: ConfigRevision, why: string): Promise<void> {
    const commit = await repository.resolve(revision.id.replace(/\+local$/, ''));
    if (commit === undefined || !isDeepStrictEqual(await repository.commit(commit), revision)) return;
    await writer.mark(ref, commit, why.replace(/\s+/g, ' ').slice(0, MOST_WORDS));
  }

  return {
    proven: (signal) => recall(PROVEN, signal),
    condemned: async (signal) => {
      const revision = await recall(CONDEMNED, signal);
      if (revision === undefined) return undefined;
      const why = (
        await git.run(['log', '--walk-reflogs', '-1', '--no-show-signature', '--format=%gs', CONDEMNED], signal)
      ).trim();
      return { revision, why: why === '' ? 'its pilots failed' : why };
    },
    prove: (revision) => mark(PROVEN, revision, 'its pilots work'),
    condemn: ({ revision, why }) => mark(CONDEMNED, revision, why),
  };
}
