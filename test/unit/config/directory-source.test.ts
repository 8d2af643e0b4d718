import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDirectorySource } from '../../../src/config/directory-source.js';

let confDir: string;

beforeEach(async () => {
  confDir = await mkdtemp(join(tmpdir(), 'plancton-test-'));
});
afterEach(() => rm(confDir, { recursive: true, force: true }));

const sourceOf = (dir = confDir) => createDirectorySource({ confDir: dir, hostname: 'wn042.site.org' });

it('reads config.yaml and the overrides of this host', async () => {
  await mkdir(join(confDir, 'hosts'));
  await writeFile(join(confDir, 'config.yaml'), 'max_docks: 1\n');
  await writeFile(join(confDir, 'hosts', 'wn*.yaml'), 'max_docks: 2\n');
  await writeFile(join(confDir, 'hosts', 'other.yaml'), 'max_docks: 3\n');
  const { id, layers } = await sourceOf().current();
  expect(id).toMatch(/^dir-[0-9a-f]{12}$/);
  expect(layers).toEqual([
    { file: 'config.yaml', text: 'max_docks: 1\n' },
    { file: 'hosts/wn*.yaml', text: 'max_docks: 2\n' },
  ]);
});

it('names the same content the same and other content otherwise', async () => {
  await writeFile(join(confDir, 'config.yaml'), 'max_docks: 1\n');
  const first = await sourceOf().current();
  expect(await sourceOf().current()).toEqual(first);
  await writeFile(join(confDir, 'config.yaml'), 'max_docks: 2\n');
  expect((await sourceOf().current()).id).not.toBe(first.id);
});

it('takes an empty folder for the defaults', async () => {
  expect((await sourceOf().current()).layers).toEqual([]);
});

it('follows a link that the administrator made', async () => {
  await writeFile(join(confDir, 'real.yaml'), 'max_docks: 5\n');
  await symlink('real.yaml', join(confDir, 'config.yaml'));
  expect((await sourceOf().current()).layers).toEqual([{ file: 'config.yaml', text: 'max_docks: 5\n' }]);
});

it('has never anything newer than what is there', async () => {
  expect(await sourceOf().candidate({ force: true })).toBeUndefined();
});

it.each([
  ['an absent folder', () => Promise.resolve(), 'create it'],
  ['a folder in the place of the file', () => mkdir(join(confDir, 'config.yaml')), 'not a file'],
  ['a huge file', () => writeFile(join(confDir, 'config.yaml'), Buffer.alloc(256 * 1024 + 1, '#')), '256 KiB'],
  ['a file in the place of hosts/', () => writeFile(join(confDir, 'hosts'), ''), 'not a folder'],
  ['a link to itself', () => symlink('config.yaml', join(confDir, 'config.yaml')), 'symbolic link'],
])('rejects %s and names the cure', async (what, prepare, message) => {
  await prepare();
  const dir = what === 'an absent folder' ? join(confDir, 'absent') : confDir;
  await expect(sourceOf(dir).current()).rejects.toMatchObject({
    name: 'ConfigSourceError',
    kind: 'broken',
    message: expect.stringContaining(message) as string,
  });
});

it('is not held up by a pipe in the place of the file', async () => {
  execFileSync('mkfifo', [join(confDir, 'config.yaml')]);
  await expect(sourceOf().current()).rejects.toThrow('not a file');
});

it('refuses a folder in which hundreds of files are for one host', async () => {
  await mkdir(join(confDir, 'hosts'));
  const write = (stars: number) => writeFile(join(confDir, 'hosts', `wn042${'*'.repeat(stars)}.yaml`), '');
  for (let stars = 0; stars < 19; stars += 1) await write(stars);
  expect((await sourceOf().current()).layers).toHaveLength(19);
  await write(19);
  await expect(sourceOf().current()).rejects.toMatchObject({
    kind: 'rejected',
    message: expect.stringMatching(/^hosts: 21 files are for this host/) as string,
  });
});
