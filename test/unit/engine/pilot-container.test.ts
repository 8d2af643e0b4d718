import { describe, expect, it } from 'vitest';
import {
  fromContainerSummary,
  fromEngineTime,
  pilotLabels,
  toCreateOptions,
  type ContainerSummary,
} from '../../../src/engine/pilot-container.js';
import { aSpec } from '../../support/builders.js';

const withAppArmor = { appArmor: true, logDriver: 'json-file' };
const withoutAppArmor = { appArmor: false, logDriver: 'json-file' };
const ownership = { instance: 'test', adoptOriginal: false };

function aSummary(overrides: Partial<ContainerSummary> = {}): ContainerSummary {
  const { Labels } = toCreateOptions(aSpec(), undefined, withAppArmor);
  return {
    Id: 'c1',
    Names: ['/plancton-worker-aaaaaa'],
    Image: 'busybox:latest',
    ImageID: 'sha256:1',
    Created: 1_700_000_000,
    State: 'running',
    Status: 'Up 5 seconds',
    Labels,
    ...overrides,
  };
}

describe('a pilot as a create request', () => {
  it('carries its resources in the units of the engine', () => {
    const spec = aSpec({ cpus: 2.5, memoryBytes: 1000, swapBytes: 500 });
    expect(toCreateOptions(spec, undefined, withAppArmor).HostConfig).toMatchObject({
      CpuQuota: 250_000,
      CpuPeriod: 100_000,
      Memory: 1000,
      MemorySwap: 1500,
    });
  });

  it('never swaps more than it was allowed to, also without any swap', () => {
    const { HostConfig } = toCreateOptions(aSpec({ memoryBytes: 1000, swapBytes: 0 }), undefined, withAppArmor);
    expect(HostConfig.MemorySwap).toBe(1000);
  });

  it('is the same as that of the original, and limited in processes and log', () => {
    const spec = aSpec({
      hostname: 'plancton-h-aaaaaa',
      user: '7:8',
      env: { A: '1', B: 'x=y' },
      command: ['run'],
      entrypoint: ['/init'],
      network: 'host',
      privileged: true,
      binds: ['/cvmfs:/cvmfs:ro'],
      devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rw' }],
      capabilitiesAdded: ['SYS_ADMIN'],
      capabilitiesDropped: ['MKNOD'],
    });
    expect(toCreateOptions(spec, '/plancton/x', withAppArmor)).toMatchObject({
      Image: 'busybox:latest',
      Cmd: ['run'],
      Entrypoint: ['/init'],
      Env: ['A=1', 'B=x=y'],
      Hostname: 'plancton-h-aaaaaa',
      User: '7:8',
      HostConfig: {
        CgroupParent: '/plancton/x',
        NetworkMode: 'host',
        Privileged: true,
        Binds: ['/cvmfs:/cvmfs:ro'],
        Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rw' }],
        CapAdd: ['SYS_ADMIN'],
        CapDrop: ['MKNOD'],
        Init: true,
        PidsLimit: 4096,
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      },
    });
  });

  it.each([
    ['json-file', { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } }],
    ['', { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } }],
    ['local', { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2' } }],
    ['journald', { Type: 'journald', Config: {} }],
    ['none', { Type: 'none', Config: {} }],
  ])('has a bounded log, or one that is bounded elsewhere, on an engine that logs by "%s"', (logDriver, expected) => {
    const { HostConfig } = toCreateOptions(aSpec(), undefined, { ...withAppArmor, logDriver });
    expect(HostConfig.LogConfig).toEqual(expected);
  });

  it('has as many processes as its configuration says, and goes first when memory is short', () => {
    const { HostConfig } = toCreateOptions(aSpec({ pids: 77 }), undefined, withAppArmor);
    expect(HostConfig).toMatchObject({
      PidsLimit: 77,
      OomScoreAdj: 500,
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
    });
  });

  it('leaves the entrypoint of the image alone when none is given', () => {
    expect(toCreateOptions(aSpec(), undefined, withAppArmor)).not.toHaveProperty('Entrypoint');
  });

  it('takes the lowest weight by itself only where there is no parent that has it', () => {
    expect(toCreateOptions(aSpec(), undefined, withAppArmor).HostConfig.CpuShares).toBe(2);
    expect(toCreateOptions(aSpec(), '/plancton/x', withAppArmor).HostConfig).not.toHaveProperty('CpuShares');
  });

  it.each([
    ['keeps profiles where there is AppArmor', withAppArmor, ['apparmor=cvmfs', 'no-new-privileges']],
    ['drops nothing but profiles where there is none', withoutAppArmor, ['no-new-privileges']],
  ])('%s', (_, info, expected) => {
    const spec = aSpec({ securityOptions: ['apparmor:cvmfs', 'no-new-privileges'] });
    expect(toCreateOptions(spec, undefined, info).HostConfig.SecurityOpt).toEqual(expected);
  });
});

describe('a line of the list as a pilot', () => {
  it('tells everything that was written into the labels', () => {
    const spec = aSpec({
      cpus: 0.5,
      memoryBytes: 1000,
      flavour: 'fast',
      revision: 'abc',
      bootId: 'b',
      spawnedBootMs: 42,
    });
    const summary = aSummary({ Labels: toCreateOptions(spec, undefined, withAppArmor).Labels });
    expect(fromContainerSummary(summary, ownership)).toEqual({
      id: 'c1',
      imageId: 'sha256:1',
      address: undefined,
      name: 'plancton-worker-aaaaaa',
      state: 'running',
      image: 'busybox:latest',
      cpus: 0.5,
      memoryBytes: 1000,
      flavour: 'fast',
      revision: 'abc',
      spawnedBootMs: 42,
      bootId: 'b',
      createdWallMs: 1_700_000_000_000,
      exitCode: undefined,
      adopted: false,
    });
  });

  it.each([
    ['of another instance', { [pilotLabels.instance]: 'other' }],
    ['without the mark', { [pilotLabels.managed]: 'false' }],
    [
      'made of an image that was committed from a pilot',
      { [pilotLabels.name]: 'plancton-worker-bbbbbb', [pilotLabels.image]: 'site/pilot:1' },
    ],
  ])('is no pilot of ours when it is one %s', (_, labels) => {
    const summary = aSummary({ Labels: { ...aSummary().Labels, ...labels } });
    expect(fromContainerSummary(summary, ownership)).toBeUndefined();
    expect(fromContainerSummary(summary, { ...ownership, adoptOriginal: true })).toBeUndefined();
  });

  it('is no pilot of ours without the label of its name, though it says which image it is of', () => {
    const Labels = Object.fromEntries(Object.entries(aSummary().Labels).filter(([key]) => key !== pilotLabels.name));
    expect(fromContainerSummary(aSummary({ Labels }), ownership)).toBeUndefined();
  });

  it('stays ours when somebody renames it', () => {
    const summary = aSummary({ Names: ['/my-own-name'] });
    expect(fromContainerSummary(summary, ownership)?.name).toBe('my-own-name');
  });

  it('goes by its own name where other containers link to it', () => {
    const summary = aSummary({ Names: ['/other/link', '/plancton-worker-aaaaaa'] });
    expect(fromContainerSummary(summary, ownership)?.name).toBe('plancton-worker-aaaaaa');
  });

  it.each([
    ['plancton-worker-0a1b2c', true],
    ['plancton-worker-0a1b2c3', false],
    ['plancton-worker-db-of-someone', false],
    ['my-plancton-worker-0a1b2c', false],
    ['plancton-worker-ABCDEF', false],
  ])('of an original Plancton is adopted by its exact name only: %s', (name, adopted) => {
    const summary = aSummary({ Names: [`/${name}`], Labels: {} });
    expect(fromContainerSummary(summary, { ...ownership, adoptOriginal: true })?.adopted).toBe(
      adopted ? true : undefined,
    );
    expect(fromContainerSummary(summary, ownership)).toBeUndefined();
  });

  it.each([
    ['exited', 'Exited (137) 2 minutes ago', 137],
    ['exited', 'Exited (0) Less than a second ago', 0],
    ['dead', 'Dead', undefined],
    ['running', 'Up 5 seconds', undefined],
    ['running', 'Exited (1) never', undefined],
  ])('that is %s (%s) has the exit code %s', (State, Status, exitCode) => {
    expect(fromContainerSummary(aSummary({ State, Status }), ownership)?.exitCode).toBe(exitCode);
  });

  it('does not guess what a new state means', () => {
    expect(fromContainerSummary(aSummary({ State: 'hibernating' }), ownership)?.state).toBe('unknown');
  });

  it('takes a label that is not a number for missing', () => {
    const Labels = { ...aSummary().Labels, [pilotLabels.cpus]: 'many', [pilotLabels.spawnedBootMs]: '' };
    expect(fromContainerSummary(aSummary({ Labels }), ownership)).toMatchObject({
      cpus: undefined,
      spawnedBootMs: undefined,
    });
  });
});

describe('a time of the engine', () => {
  it('is in ms, and the zero date means never', () => {
    expect(fromEngineTime('2026-01-01T00:00:00.123456789Z')).toBe(Date.UTC(2026, 0, 1) + 123);
    expect(fromEngineTime('0001-01-01T00:00:00Z')).toBeUndefined();
    expect(fromEngineTime('')).toBeUndefined();
  });
});
