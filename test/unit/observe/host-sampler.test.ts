import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createHostSampler, type HostSampler } from '../../../src/observe/host-sampler.js';
import type { OwnReading } from '../../../src/observe/own-cpu.js';
import { parseProcStat } from '../../../src/observe/proc-stat.js';
import { aPilot } from '../../support/builders.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';

interface Ticks {
  user?: number;
  steal?: number;
  idle?: number;
  iowait?: number;
}

describe('the host sampler on /proc/stat', () => {
  let dir = '';
  let clock: FakeClock;
  let sampler: HostSampler;
  let own: OwnReading;
  let service: Map<string, number>;
  let source: 'auto' | 'systeminformation';
  const context = { pilots: [], duringPull: false, short: false };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'plancton-proc-'));
    clock = createFakeClock();
    own = { groupNs: 0, outside: new Map() };
    service = new Map();
    source = 'auto';
    stat(4, {});
    sampler = createHostSampler({
      clock,
      source: () => source,
      procRoot: dir,
      ownCpu: { read: () => Promise.resolve(() => own) },
      serviceCpu: () => service,
    });
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  function stat(cpus: number, { user = 0, steal = 0, idle = 0, iowait = 0 }: Ticks): void {
    const lines = Array.from({ length: cpus }, (_, index) => `cpu${index} 0 0 0 0 0 0 0 0 0 0\n`);
    writeFileSync(join(dir, 'stat'), `cpu  ${user} 0 0 ${idle} ${iowait} 0 0 ${steal} 0 0\n${lines.join('')}ctxt 1\n`);
  }

  it('has nothing to tell after the first reading and a sample after the second', async () => {
    expect(await sampler.read(context)).toBeUndefined();
    await clock.advance(10_000);
    stat(4, { user: 1000, steal: 200, idle: 2000, iowait: 800 });
    own = { groupNs: 5e9, outside: new Map() };
    service = new Map();
    expect(await sampler.read({ pilots: [], duringPull: true, short: true })).toEqual({
      seq: 1,
      monoMs: clock.now().monoMs,
      spanMs: 10_000,
      cpus: 4,
      busy: 1.2,
      idle: 2,
      own: 0.5,
      service: 0,
      duringPull: true,
      short: true,
    });
  });

  it('tells at once how the host was used since an early reading, where there are no pilots', async () => {
    const begin = () =>
      createHostSampler({
        clock,
        source: () => source,
        procRoot: dir,
        ownCpu: { read: () => Promise.resolve(() => own) },
        serviceCpu: () => service,
        early: { host: parseProcStat(readFileSync(join(dir, 'stat'), 'utf8')), service: new Map(), monoMs: beganMs },
      });
    const beganMs = clock.now().monoMs;
    own = { groupNs: 7e9, outside: new Map() };
    const [first, withPilots, young] = [begin(), begin(), begin()];
    await clock.advance(399);
    expect(await young.read(context)).toBeUndefined();
    await clock.advance(1);
    stat(4, { user: 100, idle: 300 });
    expect(await first.read(context)).toMatchObject({ seq: 1, spanMs: 400, busy: 1, own: 0 });
    // Theirs would be told as the owner's.
    expect(await withPilots.read({ ...context, pilots: [aPilot()] })).toBeUndefined();
  });

  it('numbers its samples and counts each from the one before', async () => {
    await sampler.read(context);
    await clock.advance(1000);
    stat(4, { user: 400 });
    expect(await sampler.read(context)).toMatchObject({ seq: 1, busy: 4 });
    await clock.advance(1000);
    stat(4, { user: 400, idle: 400 });
    expect(await sampler.read(context)).toMatchObject({ seq: 2, busy: 0, idle: 4 });
  });

  it('waits until there is enough to tell and then covers the whole span', async () => {
    await sampler.read(context);
    await clock.advance(399);
    stat(4, { user: 100 });
    expect(await sampler.read(context)).toBeUndefined();
    await clock.advance(601);
    stat(4, { user: 100, idle: 300 });
    expect(await sampler.read(context)).toMatchObject({ spanMs: 1000, busy: 1 });
  });

  it('lets the kernel take back iowait', async () => {
    stat(4, { idle: 1000, iowait: 500 });
    await sampler.read(context);
    await clock.advance(1000);
    stat(4, { user: 200, idle: 1220, iowait: 480 });
    expect(await sampler.read(context)).toMatchObject({ busy: 2, idle: 2 });
  });

  const broken: { readonly what: string; readonly then: () => void }[] = [
    {
      what: 'the busy ticks fell',
      then: () => {
        stat(4, { user: 90, idle: 400 });
      },
    },
    {
      what: 'the idle ticks fell',
      then: () => {
        stat(4, { user: 400, idle: 0 });
      },
    },
    {
      what: 'nothing was counted',
      then: () => {
        stat(4, { user: 100, idle: 100 });
      },
    },
    {
      what: 'a CPU came',
      then: () => {
        stat(5, { user: 200, idle: 400 });
      },
    },
    {
      what: 'a CPU went',
      then: () => {
        stat(3, { user: 200, idle: 400 });
      },
    },
    {
      what: 'the group of the pilots went',
      then: () => {
        stat(4, { user: 200, idle: 400 });
        own = { groupNs: undefined, outside: new Map() };
      },
    },
    {
      what: 'a group named as ours began anew',
      then: () => {
        stat(4, { user: 200, idle: 400 });
        service = new Map([['group x', 1]]);
      },
    },
  ];
  it.each(broken)('drops the sample when $what, and starts again from there', async ({ then }) => {
    stat(4, { user: 100, idle: 100 });
    service = new Map([['group x', 9]]);
    await sampler.read(context);
    await clock.advance(1000);
    then();
    expect(await sampler.read(context)).toBeUndefined();
    await clock.advance(1000);
    const cpus = 4;
    stat(cpus, { user: 1000, idle: 1000 });
    await sampler.read(context);
    await clock.advance(1000);
    stat(cpus, { user: 1200, idle: 1200 });
    expect(await sampler.read(context)).toMatchObject({ spanMs: 1000, busy: 2, idle: 2 });
  });

  it('drops the sample when the configuration names another source, and starts again from there', async () => {
    const count = cpus().length;
    stat(count, {});
    await sampler.read(context);
    await clock.advance(1000);
    source = 'systeminformation';
    expect(await sampler.read(context)).toBeUndefined();
    await clock.advance(1000);
    source = 'auto';
    stat(count, { user: 400 });
    expect(await sampler.read(context)).toBeUndefined();
    await clock.advance(1000);
    stat(count, { user: 800 });
    expect(await sampler.read(context)).toMatchObject({ spanMs: 1000, busy: count });
  });

  it('rejects when the host cannot be read, and does not bridge the gap', async () => {
    await sampler.read(context);
    await clock.advance(1000);
    rmSync(join(dir, 'stat'));
    await expect(sampler.read(context)).rejects.toThrow(/stat/);
    await clock.advance(1000);
    stat(4, { user: 100, idle: 700 });
    expect(await sampler.read(context)).toBeUndefined();
    await clock.advance(1000);
    stat(4, { user: 200, idle: 1000 });
    expect(await sampler.read(context)).toMatchObject({ spanMs: 1000, busy: 1 });
  });
});

describe('the host sampler elsewhere', () => {
  it('asks systeminformation where the kernel has no such file', async () => {
    const sampler = createHostSampler({
      clock: systemClock,
      source: () => 'auto',
      procRoot: '/nonexistent',
      ownCpu: { read: () => Promise.resolve(() => ({ groupNs: undefined, outside: new Map() })) },
      serviceCpu: () => new Map(),
    });
    const context = { pilots: [], duringPull: false, short: false };
    await sampler.read(context);
    await systemClock.sleep(600);
    const sample = await sampler.read(context);
    expect(sample?.cpus).toBeGreaterThan(0);
    expect(sample?.busy).toBeGreaterThanOrEqual(0);
    expect(sample?.busy).toBeLessThanOrEqual(sample?.cpus ?? 0);
    expect(sample?.own).toBe(0);
  });
});
