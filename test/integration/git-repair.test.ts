import { mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createGitSource, type GitSourceOptions } from '../../src/config/git/git-source.js';
import { createConfigKeeper, type ConfigKeeper } from '../../src/config/keeper.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { ConfigSource } from '../../src/config/source.js';
import { createConfigRepo, createTempDir, git, type ConfigRepo } from '../support/config-repo.js';

const env = { PATH: process.env['PATH'] };
const host = { ncpus: 8, ramBytes: 16e9, swapBytes: 0 };

let temp: Awaited<ReturnType<typeof createTempDir>>;
let upstream: ConfigRepo;
let confDir: string;

beforeEach(async () => {
  temp = await createTempDir();
  confDir = join(temp.path, 'etc', 'plancton');
  upstream = await createConfigRepo(join(temp.path, 'upstream'), { 'config.yaml': 'max_docks: 1\n' });
});
afterEach(() => temp.remove());

function clone(): Promise<void> {
  const url = `file://${upstream.path}`;
  return cloneConfig({ url, into: confDir, env, clock: systemClock, deadlineMs: 30_000 });
}

function sourceOf(overrides: Partial<GitSourceOptions> = {}): ConfigSource {
  return createGitSource({
    confDir,
    hostname: 'wn042.site.org',
    stateDir: join(temp.path, 'state'),
    clock: systemClock,
    env,
    deadlineMs: 30_000,
    remoteIntervalMs: () => 0,
    ...overrides,
  });
}

function keeperOf(source = sourceOf()): ConfigKeeper<Config> {
  return createConfigKeeper({
    source,
    clock: systemClock,
    load: (layers) => {
      const result = loadConfig(layers, host);
      if (result.ok) return { ok: true, config: result.config, warnings: [] };
      return { ok: false, problems: result.problems.map(({ key, message }) => `${key}: ${message}`) };
    },
  });
}

const head = () => git(confDir, 'rev-parse', 'HEAD');
const deployed = (file = 'config.yaml') => readFile(join(confDir, file), 'utf8');

describe('a process that was killed', () => {
  it.each(['index.lock', 'shallow.lock', 'refs/plancton/candidate.lock', 'refs/heads/main.lock'])(
    'leaves %s, which its successor removes',
    async (lock) => {
      await clone();
      const keeper = keeperOf(sourceOf({ deadlineMs: 5_000 }));
      await keeper.start();
      await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
      await mkdir(join(confDir, '.git', 'refs', 'plancton'), { recursive: true });
      const path = join(confDir, '.git', lock);
      await writeFile(path, '');
      const longAgo = new Date(Date.now() - 60_000);
      await utimes(path, longAgo, longAgo);
      expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 2 } } });
    },
  );

  it('is told from a git that runs right now, whose lock is respected', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    const lock = join(confDir, '.git', 'index.lock');
    await writeFile(lock, '');
    expect(await keeper.refresh()).toMatchObject({ type: 'unreachable' });
    expect(keeper.state.unreachable).toContain(lock);
    expect(keeper.state.inForce?.config.max_docks).toBe(1);
    expect(await deployed()).toBe('max_docks: 1\n');
    await rm(lock);
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 2 } } });
  });

  it('in the middle of a check-out leaves half a tree, which is mended', async () => {
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n', 'run.sh': 'old\n' });
    await clone();
    const old = await head();
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n', 'run.sh': 'new\n' });
    await sourceOf().candidate();
    await git(confDir, 'update-ref', 'refs/plancton/accepting', commit);
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: 2\n');
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { revision: { id: old } } });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
    expect(await deployed('run.sh')).toBe('new\n');
    expect(await git(confDir, 'for-each-ref', 'refs/plancton/accepting')).toBe('');
  });

  it('leaves files that the new commit adds, which are edits of nobody and no obstacle', async () => {
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n', lib: 'a file\n' });
    await clone();
    const old = await head();
    await writeFile(join(confDir, 'notes.txt'), 'mine\n');
    await rm(join(upstream.path, 'lib'));
    const commit = await upstream.commit({ 'hosts/wn042.yaml': 'max_docks: 7\n', 'lib/run.sh': 'new\n' });
    await sourceOf().candidate();
    await git(confDir, 'update-ref', 'refs/plancton/accepting', commit);
    await mkdir(join(confDir, 'hosts'));
    await writeFile(join(confDir, 'hosts', 'wn042.yaml'), 'max_docks: 7\n');
    await rm(join(confDir, 'lib'));
    await mkdir(join(confDir, 'lib'));
    await writeFile(join(confDir, 'lib', 'run.sh'), 'ne');
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: old }, config: { max_docks: 1 } },
    });
    // Somebody took the new commit back: what it left is gone.
    await upstream.git('reset', '--quiet', '--hard', old);
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(await deployed('lib')).toBe('a file\n');
    expect(await git(confDir, 'status', '--porcelain')).toBe('?? notes.txt');
    await upstream.git('reset', '--quiet', '--hard', commit);
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 7 } } });
    expect(await deployed('lib/run.sh')).toBe('new\n');
  });

  it('through a link to a folder elsewhere loses nothing there', async () => {
    const elsewhere = join(temp.path, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'run.sh'), 'precious\n');
    await symlink(elsewhere, join(upstream.path, 'lib'));
    await upstream.commit({});
    await clone();
    await rm(join(upstream.path, 'lib'));
    const commit = await upstream.commit({ 'lib/run.sh': 'new\n' });
    await sourceOf().candidate();
    await git(confDir, 'update-ref', 'refs/plancton/accepting', commit);
    const keeper = keeperOf();
    await keeper.start();
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
    expect(await readFile(join(elsewhere, 'run.sh'), 'utf8')).toBe('precious\n');
  });

  it('after the branch has moved still knows that the commit came from the server', async () => {
    await clone();
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    await sourceOf().candidate();
    await git(confDir, 'update-ref', 'refs/plancton/accepting', commit);
    await git(confDir, 'reset', '--quiet', '--hard', commit);
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
    await upstream.commit({ 'config.yaml': 'max_docks: 3\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 3 } } });
  });
});
