import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { placeConfiguration, removeConfiguration } from '../../../../src/cli/bootstrap/configuration.js';
import { runCommand } from '../../../../src/cli/run-command.js';
import { makeBootstrapWorld, type BootstrapWorld } from '../../../support/bootstrap-context.js';

const worlds: BootstrapWorld[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true });
});

function world(...args: Parameters<typeof makeBootstrapWorld>): BootstrapWorld {
  const made = makeBootstrapWorld(...args);
  worlds.push(made);
  return made;
}

const dryrun = { from: 'dryrun' } as const;
const repository = {
  from: 'repository',
  repo: { url: 'https://ada:secret@git.example.org/conf', branch: 'prod' },
} as const;

test('the demo configuration is put in place, and taken back', async () => {
  const { context } = world();
  const { confDir, demoConfig } = context.places;
  expect(await placeConfiguration(context, dryrun)).toBe('made');
  expect(readFileSync(join(confDir, 'config.yaml'), 'utf8')).toBe(readFileSync(demoConfig, 'utf8'));
  expect(await placeConfiguration(context, dryrun)).toBe('kept');
  expect(await removeConfiguration(context)).toContain('was removed');
  expect(existsSync(confDir)).toBe(false);
});

test('an edited demo configuration stays, and is still known as ours when the edit is undone', async () => {
  const { context } = world();
  const file = join(context.places.confDir, 'config.yaml');
  await placeConfiguration(context, dryrun);
  const original = readFileSync(file);
  writeFileSync(file, 'max_docks: 9\n');
  expect(await removeConfiguration(context)).toContain('stays');
  expect(readFileSync(file, 'utf8')).toBe('max_docks: 9\n');
  writeFileSync(file, original);
  expect(await removeConfiguration(context)).toContain('was removed');
});

test('a file that was added to the demo configuration keeps it from being removed', async () => {
  const { context } = world();
  await placeConfiguration(context, dryrun);
  writeFileSync(join(context.places.confDir, 'notes'), '');
  expect(await removeConfiguration(context)).toContain('stays');
});

test('what somebody else made is neither replaced nor removed', async () => {
  const { context } = world();
  const { confDir } = context.places;
  mkdirSync(confDir);
  writeFileSync(join(confDir, 'config.yaml'), 'max_docks: 3\n');
  await expect(placeConfiguration(context, dryrun)).rejects.toMatchObject({ exitCode: 73 });
  await expect(placeConfiguration(context, repository)).rejects.toMatchObject({ exitCode: 73 });
  expect(await removeConfiguration(context)).toContain('bootstrap did not make it');
  expect(readFileSync(join(confDir, 'config.yaml'), 'utf8')).toBe('max_docks: 3\n');
});

test('a folder that took the place of ours is not ours', async () => {
  const { context } = world();
  const { confDir } = context.places;
  await placeConfiguration(context, dryrun);
  // Both exist for a moment, so that they cannot have the same inode.
  mkdirSync(`${confDir}.new`);
  copyFileSync(join(confDir, 'config.yaml'), join(`${confDir}.new`, 'config.yaml'));
  rmSync(confDir, { recursive: true });
  renameSync(`${confDir}.new`, confDir);
  expect(await removeConfiguration(context)).toContain('bootstrap did not make it');
});

test('an invalid configuration is refused with its problems, and leaves nothing', async () => {
  const { context } = world({
    checkConfig: () => Promise.resolve({ ok: false, problems: ['config.yaml:1:1: max_docks: no'] }),
  });
  await expect(placeConfiguration(context, repository)).rejects.toMatchObject({
    exitCode: 78,
    message: expect.stringMatching(/git\.example\.org[^]*config\.yaml:1:1/) as unknown,
  });
  expect(existsSync(context.places.confDir)).toBe(false);
});

test('a clone that fails leaves nothing', async () => {
  const { context } = world({ cloneConfig: () => Promise.reject(new Error('no such repository')) });
  await expect(placeConfiguration(context, repository)).rejects.toThrow('no such repository');
  expect(existsSync(context.places.confDir)).toBe(false);
});

test('the password of a repository is neither noted nor told', async () => {
  const { context } = world();
  await placeConfiguration(context, repository);
  expect(readFileSync(join(context.places.stateDir, 'bootstrap.json'), 'utf8')).not.toContain('secret');
  const other = { from: 'repository', repo: { url: 'https://ada:other@git.example.org/elsewhere' } } as const;
  await expect(placeConfiguration(context, other)).rejects.toThrow(
    /^(?!.*(secret|other@)).*git\.example\.org\/conf#prod/,
  );
});

test('the same repository on another branch is another configuration', async () => {
  const { context } = world();
  await placeConfiguration(context, repository);
  expect(await placeConfiguration(context, repository)).toBe('kept');
  const other = { from: 'repository', repo: { url: repository.repo.url, branch: 'dev' } } as const;
  await expect(placeConfiguration(context, other)).rejects.toMatchObject({ exitCode: 73 });
});

test('a clone that was made by hand from the same repository is used but never removed', async () => {
  const { context } = world({}, { 'git config': { stdout: 'https://git.example.org/conf\n' } });
  mkdirSync(join(context.places.confDir, '.git'), { recursive: true });
  writeFileSync(join(context.places.confDir, '.git/config'), '');
  expect(await placeConfiguration(context, repository)).toBe('kept');
  expect(await removeConfiguration(context)).toContain('bootstrap did not make it');
});

test.each([
  ['edited files', { 'git -C': { stdout: ' M config.yaml\n' } }],
  ['a git that does not answer', { 'git -C': { exitCode: 1 } }],
])('a clone with %s stays', async (_, answers) => {
  const { context } = world({}, answers);
  await placeConfiguration(context, repository);
  expect(await removeConfiguration(context)).toContain('stays');
  expect(existsSync(context.places.confDir)).toBe(true);
});

test('a clone with a commit that was made here stays, also once the daemon has proven it', async () => {
  const { context } = world({ run: runCommand });
  const { confDir } = context.places;
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', confDir, '-c', 'user.name=Ann', '-c', 'user.email=a@site.org', ...args]);
  await placeConfiguration(context, repository);
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'From the server');
  git('update-ref', 'refs/plancton/accepted', 'HEAD');
  git('commit', '--quiet', '--allow-empty', '--message', 'Mine');
  git('update-ref', 'refs/plancton/proven', 'HEAD');
  git('update-ref', 'refs/plancton/condemned', 'HEAD');
  expect(await removeConfiguration(context)).toContain('stays');
  git('reset', '--quiet', '--hard', 'HEAD~1');
  expect(await removeConfiguration(context)).toContain('was removed');
});
