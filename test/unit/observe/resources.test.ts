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

  it('is unknown where reading fails, and the rest is known all the same', async () => {
    stall('io', 'nonsense');
    const { memory, disk, pressure } = await read({ dataRoot: () => '/proc/self/environ/x' });
    expect([disk, pressure]).toEqual([undefined, undefined]);
    expect(memory).toBeDefined();
    expect((await read({ dataRoot: () => undefined })).disk).toBeUndefined();
  });
});
