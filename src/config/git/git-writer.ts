import type { Clock } from '../../clock.js';
import { GitFailure, type GitClient } from './git-client.js';
import { protectWork } from './git-guard.js';
import { createFetch } from './git-fetch.js';
import { lockOf, removeStaleLock } from './git-lock.js';
import { ACCEPTED, ACCEPTING, type GitRepository } from './git-repository.js';
import { refreshTags } from './git-tags.js';
import { ConfigSourceError } from '../source.js';

export interface GitWriterOptions {
  readonly git: GitClient;
  readonly repository: GitRepository;
  readonly confDir: string;
  readonly clock: Clock;
  /** How old a lock must be before it can count as left behind, ms. */
  readonly graceMs: number;
  /** How much git may hold for this clone. */
  readonly maxStoreBytes: number;
}

/** The writing side of a clone. Rejects with `GitFailure` or `ConfigSourceError`. */
export interface GitWriter {
  /** Fetches the branch aside; the tree stays as it is. */
  fetch(branch: string, signal?: AbortSignal): Promise<void>;
  /** Fetches the tags that point at what was fetched, aside as well. */
  fetchTags(signal?: AbortSignal): Promise<void>;
  /** Makes the tree that of a fetched commit, or leaves it as it was. */
  checkOut(commit: string, branch: string | undefined, signal?: AbortSignal): Promise<void>;
  /** Has a ref of ours stand for a commit, with the reason in its reflog. */
  mark(ref: string, commit: string, why: string, signal?: AbortSignal): Promise<void>;
  /** Undoes what a process that was killed while checking out has left. */
  repair(signal?: AbortSignal): Promise<void>;
}

function lockedBy(lock: string, confDir: string): ConfigSourceError {
  const cure = 'if no git runs there, remove that file';
  return new ConfigSourceError('broken', `The git clone ${confDir} is locked by ${lock}: ${cure}.`);
}

async function repair(git: GitClient, repository: GitRepository, signal?: AbortSignal): Promise<void> {
  const arriving = await repository.resolve(ACCEPTING, signal);
  if (arriving === undefined) return;
  // git writes its index after the files. With that of the new commit it knows which of them came from there, and removes those too. The
  // rehearsal found no file of anybody else in their places. What it knows of the other files stays, so that these are not written again.
  await git.run(['read-tree', '--reset', arriving], signal);
  // git moves the branch last, so this is the old commit or, in full, the new one; both were found good.
  await git.run(['reset', '--quiet', '--hard', 'HEAD'], signal);
  if ((await repository.resolve('HEAD', signal)) === arriving)
    await git.run(['update-ref', ACCEPTED, arriving], signal);
  await git.run(['update-ref', '-d', ACCEPTING], signal);
}

/** Only one writer may exist for a clone at a time. */
export function createGitWriter(options: GitWriterOptions): GitWriter {
  const { git, repository, confDir, clock, graceMs } = options;
  const startedWallMs = clock.now().wallMs;

  /** For what takes locks: one that is stale is removed, and the command gets a second chance. */
  async function write(args: readonly string[], signal?: AbortSignal): Promise<string> {
    try {
      return await git.run(args, signal);
    } catch (error) {
      const lock = error instanceof GitFailure ? lockOf(error.message) : undefined;
      if (lock === undefined) throw error;
      const gitDir = (await git.run(['rev-parse', '--absolute-git-dir'], signal)).trimEnd();
      const removed = await removeStaleLock(lock, { gitDir, nowWallMs: clock.now().wallMs, startedWallMs, graceMs });
      if (!removed) throw lockedBy(lock, confDir);
      return await git.run(args, signal);
    }
  }

  const writing = { ...git, run: write };

  async function checkOut(commit: string, branch: string | undefined, signal?: AbortSignal): Promise<void> {
    const head = await repository.resolve('HEAD', signal);
    if (head === undefined || branch === undefined) {
      throw new ConfigSourceError('rejected', `${confDir} follows no branch: check one out.`, commit);
    }
    // Another owner or a copied folder leave times that git takes for edits.
    await write(['update-index', '-q', '--refresh'], signal).catch(() => undefined);
    await protectWork(writing, repository, { confDir, from: head, to: commit, branch }, signal);
    await write(['update-ref', ACCEPTING, commit], signal);
    try {
      await write(['reset', '--quiet', '--hard', commit], signal);
    } catch (error) {
      // Without the signal: it may be the reason why we are here.
      await repair(writing, repository);
      throw error;
    }
    await write(['update-ref', ACCEPTED, commit], signal);
    await write(['update-ref', `refs/remotes/origin/${branch}`, commit], signal);
    await write(['update-ref', '-d', ACCEPTING], signal);
    // Old commits pile up otherwise; whether this works today does not matter.
    await git.run(['gc', '--auto', '--quiet'], signal).catch(() => undefined);
  }

  return {
    fetch: createFetch({ ...options, git: writing }),
    fetchTags: (signal) => refreshTags(writing, repository, signal),
    checkOut,
    mark: async (ref, commit, why, signal) => {
      await write(['update-ref', '--create-reflog', '-m', why, ref, commit], signal);
    },
    repair: (signal) => repair(writing, repository, signal),
  };
}
