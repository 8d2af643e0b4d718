import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { checkHost, tellProblems } from '../../../../src/cli/bootstrap/checks.js';
import type { BootstrapContext } from '../../../../src/cli/bootstrap/context.js';
import { EngineError, type EngineInfo } from '../../../../src/engine/container-engine.js';
import { makeBootstrapWorld, soundEngine, type BootstrapWorld } from '../../../support/bootstrap-context.js';

const worlds: BootstrapWorld[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true });
});

function world(...args: Parameters<typeof makeBootstrapWorld>): BootstrapWorld {
  const made = makeBootstrapWorld(...args);
  worlds.push(made);
  return made;
}

function engine(info: Partial<EngineInfo> | EngineError): Partial<BootstrapContext> {
  const answer = () =>
    info instanceof EngineError ? Promise.reject(info) : Promise.resolve({ ...soundEngine, ...info });
  return { engine: { info: answer, findImage: () => Promise.resolve(null), pullImage: () => Promise.resolve() } };
}

test('a host in order has no problems', async () => {
  expect(await checkHost(world().context, true)).toEqual([]);
});

test('all problems are told at once, each with a cure, and the first decides the exit code', async () => {
  const { context, said } = world(
    { uid: 1000, ...engine(new EngineError('unreachable', 'nobody listens')), freeBytes: () => Promise.resolve(1) },
    { git: { exitCode: 127 } },
  );
  const problems = await checkHost(context, true);
  expect(problems.map(({ what }) => what)).toEqual([
    'setting up a host takes root',
    'git is not installed',
    'no container engine at unix:///var/run/docker.sock: nobody listens',
  ]);
  expect(tellProblems(context, problems)).toBe(77);
  expect(said).toHaveLength(3);
  expect(said[1]).toContain('apt-get install --yes --no-install-recommends git');
});

test('git is asked for only where something is cloned', async () => {
  const { context } = world({}, { git: { exitCode: 127 } });
  expect(await checkHost(context, false)).toEqual([]);
});

test.each([
  ['1.40', 69],
  ['1.41', 0],
  ['1.9', 69],
  ['2.0', 0],
])('an engine with API %s gives exit code %i', async (apiVersion, exitCode) => {
  const { context } = world(engine({ apiVersion }));
  expect(tellProblems(context, await checkHost(context, false))).toBe(exitCode);
});

test.each([
  ['forbidden', 77],
  ['unreachable', 69],
  ['timeout', 69],
  ['malformed', 69],
] as const)('an engine that is %s gives exit code %i', async (kind, exitCode) => {
  const { context } = world(engine(new EngineError(kind, 'no')));
  expect(tellProblems(context, await checkHost(context, false))).toBe(exitCode);
});

test('little free space is a warning, next to none a problem', async () => {
  const mib = 1024 ** 2;
  const tight = world({ freeBytes: () => Promise.resolve(1000 * mib) });
  expect(tellProblems(tight.context, await checkHost(tight.context, false))).toBe(0);
  expect(tight.said[0]).toMatch(/^warning: only 1000 MiB/);
  const full = world({ freeBytes: () => Promise.resolve(100 * mib) });
  expect(tellProblems(full.context, await checkHost(full.context, false))).toBe(73);
});

test('a disk that is not on this host is no problem', async () => {
  const { context } = world({ freeBytes: () => Promise.resolve(undefined) });
  expect(await checkHost(context, false)).toEqual([]);
});

test('an impossible clock is a problem, one that nobody keeps right a warning', async () => {
  const { context } = world({}, { timedatectl: { stdout: 'no\n' } });
  expect(tellProblems(context, await checkHost(context, false))).toBe(0);
  const now = () => ({ wallMs: 0, monoMs: 0, bootMs: 0 });
  const early = world({ clock: { now, sleep: () => Promise.resolve() } });
  expect(tellProblems(early.context, await checkHost(early.context, false))).toBe(69);
});

test('a host with neither systemd nor cron cannot start anything at boot', async () => {
  const { context } = world({}, { crontab: { exitCode: 127 } });
  rmSync(context.places.systemdRunDir, { recursive: true });
  expect(tellProblems(context, await checkHost(context, false))).toBe(69);
});
