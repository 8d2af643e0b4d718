import { appendFile, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../clock.js';
import { attributesFile, keepFilesAsTheyAre } from './git-attributes.js';
import { createGitClient, GitFailure } from './git-client.js';
import type { Environment } from './git-environment.js';
import { explainFetch } from './git-explain.js';
import { credentialSection, writeGitSettings } from './git-settings.js';
import { fetchTags } from './git-tags.js';
import { refuseHuge } from './git-tree.js';
import { protocolOf, splitCredentials } from './git-url.js';
import { ConfigSourceError } from '../source.js';

export interface CloneOptions {
  /** As `parseConfigRepo` returned them. */
  readonly url: string;
  readonly branch?: string | undefined;
  /** Must not exist, or be empty. */
  readonly into: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Whether tags are of interest, as this host asks for signatures. None by default. */
  readonly wantsTags?: boolean;
  readonly signal?: AbortSignal;
}

async function isFree(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

/** Leaves the credentials where git finds them by itself, and not in the URL, which git shows in the process list. */
async function keepCredential(credential: string, gitDir: string, finalGitDir: string): Promise<void> {
  const name = 'plancton-credentials';
  await writeFile(join(gitDir, name), `${credential}\n`, { mode: 0o600 });
  await appendFile(join(gitDir, 'config'), credentialSection(join(finalGitDir, name)));
}

async function cloneAside(aside: string, options: CloneOptions): Promise<void> {
  const { url, branch, into, env, clock, deadlineMs, signal } = options;
  const settingsFolder = join(aside, 'settings');
  const tree = join(aside, 'tree');
  await writeGitSettings({ folder: settingsFolder, repository: tree, url });
  const protocol = () => protocolOf(url);
  const git = createGitClient({ dir: aside, settingsFolder, env, protocol, clock, deadlineMs });
  const clean = splitCredentials(url);
  const choice = branch === undefined ? [] : ['--branch', branch];
  const fixed = ['--quiet', '--depth', '1', '--single-branch', '--no-tags', '--no-local', '--no-checkout'];
  try {
    await git.run(['clone', ...fixed, '--upload-pack=git-upload-pack', ...choice, '--', clean.url, tree], signal);
  } catch (error) {
    throw error instanceof GitFailure ? explainFetch(error, url, branch) : error;
  }
  const inTree = createGitClient({ dir: tree, settingsFolder, env, protocol, clock, deadlineMs });
  let commit;
  try {
    commit = (await inTree.run(['rev-parse', '--quiet', '--verify', 'HEAD'], signal)).trimEnd();
  } catch {
    throw new ConfigSourceError('rejected', `The repository ${clean.url} has no commit yet: push one.`);
  }
  await refuseHuge(inTree, commit, signal);
  await keepFilesAsTheyAre(await attributesFile(inTree, tree, signal));
  await inTree.run(['reset', '--quiet', '--hard'], signal);
  if (options.wantsTags === true) {
    // The daemon asks again.
    await fetchTags(inTree, commit, signal).catch((error: unknown) => {
      if (!(error instanceof GitFailure) || error.kind === 'aborted') throw error;
    });
  }
  // The files of a configuration may be given to pilots; what else its repository holds is nobody's business.
  await chmod(join(tree, '.git'), 0o700);
  if (clean.credential !== undefined) await keepCredential(clean.credential, join(tree, '.git'), join(into, '.git'));
}

/**
 * Makes `into` a clone of a configuration repository, whole or not at all. Rejects with `ConfigSourceError`; whatever
 * was in `into` before is never touched.
 */
export async function cloneConfig(options: CloneOptions): Promise<void> {
  const { into } = options;
  if (!(await isFree(into))) {
    throw new ConfigSourceError('broken', `${into} exists and is not an empty folder: move it away first.`);
  }
  let aside: string | undefined;
  try {
    await mkdir(dirname(into), { recursive: true });
    // Beside it, so that the last step is a rename within one file system.
    aside = await mkdtemp(join(dirname(into), '.plancton-clone-'));
    await cloneAside(aside, options);
    await rename(join(aside, 'tree'), into);
  } catch (error) {
    if (error instanceof ConfigSourceError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigSourceError('broken', `Cannot make ${into}: ${why}; make it writable and no mount point.`);
  } finally {
    if (aside !== undefined) await rm(aside, { recursive: true, force: true });
  }
}
