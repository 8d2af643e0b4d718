import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Signer } from './signing.js';

const execFileAsync = promisify(execFile);

/** git as a person would run it, free of the settings of the machine the tests run on. */
const env = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.org',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.org',
};

/** Runs git and gives what it printed, without the last line break. */
export function git(dir: string, ...args: string[]): Promise<string> {
  return gitAs({}, dir, ...args);
}

async function gitAs(more: Readonly<Record<string, string>>, dir: string, ...args: string[]): Promise<string> {
  const config = ['-c', 'protocol.file.allow=always', '-c', 'safe.directory=*', '-c', 'init.defaultBranch=main'];
  const { stdout } = await execFileAsync('git', ['-C', dir, ...config, ...args], {
    env: { ...env, ...more },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trimEnd();
}

/** How something is committed. */
export interface CommitManner {
  readonly signer?: Signer;
  /** Of author and committer, ISO 8601. */
  readonly date?: string;
}

/** A repository that a test pushes to, so to speak. */
export interface ConfigRepo {
  readonly path: string;
  /** Writes the files and commits everything; gives the commit. */
  commit(files: Readonly<Record<string, string>>, manner?: CommitManner): Promise<string>;
  /** Puts a signed tag on the newest commit. */
  tag(name: string, signer: Signer): Promise<void>;
  /** Replaces the newest commit by one with these files, as `push --force` would. */
  rewrite(files: Readonly<Record<string, string>>): Promise<string>;
  git(...args: string[]): Promise<string>;
}

async function writeFiles(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), text);
  }
}

/** A repository in a folder of its own, with one commit of these files on `main`. */
export async function createConfigRepo(path: string, files: Readonly<Record<string, string>>): Promise<ConfigRepo> {
  await mkdir(path, { recursive: true });
  await git(path, 'init', '--quiet');
  async function commitAll({ signer, date }: CommitManner, ...options: string[]): Promise<string> {
    await git(path, 'add', '--all', '--force');
    const more = { ...signer?.env, ...(date !== undefined && { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }) };
    const sign = signer === undefined ? [] : ['--gpg-sign'];
    const what = ['commit', '--quiet', '--allow-empty', '--message', 'Change', ...sign, ...options];
    await gitAs(more, path, ...(signer?.options ?? []), ...what);
    return git(path, 'rev-parse', 'HEAD');
  }
  const repo: ConfigRepo = {
    path,
    commit: async (changed, manner = {}) => {
      await writeFiles(path, changed);
      return commitAll(manner);
    },
    tag: async (name, { options, env: more = {} }) => {
      await gitAs(more, path, ...options, 'tag', '--sign', '--message', name, name);
    },
    rewrite: async (changed) => {
      await writeFiles(path, changed);
      return commitAll({}, '--amend', '--reset-author');
    },
    git: (...args) => git(path, ...args),
  };
  await repo.commit(files);
  return repo;
}

/** A folder of its own for one test, and what removes it. */
export async function createTempDir(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'plancton-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
