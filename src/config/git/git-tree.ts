import { hostFiles, MAX_FILE_BYTES } from '../config-tree.js';
import { GitFailure, type GitClient } from './git-client.js';
import { MAX_GIT_FILE_BYTES, MAX_TREE_BYTES, MAX_TREE_ENTRIES } from './git-limits.js';
import { BASE_FILE, HOSTS_FOLDER, type ConfigText } from '../layers.js';
import { ConfigSourceError } from '../source.js';

interface TreeEntry {
  readonly mode: string;
  readonly object: string;
  readonly bytes: number;
  readonly path: string;
}

async function listTree(
  git: GitClient,
  commit: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<TreeEntry[]> {
  const listing = await git.run(['ls-tree', '-r', '-t', '-l', '-z', commit, ...paths], signal);
  return listing.split('\0').flatMap((line) => {
    const [, mode, object, bytes, path] = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line) ?? [];
    if (mode === undefined || object === undefined || path === undefined) return [];
    return [{ mode, object, bytes: Number(bytes), path }];
  });
}

function problemOf({ mode, bytes }: TreeEntry): string | undefined {
  if (mode === '120000') return 'is a symbolic link';
  if (mode === '160000') return 'is a submodule';
  if (mode === '100755') return 'is marked as a program, which a configuration is not (git update-index --chmod=-x)';
  if (mode !== '100644') return 'is not a plain file';
  return bytes > MAX_FILE_BYTES ? `holds more than ${MAX_FILE_BYTES / 1024} KiB` : undefined;
}

export interface CommitOptions {
  readonly hostname: string;
  /** Files that no commit holds and that stay in the work tree whatever is checked out. */
  readonly untracked: readonly ConfigText[];
  readonly signal: AbortSignal | undefined;
}

/**
 * The configuration of this host as a commit holds it, read from git's objects and not from any work tree.
 * Rejects with a `ConfigSourceError` of kind `rejected` for links, submodules and huge files, before reading them.
 */
export async function readCommit(git: GitClient, commit: string, options: CommitOptions): Promise<ConfigText[]> {
  const { hostname, untracked, signal } = options;
  const entries = new Map(
    (await listTree(git, commit, [BASE_FILE, HOSTS_FOLDER], signal)).map((entry) => [entry.path, entry]),
  );
  const local = new Map(untracked.map((layer) => [layer.file, layer]));
  const layers: ConfigText[] = [];
  const refuse = (path: string, why: string) => {
    const cure = 'commit a plain file of reasonable size in its place';
    return new ConfigSourceError('rejected', `${path} ${why} in commit ${commit.slice(0, 12)}: ${cure}.`, commit);
  };
  const folder = entries.get(HOSTS_FOLDER);
  if (folder && folder.mode !== '040000') throw refuse(HOSTS_FOLDER, 'is not a folder');
  for (const file of hostFiles(new Set([...entries.keys(), ...local.keys()]), hostname, commit)) {
    const entry = entries.get(file);
    const why = entry && problemOf(entry);
    if (why !== undefined) throw refuse(file, why);
    const beside = local.get(file);
    if (entry) layers.push({ file, text: await git.run(['cat-file', 'blob', entry.object], signal) });
    else if (beside) layers.push(beside);
  }
  return layers;
}

/** What a file system gives out at a time. */
const BLOCK_BYTES = 4096;
/** The longest name of a file that file systems take. */
const MAX_NAME_BYTES = 255;

/** Why a tree is too much for a disk; undefined: it is not. */
function problemOfTree(entries: readonly TreeEntry[]): string | undefined {
  const mib = 1024 * 1024;
  if (entries.length > MAX_TREE_ENTRIES) return `holds more than ${MAX_TREE_ENTRIES} files`;
  if (entries.some(({ bytes }) => bytes > MAX_GIT_FILE_BYTES)) {
    return `holds a file of more than ${MAX_GIT_FILE_BYTES / mib} MiB`;
  }
  // A folder takes a block at least, whose size git does not tell.
  const blocks = entries.map(({ bytes }) => Math.max(1, Math.ceil((Number.isNaN(bytes) ? 0 : bytes) / BLOCK_BYTES)));
  if (blocks.reduce((sum, count) => sum + count, 0) * BLOCK_BYTES > MAX_TREE_BYTES) {
    return `holds more than ${MAX_TREE_BYTES / mib} MiB`;
  }
  const isLong = ({ path }: TreeEntry) => path.split('/').some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  return entries.some(isLong) ? `holds a file with a name of more than ${MAX_NAME_BYTES} bytes` : undefined;
}

/**
 * Refuses a commit whose tree is too much for a configuration repository, before any of it is put on disk: a few objects can stand for any
 * number of files. Rejects with a `ConfigSourceError` of kind `rejected`.
 */
export async function refuseHuge(git: GitClient, commit: string, signal?: AbortSignal): Promise<void> {
  const refuse = (why: string) => {
    const cure = 'a configuration repository holds small files; take what is big out of it';
    return new ConfigSourceError('rejected', `Commit ${commit.slice(0, 12)} ${why}: ${cure}.`, commit);
  };
  try {
    const why = problemOfTree(await listTree(git, commit, [], signal));
    if (why !== undefined) throw refuse(why);
  } catch (error) {
    if (error instanceof GitFailure && error.kind === 'flood') throw refuse('holds more files than can be listed');
    if (error instanceof GitFailure && error.kind === 'timeout')
      throw refuse('holds more files than can be listed in time');
    throw error;
  }
}
