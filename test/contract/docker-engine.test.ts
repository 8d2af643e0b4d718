import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { PullProgress } from '../../src/engine/container-engine.js';
import type { EngineDeadlines } from '../../src/engine/docker-connection.js';
import { createDockerEngine } from '../../src/engine/docker-engine.js';
import type { Labels } from '../../src/engine/pilot-container.js';
import { aSpec } from '../support/builders.js';
import { importBusybox } from '../support/busybox-image.js';
import { dockerCli } from '../support/docker-cli.js';
import { registryLogin, startLocalRegistry } from '../support/local-registry.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { describeContract, endsOnTerm, suffix, type EngineUnderTest } from './container-engine.contract.js';

const never = new AbortController().signal;

function connect(host: string, { deadlines = {}, registryAuthFile = '/nonexistent/config.json' }: Settings = {}) {
  return createDockerEngine({ clock: systemClock, host, registryAuthFile, deadlines });
}

interface Settings {
  readonly deadlines?: Partial<EngineDeadlines>;
  readonly registryAuthFile?: string;
}

function openReal(): Promise<EngineUnderTest> {
  const host = inject('dockerHost');
  const docker = dockerCli(host);
  return Promise.resolve({
    engine: connect(host),
    addForeign: async (name, labels, imageLabels) => {
      const texts = (of: Labels) => Object.entries(of).map(([label, value]) => `${label}=${value}`);
      const image = imageLabels === undefined ? 'busybox' : `image-of-${name}`;
      const changes = texts(imageLabels ?? {}).map((label) => `LABEL ${label}`);
      if (imageLabels !== undefined) await importBusybox({ docker }, image, { changes });
      const options = texts(labels).map((label) => `--label=${label}`);
      return docker('run', '--detach', '--name', name, ...options, image, 'sleep', '1000');
    },
    ids: async () => (await docker('ps', '--all', '--quiet', '--no-trunc')).split('\n').filter((id) => id !== ''),
    pause: async (name) => {
      await docker('pause', name);
    },
    addImage: (reference) => importBusybox({ docker }, reference, { salt: suffix() }),
    tag: async (reference, name) => {
      await docker('tag', reference, name);
    },
    discard: async (id) => {
      await docker('rm', '--force', '--volumes', id);
    },
    close: () => Promise.resolve(),
  });
}

describeContract('a real Docker Engine', openReal);

describe('a pilot on a real Docker Engine', () => {
  let engine: PrivateEngine;
  const instance = 'test';
  const ownership = { instance, adoptOriginal: false };

  beforeAll(async () => {
    engine = await startPrivateEngine();
    await importBusybox(engine);
  });
  afterAll(() => engine.stop());

  it('has exactly the resources it was given', async () => {
    const pilots = connect(engine.host);
    const spec = aSpec({ cpus: 1.5, env: { SECRET: 'a=b c' }, memoryBytes: 50_000_000, swapBytes: 0 });
    const id = await pilots.createPilot(spec, '/plancton-contract');
    const [inspected] = JSON.parse(await engine.docker('inspect', id)) as [Record<string, object>];
    await pilots.removePilot(id);
    expect(inspected['Config']).toMatchObject({ Env: expect.arrayContaining(['SECRET=a=b c']) as unknown });
    expect(inspected['HostConfig']).toMatchObject({
      CpuQuota: 150_000,
      CpuPeriod: 100_000,
      Memory: 50_000_000,
      MemorySwap: 50_000_000,
      CgroupParent: '/plancton-contract',
      PidsLimit: 4096,
      Init: true,
      AutoRemove: false,
      RestartPolicy: { Name: expect.stringMatching(/^(no)?$/) as unknown },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
    });
  });

  it('takes its anonymous volumes with it', async () => {
    await importBusybox(engine, 'with-volume:v1', { changes: ['VOLUME /data'] });
    const pilots = connect(engine.host);
    const id = await pilots.createPilot(aSpec({ image: 'with-volume:v1' }), undefined);
    await pilots.startPilot(id);
    expect(await engine.docker('volume', 'ls', '--quiet')).not.toBe('');
    await pilots.removePilot(id);
    expect(await engine.docker('volume', 'ls', '--quiet')).toBe('');
  });

  it('is known by the image it was asked for when that name has moved on', async () => {
    const pilots = connect(engine.host);
    await importBusybox(engine, 'moving:v1', { salt: 'first' });
    const id = await pilots.createPilot(aSpec({ image: 'moving:v1' }), undefined);
    await importBusybox(engine, 'moving:v1', { salt: 'second' });
    const listed = await pilots.listPilots(ownership);
    await pilots.removePilot(id);
    expect(listed).toMatchObject([{ image: 'moving:v1' }]);
  });

  it('is stopped within its grace although the engine has other things to wait for', async () => {
    const pilots = connect(engine.host);
    const id = await pilots.createPilot(aSpec({ command: endsOnTerm }), undefined);
    await pilots.startPilot(id);
    await Promise.all([pilots.stopPilot(id, 20), pilots.stopPilot(id, 20)]);
    await expect(pilots.pilotEnd(id)).resolves.toMatchObject({ exitCode: 7 });
    await pilots.removePilot(id);
  });

  it('is told from one that could not be asked about: a frozen engine is a timeout and leaves nothing open', async () => {
    const pilots = connect(engine.host, { deadlines: { listMs: 500, versionMs: 500 } });
    await pilots.listPilots(ownership);
    const openFiles = () => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    engine.pause();
    try {
      const calls = Array.from({ length: 30 }, () => pilots.listPilots(ownership));
      for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
      await expect(pilots.listPilots(ownership)).rejects.toMatchObject({ name: 'EngineError', kind: 'timeout' });
      await expect.poll(openFiles).toBeLessThanOrEqual(before);
    } finally {
      engine.resume();
    }
    await expect(pilots.listPilots(ownership)).resolves.toEqual([]);
  });

  it('may appear after its creation was given up, and its name tells so', async () => {
    const pilots = connect(engine.host, { deadlines: { createMs: 300 } });
    await pilots.info();
    engine.pause();
    try {
      await expect(pilots.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'timeout' });
    } finally {
      engine.resume();
    }
    await expect.poll(() => pilots.listPilots(ownership)).toMatchObject([{ name: aSpec().name, state: 'created' }]);
    await expect(pilots.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'conflict' });
    for (const { id } of await pilots.listPilots(ownership)) await pilots.removePilot(id);
  });

  it('is known again when the engine comes back from a crash', async () => {
    const pilots = connect(engine.host);
    const id = await pilots.createPilot(aSpec({ command: ['/bin/sleep', '1000'] }), undefined);
    await pilots.startPilot(id);
    await engine.kill9();
    await expect(pilots.listPilots(ownership)).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(pilots.removePilot(id)).rejects.toMatchObject({ kind: 'unreachable' });
    await engine.restart();
    await expect(pilots.listPilots(ownership)).resolves.toMatchObject([{ id, state: 'exited' }]);
    await pilots.removePilot(id);
  });
});

describe('a pull from a real registry', () => {
  let engine: PrivateEngine;
  let dir: string;

  beforeAll(async () => {
    engine = await startPrivateEngine();
    await importBusybox(engine);
    dir = await mkdtemp(join(tmpdir(), 'plancton-pull-'));
  });
  afterAll(async () => {
    await engine.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Leaves the image in the registry only. */
  async function forget(reference: string): Promise<void> {
    await importBusybox(engine, 'busybox:latest', { salt: suffix() });
    await engine.docker('rmi', reference);
  }

  it('brings the image, tells how far it is, and is repeatable', async () => {
    const registry = await startLocalRegistry(engine);
    const pilots = connect(engine.host);
    const reference = await registry.push('busybox', 'group/worker:v1');
    await forget(reference);
    const told: PullProgress[] = [];
    await pilots.pullImage(reference, (progress) => told.push(progress), never);
    await expect(pilots.findImage(reference)).resolves.not.toBeNull();
    expect(told.at(-1)?.status).toMatch(/^Status: Downloaded newer image/);
    await pilots.pullImage(reference, (progress) => told.push(progress), never);
    expect(told.at(-1)?.status).toMatch(/^Status: Image is up to date/);
    await registry.stop();
  });

  it('by digest brings exactly that image, also when a tag is given', async () => {
    const registry = await startLocalRegistry(engine);
    const pilots = connect(engine.host);
    const reference = await registry.push('busybox', 'group/pinned:v1');
    const [repoDigest = ''] = JSON.parse(
      await engine.docker('inspect', '--format', '{{json .RepoDigests}}', reference),
    ) as string[];
    const digest = repoDigest.slice(repoDigest.indexOf('@'));
    await forget(reference);
    await pilots.pullImage(`${reference}${digest}`, () => undefined, never);
    await expect(pilots.findImage(`${reference}${digest}`)).resolves.not.toBeNull();
    await registry.stop();
  });

  it('of what it does not have is not found', async () => {
    const registry = await startLocalRegistry(engine);
    const pulling = connect(engine.host).pullImage(`${registry.host}/no/such:v1`, () => undefined, never);
    await expect(pulling).rejects.toMatchObject({ kind: 'not-found' });
    await registry.stop();
  });

  it('that wants a log-in takes it from the file, and fails without', async () => {
    const registry = await startLocalRegistry(engine, { withLogin: true });
    const reference = await registry.push('busybox', 'private/worker:v1');
    await forget(reference);
    await expect(connect(engine.host).pullImage(reference, () => undefined, never)).rejects.toMatchObject({
      name: 'EngineError',
    });
    const registryAuthFile = join(dir, 'config.json');
    const auth = Buffer.from(`${registryLogin.username}:${registryLogin.password}`).toString('base64');
    await writeFile(registryAuthFile, JSON.stringify({ auths: { [registry.host]: { auth } } }), { mode: 0o600 });
    const pilots = connect(engine.host, { registryAuthFile });
    await pilots.pullImage(reference, () => undefined, never);
    await expect(pilots.findImage(reference)).resolves.not.toBeNull();
    await registry.stop();
  });

  it('of a damaged layer has failed, although the engine said 200', async () => {
    const registry = await startLocalRegistry(engine);
    const pilots = connect(engine.host);
    await importBusybox(engine, 'damaged:v1', { salt: suffix() });
    const reference = await registry.push('damaged:v1', 'group/damaged:v1');
    await engine.docker('rmi', 'damaged:v1', reference);
    await registry.corruptLayers();
    await expect(pilots.pullImage(reference, () => undefined, never)).rejects.toMatchObject({ kind: 'refused' });
    await expect(pilots.findImage(reference)).resolves.toBeNull();
    await registry.stop();
  });

  it('from a registry that is away fails in words', async () => {
    const registry = await startLocalRegistry(engine);
    const { host } = registry;
    await registry.stop();
    const pulling = connect(engine.host).pullImage(`${host}/x:v1`, () => undefined, never);
    await expect(pulling).rejects.toThrow(/connection refused/);
  });
});
