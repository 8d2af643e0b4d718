import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createGitSource, type GitSourceOptions } from '../../src/config/git/git-source.js';
import { createConfigKeeper, type ConfigKeeper } from '../../src/config/keeper.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { ConfigSource } from '../../src/config/source.js';
import { createConfigRepo, createTempDir, git, type ConfigRepo } from '../support/config-repo.js';

const execFileAsync = promisify(execFile);
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

function clone(url = `file://${upstream.path}`, branch?: string): Promise<void> {
  return cloneConfig({ url, branch, into: confDir, env, clock: systemClock, deadlineMs: 30_000 });
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

describe('a host that follows a branch', () => {
  it('puts a new commit in force and the whole tree in place', async () => {
    await clone();
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n', 'scripts/run.sh': 'echo hi\n' });
    expect(await keeper.refresh()).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: commit }, config: { max_docks: 2 } },
    });
    expect(await deployed('scripts/run.sh')).toBe('echo hi\n');
    expect(await head()).toBe(commit);
    expect(await git(confDir, 'status', '--porcelain')).toBe('');
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });

  it('keeps the old configuration while a bad commit is upstream, tells it once, and takes the fix', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    const good = await head();
    const bad = await upstream.commit({ 'config.yaml': 'max_docks: [1\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: bad } });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state).toMatchObject({ inForce: { revision: { id: good } }, refused: { revisionId: bad } });
    expect(await deployed()).toBe('max_docks: 1\n');
    const fixed = await upstream.commit({ 'config.yaml': 'max_docks: 3\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: fixed } } });
    expect(keeper.state.refused).toBeUndefined();
  });

  it.each(['shallow', 'full'])('follows a force-push and a history made anew (%s clone)', async (kind) => {
    if (kind === 'shallow') await clone();
    else await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    const keeper = keeperOf();
    await keeper.start();
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    await keeper.refresh();
    const pushed = await upstream.rewrite({ 'config.yaml': 'max_docks: 3\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: pushed } } });
    await upstream.git('checkout', '--quiet', '--orphan', 'anew');
    await upstream.commit({ 'config.yaml': 'max_docks: 4\n' });
    await upstream.git('branch', '--force', 'main', 'anew');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 4 } } });
  });

  it('keeps the history of a full clone and cuts that of a shallow one', async () => {
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    await upstream.commit({ 'config.yaml': 'max_docks: 3\n' });
    const keeper = keeperOf();
    await keeper.start();
    await keeper.refresh();
    expect(await git(confDir, 'rev-list', '--count', 'HEAD')).toBe('3');
    await rm(confDir, { recursive: true });
    await clone();
    const other = keeperOf();
    await other.start();
    await upstream.commit({ 'config.yaml': 'max_docks: 4\n' });
    expect(await other.refresh()).toMatchObject({ inForce: { config: { max_docks: 4 } } });
    expect(await git(confDir, 'rev-list', '--count', 'HEAD')).toBe('1');
  });

  it('survives the end of its branch and its return', async () => {
    await upstream.git('checkout', '--quiet', '-b', 'site/dev');
    await clone(undefined, 'site/dev');
    const keeper = keeperOf();
    await keeper.start();
    await upstream.git('checkout', '--quiet', 'main');
    await upstream.git('branch', '--quiet', '-D', 'site/dev');
    const news = await keeper.refresh();
    expect(news).toMatchObject({ type: 'unreachable' });
    expect(keeper.state.unreachable).toContain('branch site/dev');
    expect(keeper.state.unreachable).toContain('the branch is not there');
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state.inForce?.config.max_docks).toBe(1);
    await upstream.git('checkout', '--quiet', '-b', 'site/dev');
    await upstream.commit({ 'config.yaml': 'max_docks: 5\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 5 } } });
    expect(keeper.state.unreachable).toBeUndefined();
  });

  it('lets a hosts/ file of its own override the common one, and leaves those of others unread', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await upstream.commit({
      'config.yaml': 'max_docks: 2\nmax_ttl: 100\n',
      'hosts/wn0*.yaml': 'max_docks: 6\n',
      'hosts/wn042.yaml': 'max_docks: 7\n',
      'hosts/wn043.yaml': 'max_docks: [broken\n',
    });
    expect(await keeper.refresh()).toMatchObject({ inForce: { config: { max_docks: 7, max_ttl: 100 } } });
  });

  it('shows the files to all users of the host, since pilots may be given some, and the repository to none', async () => {
    await clone();
    expect((await stat(join(confDir, 'config.yaml'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(confDir, '.git'))).mode & 0o777).toBe(0o700);
  });

  it('handles a repository of a thousand files', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    const files = Array.from({ length: 1000 }, (_, index) => [`hosts/node${index}.yaml`, `max_docks: ${index}\n`]);
    const commit = await upstream.commit(Object.fromEntries(files) as Record<string, string>);
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
    expect(await deployed('hosts/node999.yaml')).toBe('max_docks: 999\n');
  });

  it('starts without its server and without asking it', async () => {
    await clone();
    await rm(upstream.path, { recursive: true });
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'accepted' });
    expect(await keeper.refresh()).toMatchObject({ type: 'unreachable' });
    expect(keeper.state.inForce?.config.max_docks).toBe(1);
  });

  it('stays where it is while no branch is checked out', async () => {
    await clone();
    await git(confDir, 'checkout', '--quiet', '--detach');
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    const source = sourceOf();
    expect(await source.candidate({ force: true })).toBeUndefined();
    expect(source.describe()).toContain('follows no branch');
  });
});

describe('a tree that a person works in', () => {
  it('counts edits by hand, and marks the revision', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: 9\n');
    expect(await keeper.refresh()).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: `${await head()}+local` }, config: { max_docks: 9 } },
    });
  });

  it('is not overwritten by a newer commit: that is refused by name and taken once the edit is gone', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: 9\n');
    await keeper.refresh();
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    const news = await keeper.refresh();
    expect(news).toMatchObject({ type: 'refused', refused: { revisionId: commit } });
    expect(keeper.state.refused?.problems.join()).toMatch(/"config\.yaml".*reset --hard/);
    expect(await deployed()).toBe('max_docks: 9\n');
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    await git(confDir, 'checkout', '--quiet', '--', '.');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
  });

  it('with a bad edit leaves the old configuration in force, also across a restart', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: [9\n');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: `${await head()}+local` } });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    const restarted = keeperOf();
    expect(await restarted.start()).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: await head() }, config: { max_docks: 1 } },
      refused: { revisionId: `${await head()}+local` },
    });
    expect(await deployed()).toBe('max_docks: [9\n');
  });

  it('keeps its untracked files, overrides among them', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await mkdir(join(confDir, 'hosts'));
    await writeFile(join(confDir, 'hosts', 'wn042.yaml'), 'max_docks: 9\n');
    await writeFile(join(confDir, 'notes.txt'), 'mine\n');
    expect(await keeper.refresh()).toMatchObject({ inForce: { config: { max_docks: 9 } } });
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\nmax_ttl: 100\n' });
    expect(await keeper.refresh()).toMatchObject({
      inForce: { revision: { id: `${commit}+local` }, config: { max_docks: 9, max_ttl: 100 } },
    });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(await deployed('notes.txt')).toBe('mine\n');
  });

  it('loses no untracked file to a commit that brings one of the same name', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await writeFile(join(confDir, 'notes.txt'), 'mine\n');
    await upstream.commit({ 'notes.txt': 'theirs\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
    expect(keeper.state.refused?.problems.join()).toContain('notes.txt');
    expect(await deployed('notes.txt')).toBe('mine\n');
  });

  it('loses no commit that was made here and never pushed', async () => {
    await clone();
    const keeper = keeperOf();
    await keeper.start();
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: 9\n');
    await git(confDir, '-c', 'user.name=Bob', '-c', 'user.email=b@example.org', 'commit', '--quiet', '-am', 'Mine');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 9 } } });
    expect(keeper.state.refused).toBeUndefined();
    expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
    expect(keeper.state.refused?.problems.join()).toContain('never came from the server');
    expect(await deployed()).toBe('max_docks: 9\n');
  });

  it('may belong to another user', async () => {
    await clone();
    await execFileAsync('chown', ['-R', 'nobody', confDir]);
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'accepted' });
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
  });

  it('may follow a repository of another user', async () => {
    await clone();
    await execFileAsync('chown', ['-R', 'nobody', upstream.path]);
    const keeper = keeperOf();
    await keeper.start();
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
  });

  it('that belongs to a repository without commits counts like a folder', async () => {
    await mkdir(confDir, { recursive: true });
    await git(confDir, 'init', '--quiet');
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: 4\n');
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 4 } } });
    expect(keeper.state.inForce?.revision.id).toMatch(/^dir-[0-9a-f]{12}$/);
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });
});

describe('a hostile repository', () => {
  async function refusal(): Promise<string> {
    const keeper = keeperOf();
    await keeper.start();
    expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
    expect(await deployed()).toBe('max_docks: 1\n');
    return keeper.state.refused?.problems.join() ?? '';
  }

  it('cannot make a link to a file of the host its configuration', async () => {
    await clone();
    await rm(join(upstream.path, 'config.yaml'));
    await symlink('/etc/passwd', join(upstream.path, 'config.yaml'));
    await upstream.commit({});
    expect(await refusal()).toContain('config.yaml is a symbolic link');
  });

  it('cannot do so through a link in the first clone either', async () => {
    await writeFile(join(temp.path, 'private.yaml'), 'max_docks: 6\n');
    await rm(join(upstream.path, 'config.yaml'));
    await symlink(join(temp.path, 'private.yaml'), join(upstream.path, 'config.yaml'));
    await upstream.commit({});
    await clone();
    const keeper = keeperOf();
    expect(await keeper.start()).toMatchObject({ type: 'refused' });
    expect(keeper.state.refused?.problems.join()).toContain('symbolic link');
  });

  it.each(['link', 'submodule', 'file'])('cannot put a %s in the place of hosts/', async (kind) => {
    await clone();
    if (kind === 'link') await symlink('/etc', join(upstream.path, 'hosts'));
    if (kind === 'file') await writeFile(join(upstream.path, 'hosts'), 'x');
    if (kind === 'submodule') {
      const other = await createConfigRepo(join(temp.path, 'other'), { 'wn042.yaml': 'max_docks: 5\n' });
      await upstream.git('submodule', '--quiet', 'add', other.path, 'hosts');
    }
    await upstream.commit({});
    expect(await refusal()).toContain('hosts is not a folder');
  });

  it('cannot bring a huge configuration', async () => {
    await clone();
    await upstream.commit({ 'config.yaml': `# ${'x'.repeat(300 * 1024)}\n` });
    expect(await refusal()).toContain('more than 256 KiB');
  });

  it('cannot run code through hooks, filters or submodules', async () => {
    const mark = join(temp.path, 'mark');
    await clone();
    const hook = join(confDir, '.git', 'hooks', 'post-checkout');
    await mkdir(join(confDir, '.git', 'hooks'), { recursive: true });
    await writeFile(hook, `#!/bin/sh\ntouch ${mark}\n`);
    for (const name of ['reference-transaction', 'post-index-change', 'post-merge']) {
      await writeFile(join(confDir, '.git', 'hooks', name), `#!/bin/sh\ntouch ${mark}\n`);
      await chmod(join(confDir, '.git', 'hooks', name), 0o755);
    }
    await chmod(hook, 0o755);
    await git(confDir, 'config', 'core.fsmonitor', hook);
    await git(confDir, 'config', 'filter.lfs.smudge', `touch ${mark}`);
    const other = await createConfigRepo(join(temp.path, 'other'), { 'x.txt': 'x\n' });
    await upstream.git('submodule', '--quiet', 'add', other.path, 'sub');
    const commit = await upstream.commit({
      '.gitattributes': '*.bin filter=lfs\n',
      'a.bin': 'version https://git-lfs.github.com/spec/v1\n',
      'hooks/post-checkout': `#!/bin/sh\ntouch ${mark}\n`,
    });
    const keeper = keeperOf();
    await keeper.start();
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: commit } } });
    expect(await deployed('a.bin')).toContain('git-lfs');
    await expect(readFile(mark)).rejects.toThrow('ENOENT');
    await expect(deployed('sub/x.txt')).rejects.toThrow('ENOENT');
  });
});

describe('a clone for a new host', () => {
  it('is made of a branch with slashes, in a folder that was empty', async () => {
    await upstream.git('checkout', '--quiet', '-b', 'site/a');
    await upstream.commit({ 'config.yaml': 'max_docks: 4\n' });
    await mkdir(confDir, { recursive: true });
    await clone(upstream.path, 'site/a');
    const source = sourceOf();
    expect((await source.current()).layers).toEqual([{ file: 'config.yaml', text: 'max_docks: 4\n' }]);
    expect(source.describe()).toContain('branch site/a');
    expect(await source.candidate()).toBeUndefined();
  });

  it('never replaces what is there', async () => {
    await mkdir(confDir, { recursive: true });
    await writeFile(join(confDir, 'precious'), 'x');
    await expect(clone()).rejects.toThrow('not an empty folder');
    expect(await deployed('precious')).toBe('x');
  });

  it.each([
    ['an absent branch', () => clone(undefined, 'nope'), 'branch nope'],
    ['an absent repository', () => clone(`file://${temp.path}/nope`), 'nope'],
  ])('leaves nothing behind after %s', async (_, attempt, message) => {
    await expect(attempt()).rejects.toThrow(message);
    await expect(readFile(confDir)).rejects.toThrow('ENOENT');
    const { stdout } = await execFileAsync('ls', ['-A', join(temp.path, 'etc')]);
    expect(stdout).toBe('');
  });

  it('says what is missing when the repository has no commit', async () => {
    await mkdir(join(temp.path, 'empty'));
    await git(join(temp.path, 'empty'), 'init', '--quiet');
    await expect(clone(`file://${temp.path}/empty`)).rejects.toThrow('no commit yet');
  });

  it('says so when there is no git on this host', async () => {
    await expect(
      cloneConfig({
        url: upstream.path,
        into: confDir,
        env: { PATH: '/nonexistent' },
        clock: systemClock,
        deadlineMs: 30_000,
      }),
    ).rejects.toThrow('install git');
  });
});
