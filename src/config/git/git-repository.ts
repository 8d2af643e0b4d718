import { hostFiles, readConfigTree, readLayers } from '../config-tree.js';
import { contentId } from '../directory-source.js';
import { GitFailure, type GitClient } from './git-client.js';
import { readCommit } from './git-tree.js';
import { isBranchName } from './git-url.js';
import { BASE_FILE, HOSTS_FOLDER } from '../layers.js';
import { ConfigSourceError, type ConfigRevision } from '../source.js';

/** What was fetched, before anybody judged it. */
export const CANDIDATE = 'refs/plancton/candidate';
/** Exists while a commit is being checked out; left behind only by a process that was killed meanwhile. */
export const ACCEPTING = 'refs/plancton/accepting';
/** What we put in place last. */
export const ACCEPTED = 'refs/plancton/accepted';

/** The reading side of a clone: nothing here changes it. */
export interface GitRepository {
  /** The commit a name stands for; undefined when there is none. */
  resolve(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** The branch of `origin` that this clone follows; undefined = none: no branch is checked out, or there is no origin. */
  follows(signal?: AbortSignal): Promise<{ readonly url: string; readonly branch: string } | undefined>;
  /** Tracked files that differ from the commit that is checked out. */
  edits(signal?: AbortSignal): Promise<string[]>;
  /** The work tree, edits included. */
  workTree(signal?: AbortSignal): Promise<ConfigRevision>;
  /** A commit; `+local` when files that no commit holds take part. */
  commit(id: string, signal?: AbortSignal): Promise<ConfigRevision>;
}

/** Undefined instead of a failure: for questions whose "no" is an exit code. */
async function answer(git: GitClient, args: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
  try {
    return (await git.run(args, signal)).replace(/\n$/, '') || undefined;
  } catch (error) {
    if (error instanceof GitFailure && error.kind === 'failed' && error.exitCode === 1) return undefined;
    throw error;
  }
}

/** A clone in `confDir`; everything rejects with `GitFailure` or `ConfigSourceError`. */
export function createGitRepository(git: GitClient, confDir: string, hostname: string): GitRepository {
  const tree = { confDir, hostname, followLinks: false };
  const resolve = (name: string, signal?: AbortSignal) =>
    answer(git, ['rev-parse', '--quiet', '--verify', `${name}^{commit}`], signal);

  async function follows(signal?: AbortSignal) {
    const local = await answer(git, ['symbolic-ref', '--quiet', '--short', 'HEAD'], signal);
    const url = await answer(git, ['config', '--get', 'remote.origin.url'], signal);
    if (local === undefined || url === undefined) return undefined;
    const upstream = await answer(git, ['config', '--get', `branch.${local}.merge`], signal);
    const branch = (upstream ?? local).replace(/^refs\/heads\//, '');
    if (isBranchName(branch)) return { url, branch };
    throw new ConfigSourceError('broken', `${confDir} follows a branch with an odd name: check out another one.`);
  }

  async function edits(signal?: AbortSignal): Promise<string[]> {
    const options = ['--porcelain', '-z', '--untracked-files=no', '--no-renames', '--ignore-submodules=all'];
    const listing = await git.run(['status', ...options], signal);
    return listing
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => line.slice(3));
  }

  /** What a commit that is being checked out brings: nobody else put it there. */
  async function halfArrived(signal?: AbortSignal): Promise<string[]> {
    if ((await resolve(ACCEPTING, signal)) === undefined) return [];
    const options = ['-r', '--name-only', '-z', '--no-renames', '--diff-filter=A'];
    return (await git.run(['diff-tree', ...options, 'HEAD', ACCEPTING], signal)).split('\0');
  }

  /** The files that would take part in this host's configuration although no commit holds them. */
  async function untracked(signal?: AbortSignal): Promise<readonly string[]> {
    const listing = await git.run(['ls-files', '--others', '-z', '--', BASE_FILE, HOSTS_FOLDER], signal);
    const arrived = new Set(await halfArrived(signal));
    return hostFiles(
      listing.split('\0').filter((file) => !arrived.has(file)),
      hostname,
    );
  }

  async function workTree(signal?: AbortSignal): Promise<ConfigRevision> {
    const head = await resolve('HEAD', signal);
    const layers = await readConfigTree(tree);
    // A repository before its first commit is a folder like any other.
    if (head === undefined) return { id: contentId(layers), layers };
    const local = (await edits(signal)).length > 0 || (await untracked(signal)).length > 0;
    return { id: local ? `${head}+local` : head, layers };
  }

  async function commit(id: string, signal?: AbortSignal): Promise<ConfigRevision> {
    const beside = await readLayers(tree, await untracked(signal));
    const layers = await readCommit(git, id, { hostname, untracked: beside, signal });
    return { id: layers.some((layer) => beside.includes(layer)) ? `${id}+local` : id, layers };
  }

  return { resolve, follows, edits, workTree, commit };
}
