import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createRing, type Ring, type RingLimits } from '../../../src/journal/ring.js';
import { tempDirectory } from '../../support/temp-directory.js';

const day = 86_400_000;
const limits: RingLimits = { bytes: 8000, ageMs: day };

function aRing(folder = join(tempDirectory(), 'journal')): { ring: Ring; folder: string; troubles: string[] } {
  const troubles: string[] = [];
  const ring = createRing({ folder, clock: systemClock, onTrouble: (message) => troubles.push(message) });
  return { ring, folder, troubles };
}

function kept(folder: string): string[] {
  const parts = readdirSync(folder).sort();
  return parts.flatMap((part) => readFileSync(join(folder, part), 'utf8').split('\n').filter(Boolean));
}

function sizeOf(folder: string): number {
  // One may go in between.
  const sizes = readdirSync(folder).map((part) => statSync(join(folder, part), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function addAll(ring: Ring, lines: readonly string[], by = limits): Promise<void> {
  for (const line of lines) ring.add(line, by);
  await ring.close(10_000);
}

describe('a ring of lines', () => {
  it('keeps them in order, for nobody else to read', async () => {
    const { ring, folder, troubles } = aRing();
    await addAll(ring, ['a', 'b', 'c']);
    expect(kept(folder)).toEqual(['a', 'b', 'c']);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, '00000000.jsonl')).mode & 0o777).toBe(0o600);
    expect(troubles).toEqual([]);
  });

  it('goes on where the one before it ended', async () => {
    const { ring, folder } = aRing();
    await addAll(ring, ['a']);
    await addAll(aRing(folder).ring, ['b']);
    expect(kept(folder)).toEqual(['a', 'b']);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('begins a line of its own after one that was torn', async () => {
    const { folder } = aRing();
    mkdirSync(folder);
    writeFileSync(join(folder, '00000007.jsonl'), 'whole\ntor');
    await addAll(aRing(folder).ring, ['b']);
    expect(kept(folder)).toEqual(['whole', 'tor', 'b']);
    expect(readdirSync(folder)).toEqual(['00000007.jsonl']);
  });

  it('never takes more room than it may, and loses the oldest first', async () => {
    const { ring, folder } = aRing();
    const lines = Array.from({ length: 400 }, (_, index) => `${String(index).padStart(4, '0')}${'x'.repeat(95)}`);
    for (const line of lines) {
      ring.add(line, limits);
      if (existsSync(folder)) expect(sizeOf(folder)).toBeLessThanOrEqual(limits.bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ring.close(10_000);
    const found = kept(folder);
    expect(found).toEqual(lines.slice(-found.length));
    expect(found.length).toBeGreaterThan(60);
    expect(sizeOf(folder)).toBeLessThanOrEqual(limits.bytes);
  });

  it('takes away what is too old', async () => {
    const { folder } = aRing();
    mkdirSync(folder);
    const old = (Date.now() - 2 * day) / 1000;
    for (const name of ['00000001.jsonl', '00000002.jsonl']) {
      writeFileSync(join(folder, name), `${'x'.repeat(1000)}\n`);
      utimesSync(join(folder, name), old, old);
    }
    await addAll(aRing(folder).ring, ['new']);
    expect(kept(folder)).toEqual(['new']);
  });

  it('keeps nothing where there is no room for it', async () => {
    const { ring, folder } = aRing();
    await addAll(ring, ['a'], { bytes: 0, ageMs: day });
    expect(existsSync(folder)).toBe(false);
  });

  it('goes away where none is wanted any more, also while lines wait', async () => {
    const { ring, folder } = aRing();
    ring.add('a', limits);
    ring.add('b', limits);
    ring.add('c', { bytes: 0, ageMs: day });
    ring.add('d', { bytes: 0, ageMs: day });
    await ring.close(10_000);
    const again = aRing(folder).ring;
    await addAll(again, ['e'], { bytes: 0, ageMs: day });
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    await addAll(again, ['f']);
    expect(kept(folder)).toEqual(['f']);
  });

  it('is in parts of an eighth of its age', async () => {
    let wallMs = Date.now();
    const folder = join(tempDirectory(), 'journal');
    const clock = { ...systemClock, now: () => ({ ...systemClock.now(), wallMs }) };
    const ring = createRing({ folder, clock, onTrouble: (message) => expect.fail(message) });
    for (let part = 0; part < 3; part += 1) {
      ring.add(`part ${part}`, limits);
      await ring.close(10_000);
      wallMs += day / 8 + 1000;
    }
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('leaves alone what is not a part of it', async () => {
    const { folder } = aRing();
    mkdirSync(folder);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await addAll(aRing(folder).ring, ['a']);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it.each(['a link', 'a second name', 'a folder'])('writes to no file that is %s', async (what) => {
    const { ring, folder, troubles } = aRing();
    mkdirSync(folder);
    const other = join(folder, 'other');
    writeFileSync(other, 'theirs');
    const part = join(folder, '00000000.jsonl');
    if (what === 'a link') symlinkSync(other, part);
    else if (what === 'a second name') linkSync(other, part);
    else mkdirSync(part);
    await addAll(ring, ['a']);
    expect(readFileSync(other, 'utf8')).toBe('theirs');
    expect(troubles).toHaveLength(1);
  });

  it('says once that lines are lost, and how many when it can write again', async () => {
    const { folder, troubles } = aRing();
    writeFileSync(folder, 'a file in its place');
    let monoMs = 0;
    const clock = { ...systemClock, now: () => ({ ...systemClock.now(), monoMs }) };
    const ring = createRing({ folder, clock, onTrouble: (message) => troubles.push(message) });
    for (const line of ['a', 'b']) {
      ring.add(line, limits);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(troubles).toEqual([expect.stringMatching(/^what happens is not kept for a while: .*(ENOTDIR|EEXIST)/)]);
    rmSync(folder);
    ring.add('too early', limits);
    await new Promise((resolve) => setTimeout(resolve, 50));
    monoMs = 10_000;
    await addAll(ring, ['c']);
    expect(kept(folder)).toEqual(['c']);
    expect(troubles[1]).toBe('what happens is kept again; 3 events are missing');
  });

  it('loses what is more than it can hold while the disk is slow', async () => {
    const { ring, folder, troubles } = aRing();
    const line = 'x'.repeat(400_000);
    for (let count = 0; count < 5; count += 1) ring.add(line, { bytes: 1e9, ageMs: day });
    await ring.close(10_000);
    expect(kept(folder).length).toBeLessThan(5);
    expect(troubles[0]).toContain('the disk is too slow');
  });
});
