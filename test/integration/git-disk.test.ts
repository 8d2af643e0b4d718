import { execFile } from 'node:child_process';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { checkConfig } from '../../src/config/check-config.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createGitSource } from '../../src/config/git/git-source.js';
import { createConfigKeeper, type ConfigKeeper } from '../../src/config/keeper.js';
import type { Config } from '../../src/config/schema.js';
import { aHost } from '../support/builders.js';
import { createConfigRepo, createTempDir, type ConfigRepo } from '../support/config-repo.js';

// What a commit does to the disk it is put on.

const execFileAsync = promisify(execFile);
const env = { PATH: process.env['PATH'] };
const GOOD = 'max_docks: 1\n';

let temp: Awaited<ReturnType<typeof createTempDir>>;
let upstream: ConfigRepo;
let confDir: string;

beforeEach(async () => {
  temp = await createTempDir();
  confDir = join(temp.path, 'etc', 'plancton');
  upstream = await createConfigRepo(join(temp.path, 'upstream'), { 'config.yaml': GOOD });
  await clone(confDir);
});
afterEach(() => temp.remove());

function clone(into: string): Promise<void> {
  return cloneConfig({ url: `file://${upstream.path}`, into, env, clock: systemClock, deadlineMs: 120_000 });
}

function keeperOf(): ConfigKeeper<Config> {
  const source = createGitSource({
    confDir,
    hostname: 'wn042',
    stateDir: join(temp.path, 'state'),
    clock: systemClock,
    env,
    deadlineMs: 120_000,
    remoteIntervalMs: () => 0,
  });
  return createConfigKeeper({ source, clock: systemClock, load: (layers) => checkConfig(layers, aHost()) });
}

/** A host with the good configuration in force. */
async function aHostAtWork(): Promise<ConfigKeeper<Config>> {
  const keeper = keeperOf();
  expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
  return keeper;
}

/** Expects that a look refuses what is upstream and changes nothing; gives the reason. */
async function staysGood(keeper: ConfigKeeper<Config>): Promise<string> {
  const { inForce } = keeper.state;
  expect((await keeper.refresh({ force: true })).type).toBe('refused');
  expect(keeper.state.inForce).toBe(inForce);
  expect(await readFile(join(confDir, 'config.yaml'), 'utf8')).toBe(GOOD);
  return keeper.state.refused?.problems.join('\n') ?? '';
}

describe('files of a commit', () => {
  /** Commits without git's changes to content on its way in. */
  async function commitAsIs(files: Readonly<Record<string, string>>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      await writeFile(join(temp.path, 'content'), text);
      const blob = await upstream.git('hash-object', '-w', '--no-filters', join(temp.path, 'content'));
      await upstream.git('update-index', '--add', '--cacheinfo', `100644,${blob},${path}`);
    }
    const id = await upstream.git('commit-tree', '-m', 'x', '-p', 'HEAD', await upstream.git('write-tree'));
    await upstream.git('update-ref', 'refs/heads/main', id);
    return id;
  }

  it.each([
    ['line ends', 'config.yaml eol=crlf', 'max_docks: 2\n'],
    ['line ends that it would not commit so', '* text', 'max_docks: 2\r\n'],
    ['key words', '* ident', '# $Id$ $Id: 1234 $\nmax_docks: 2\n'],
    ['a filter', '* filter=lfs', 'max_docks: 2\n'],
    ['the encoding', 'config.yaml working-tree-encoding=UTF-16', 'max_docks: 2\n'],
    ['an encoding that is none', '[attr]odd working-tree-encoding\n* odd', 'max_docks: 2\n'],
  ])('are put there as they were committed, where git would change %s', async (_, attributes, text) => {
    const keeper = await aHostAtWork();
    const id = await commitAsIs({ 'config.yaml': text, '.gitattributes': `${attributes}\n` });
    expect(await keeper.refresh({ force: true })).toMatchObject({ type: 'accepted', inForce: { revision: { id } } });
    expect(await keeper.refresh({ force: true })).toEqual({ type: 'unchanged' });
    expect(await readFile(join(confDir, 'config.yaml'), 'utf8')).toBe(text);
    // Another time stamp has git look at the content.
    await utimes(join(confDir, 'config.yaml'), 1, 1);
    expect(await keeperOf().start()).toMatchObject({ type: 'accepted', inForce: { revision: { id } } });
    await commitAsIs({ 'more.txt': 'x' });
    expect(await keeper.refresh({ force: true })).toMatchObject({ type: 'accepted' });
    const into = join(temp.path, 'other');
    await clone(into);
    expect(await readFile(join(into, 'config.yaml'), 'utf8')).toBe(text);
  });
});

describe('a tree that is too big', () => {
  /** Makes a tree upstream that holds the same file or folder under all these names; gives it as an entry of another one. */
  async function tree(entry: string, names: readonly string[]): Promise<string> {
    const list = join(temp.path, 'list');
    await writeFile(list, names.map((name) => `${entry}\t${name}\n`).join(''));
    const { stdout } = await execFileAsync('sh', ['-c', `git -C "$0" mktree < "$1"`, upstream.path, list]);
    return `040000 tree ${stdout.trim()}`;
  }

  async function commitTree(entry: string): Promise<void> {
    const commit = await upstream.git('commit-tree', '-m', 'x', '-p', 'HEAD', entry.slice('040000 tree '.length));
    await upstream.git('update-ref', 'refs/heads/main', commit);
  }

  const aFile = async () => `100644 blob ${await upstream.git('rev-parse', 'HEAD:config.yaml')}`;
  const many = (count: number) => Array.from({ length: count }, (_, index) => `x${index}`);

  it('in ten thousand files, or in a name that no disk takes, is refused', async () => {
    const keeper = await aHostAtWork();
    const file = await aFile();
    await commitTree(await tree(await tree(file, many(100)), many(100)));
    expect(await staysGood(keeper)).toMatch(/holds more than 10000 files: /);
    await commitTree(await tree(file, ['config.yaml', 'x'.repeat(256)]));
    expect(await staysGood(keeper)).toMatch(/holds a file with a name of more than 255 bytes: /);
    await commitTree(await tree(file, ['config.yaml', 'x'.repeat(255)]));
    expect(await keeper.refresh({ force: true })).toMatchObject({ type: 'accepted' });
  });

  it('in ten million files, made of a few objects, is refused before they are made, and no new host clones it', async () => {
    const keeper = await aHostAtWork();
    let entry = await aFile();
    for (let depth = 0; depth < 7; depth += 1) entry = await tree(entry, many(10));
    await commitTree(entry);
    expect(await staysGood(keeper)).toMatch(/holds more files than can be listed.*: .*take what is big out of it\.$/);
    const into = join(temp.path, 'other');
    await expect(clone(into)).rejects.toThrow('holds more files than can be listed');
    await expect(readdir(into)).rejects.toThrow('ENOENT');
  });
});
