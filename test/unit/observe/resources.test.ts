import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createResourceReader, type ResourceReaderOptions } from '../../../src/observe/resources.js';

describe('what pilots need beside CPUs', () => {
  let procRoot = '';
  beforeEach(() => {
    procRoot = mkdtempSync(join(tmpdir(), 'plancton-resources-'));
    mkdirSync(join(procRoot, 'pressure'));
    stall('memory', 'some avg10=1.50 avg60=2.50 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n');
    stall('io', 'some avg10=9.00 avg60=9.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=3.50 avg300=0.00 total=0\n');
  });
  afterEach(() => {
    rmSync(procRoot, { recursive: true });
  });

  function count(loadavg: string, pidMax = '32768', threadsMax = '95000'): void {
    mkdirSync(join(procRoot, 'sys', 'kernel'), { recursive: true });
    writeFileSync(join(procRoot, 'loadavg'), `${loadavg}\n`);
    writeFileSync(join(procRoot, 'sys', 'kernel', 'pid_max'), `${pidMax}\n`);
    writeFileSync(join(procRoot, 'sys', 'kernel', 'threads-max'), `${threadsMax}\n`);
  }

  function stall(file: 'memory' | 'io', text: string): void {
    writeFileSync(join(procRoot, 'pressure', file), text);
  }
  function read(options: Partial<ResourceReaderOptions> = {}) {
    const given = { clock: systemClock, procRoot, dataRoot: () => tmpdir(), pilotsBytes: () => 42, ...options };
    return createResourceReader(given)();
  }

  it('is memory, disk and pressure', async () => {
    const { memory, disk, pressure } = await read();
    expect(memory?.availableBytes).toBeGreaterThan(0);
    expect(memory?.availableBytes).toBeLessThan(totalmem());
    expect(memory?.pilotsBytes).toBe(42);
    expect(disk?.freeBytes).toBeGreaterThan(0);
    expect(pressure).toEqual({ memorySome10: 1.5, memorySome60: 2.5, ioFull60: 3.5 });
  });

  it('counts nothing as taken by pilots whose memory is not counted', async () => {
    expect((await read({ pilotsBytes: () => undefined })).memory?.pilotsBytes).toBe(0);
  });

  it('has no disk here where the engine is elsewhere, or keeps its data elsewhere', async () => {
    expect((await read({ dataRoot: () => null })).disk).toBeNull();
    expect((await read({ dataRoot: () => '/nonexistent' })).disk).toBeNull();
  });

  it('has no pressure where the kernel does not tell it', async () => {
    expect((await read({ procRoot: '/nonexistent' })).pressure).toBeNull();
  });

  it('is room for processes and threads, by the smaller one of the two limits', async () => {
    expect((await read()).tasks).toBeNull();
    count('0.20 0.18 0.12 1/234 5678');
    expect((await read()).tasks).toEqual({ count: 234, most: 32_768 });
    count('0.20 0.18 0.12 1/234 5678', '4194304');
    expect((await read()).tasks).toEqual({ count: 234, most: 95_000 });
    for (const nonsense of ['', '0.20 0.18 0.12', '0.20 0.18 0.12 1/-3 5678', '1/234']) {
      count(nonsense);
      expect((await read()).tasks).toBeUndefined();
    }
    count('0.20 0.18 0.12 1/234 5678', 'many');
    expect((await read()).tasks).toBeUndefined();
    expect((await read({ procRoot: '/proc' })).tasks?.count).toBeGreaterThan(1);
  });

  it('is unknown where reading fails, and the rest is known all the same', async () => {
    stall('io', 'nonsense');
    const { memory, disk, pressure } = await read({ dataRoot: () => '/proc/self/environ/x' });
    expect([disk, pressure]).toEqual([undefined, undefined]);
    expect(memory).toBeDefined();
    expect((await read({ dataRoot: () => undefined })).disk).toBeUndefined();
  });
});
