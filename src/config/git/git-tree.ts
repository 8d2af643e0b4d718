import { MAX_FILE_BYTES } from '../config-tree.js';
import type { GitClient } from './git-client.js';
import { BASE_FILE, HOSTS_FOLDER, layerFiles, type ConfigText } from '../layers.js';
import { ConfigSourceError } from '../source.js';

interface TreeEntry {
  readonly mode: string;
  readonly object: string;
  readonly bytes: number;
  readonly path: string;
}

/** The files of a commit that can be configuration. */
async function listTree(git: GitClient, commit: string, signal?: AbortSignal): Promise<TreeEntry[]> {
  const listing = await git.run(['ls-tree', '-r', '-t', '-l', '-z', commit, BASE_FILE, HOSTS_FOLDER], signal);
  return listing.split('\0').flatMap((line) => {
    const [, mode, object, bytes, path] = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line) ?? [];
    if (mode === undefined || object === undefined || path === undefined) return [];
    return [{ mode, object, bytes: Number(bytes), path }];
  });
}

function problemOf({ mode, bytes }: TreeEntry): string | undefined {
  if (mode === '120000') return 'is a symbolic link';
  if (mode !== '100644' && mode !== '100755') return 'is not a plain file';
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
  const entries = new Map((await listTree(git, commit, signal)).map((entry) => [entry.path, entry]));
  const local = new Map(untracked.map((layer) => [layer.file, layer]));
  const layers: ConfigText[] = [];
  const refuse = (path: string, why: string) => {
    const cure = 'commit a plain file of reasonable size in its place';
    return new ConfigSourceError('rejected', `${path} ${why} in commit ${commit.slice(0, 12)}: ${cure}.`, commit);
  };
  const folder = entries.get(HOSTS_FOLDER);
  if (folder && folder.mode !== '040000') throw refuse(HOSTS_FOLDER, 'is not a folder');
  for (const file of layerFiles(new Set([...entries.keys(), ...local.keys()]), hostname)) {
    const entry = entries.get(file);
    const why = entry && problemOf(entry);
    if (why !== undefined) throw refuse(file, why);
    const beside = local.get(file);
    if (entry) layers.push({ file, text: await git.run(['cat-file', 'blob', entry.object], signal) });
    else if (beside) layers.push(beside);
  }
  return layers;
}
