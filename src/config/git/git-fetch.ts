import { resolve as resolvePath } from 'node:path';
import type { Clock } from '../../clock.js';
import type { GitClient } from './git-client.js';
import { FETCH_OPTIONS } from './git-environment.js';
import { removeLeftovers } from './git-leftovers.js';
import { CANDIDATE } from './git-repository.js';
import { ConfigSourceError } from '../source.js';

export interface FetchOptions {
  readonly git: GitClient;
  readonly confDir: string;
  readonly clock: Clock;
  /** How old what is half written must be before it can count as left behind, ms. */
  readonly graceMs: number;
  /** How much git may hold for this clone. */
  readonly maxStoreBytes: number;
}

/** Loose objects and packs, bytes. */
async function storeBytes(git: GitClient, signal?: AbortSignal): Promise<number> {
  const report = await git.run(['count-objects', '-v'], signal);
  const sizes = [...report.matchAll(/^size(?:-pack)?: (\d+)$/gm)].map(([, kib]) => 1024 * Number(kib));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** What is thrown away stays with git for a while: bounds it, whatever the server sends from minute to minute. */
async function makeRoom({ git, confDir, maxStoreBytes }: FetchOptions, signal?: AbortSignal): Promise<void> {
  if ((await storeBytes(git, signal)) <= maxStoreBytes / 2) return;
  await git.run(['gc', '--quiet', '--prune=1.hour.ago'], signal).catch(() => undefined);
  if ((await storeBytes(git, signal)) <= maxStoreBytes) return;
  const cure = `keep big files out of the repository, and tidy up with "git -C ${confDir} gc --prune=now"`;
  const most = `${Math.floor(maxStoreBytes / 1024)} KiB`;
  throw new ConfigSourceError('broken', `${confDir} holds more than ${most} in git, so nothing is fetched: ${cure}.`);
}

/** How much history to ask for. A full clone was made by hand: cutting its history short is not ours to do. Rejects with `GitFailure`. */
export async function depthOf(git: GitClient, signal?: AbortSignal): Promise<string[]> {
  const shallow = (await git.run(['rev-parse', '--is-shallow-repository'], signal)).trimEnd() === 'true';
  return shallow ? ['--depth', '1'] : [];
}

/** Fetches a branch of `origin` aside, leaving nothing half written. Rejects with `GitFailure` or `ConfigSourceError`. */
export function createFetch(options: FetchOptions): (branch: string, signal?: AbortSignal) => Promise<void> {
  const { git, confDir, clock, graceMs } = options;
  return async (branch, signal) => {
    const objectsDir = resolvePath(confDir, (await git.run(['rev-parse', '--git-path', 'objects'], signal)).trimEnd());
    const beganWallMs = clock.now().wallMs;
    await removeLeftovers(objectsDir, (mtimeMs) => mtimeMs < beganWallMs - 2 * graceMs);
    await makeRoom(options, signal);
    const depth = await depthOf(git, signal);
    try {
      await git.run(['fetch', ...FETCH_OPTIONS, ...depth, 'origin', `+refs/heads/${branch}:${CANDIDATE}`], signal);
    } catch (error) {
      await removeLeftovers(objectsDir, (mtimeMs) => mtimeMs >= beganWallMs);
      throw error;
    }
  };
}
