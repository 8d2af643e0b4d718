import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { EngineInfo } from '../../src/engine/container-engine.js';
import { createServiceCpu } from '../../src/observe/daemon-cpu.js';
import { createHostSampler } from '../../src/observe/host-sampler.js';
import { createOwnCpu } from '../../src/observe/own-cpu.js';
import { preparePilotCgroup, type PilotCgroup } from '../../src/observe/pilot-cgroup.js';
import { aPilot } from '../support/builders.js';
import { removeCgroups } from '../support/engine-leftovers.js';

const cgroupRoot = '/sys/fs/cgroup';
const ncpus = availableParallelism();
const instance = `test${process.pid}`;

async function docker(...args: string[]): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: inject('dockerHost') };
  return (await promisify(execFile)('docker', args, { env, timeout: 60_000 })).stdout.trim();
}

async function engineInfo(): Promise<EngineInfo> {
  const [driver, version] = (await docker('info', '--format', '{{.CgroupDriver}} {{.CgroupVersion}}')).split(' ');
  return {
    version: 'any',
    apiVersion: 'any',
    cgroupDriver: driver === 'systemd' ? 'systemd' : 'cgroupfs',
    cgroupVersion: version === '2' ? 2 : 1,
    rootless: false,
    appArmor: false,
    logDriver: 'json-file',
    defaultRuntime: 'runc',
    dataRoot: '/nonexistent',
  };
}

/** User and system time of a process so far, in hundredths of a second. */
function ticksOf(child: ChildProcess): number {
  const text = readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe('the group of the pilots on a real engine', () => {
  const busyLoop = ['sh', '-c', 'while :; do :; done'];
  let group: PilotCgroup;
  let pilots: string[] = [];
  const owners: ChildProcess[] = [];

  beforeAll(async () => {
    group = await preparePilotCgroup({ instance, info: await engineInfo(), nice: true, remote: false });
    pilots = await Promise.all(
      Array.from({ length: ncpus }, () =>
        docker('run', '--detach', '--cgroup-parent', group.parent ?? '', 'busybox:latest', ...busyLoop),
      ),
    );
  });

  afterAll(async () => {
    for (const owner of owners) owner.kill('SIGKILL');
    if (pilots.length > 0) await docker('rm', '--force', ...pilots);
    await removeCgroups(`/plancton/${instance}`);
    // The outer group goes as well, unless another instance is in it.
    for (const hierarchy of ['.', ...readdirSync(cgroupRoot)]) {
      await rmdir(join(cgroupRoot, hierarchy, 'plancton')).catch(() => undefined);
    }
  });

  it('is of the lowest weight, holds the pilots and may be prepared again', async () => {
    expect(group.yields, group.describe()).toBe('cgroup');
    expect(group.describe()).toMatch(/for disks (no weight|(io|blkio)\.(bfq\.)?weight 1)/);
    expect(pilots.every((id) => group.holds(id))).toBe(true);
    expect(group.holds('f'.repeat(64))).toBe(false);
    expect(group.readMemoryBytes()).toBeGreaterThan(0);
    const usedBefore = group.readCpuNs() ?? Infinity;
    const again = await preparePilotCgroup({ instance, info: await engineInfo(), nice: true, remote: false });
    expect(again.parent).toBe(group.parent);
    expect(again.readCpuNs()).toBeGreaterThanOrEqual(usedBefore);
  });

  it('leaves the host to its owner, and tells his use from that of the pilots', async () => {
    for (let index = 0; index < ncpus; index += 1) owners.push(spawn('/bin/busybox', busyLoop, { stdio: 'ignore' }));
    await Promise.all(owners.map((owner) => once(owner, 'spawn')));
    const sampler = createHostSampler({
      clock: systemClock,
      source: () => 'auto',
      procRoot: '/proc',
      ownCpu: createOwnCpu({
        clock: systemClock,
        engine: { pilotCpuNs: () => Promise.reject(new Error('all pilots are in the group')) },
        group: () => group,
        cpusPerDock: () => 1,
      }),
      serviceCpu: createServiceCpu({ procRoot: '/proc', cgroupRoot, ownCgroups: () => [] }),
    });
    const context = { pilots: pilots.map((id) => aPilot({ id })), duringPull: false, short: false };
    const ownerTicks = () => owners.reduce((sum, owner) => sum + ticksOf(owner), 0);

    await sampler.read(context);
    const [ownerBefore, pilotsBefore] = [ownerTicks(), group.readCpuNs() ?? NaN];
    await systemClock.sleep(4000);
    const sample = await sampler.read(context);
    const ownerSeconds = (ownerTicks() - ownerBefore) / 100;
    const pilotSeconds = ((group.readCpuNs() ?? NaN) - pilotsBefore) / 1e9;

    expect(ownerSeconds / (ownerSeconds + pilotSeconds)).toBeGreaterThan(0.9);
    expect(sample?.own).toBeLessThan(0.1 * ncpus);
    expect((sample?.busy ?? 0) - (sample?.own ?? 0)).toBeGreaterThan(0.8 * ncpus);
  });

  it('counts what the pilots use once the owner has gone', async () => {
    for (const owner of owners.splice(0)) owner.kill('SIGKILL');
    const before = group.readCpuNs() ?? NaN;
    await systemClock.sleep(2000);
    // However little the rest of the host leaves them.
    expect((group.readCpuNs() ?? NaN) - before).toBeGreaterThan(0);
  });
});
