import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createJournal, type JournalEntry } from '../../../src/journal/journal.js';
import { toJournalEntry } from '../../../src/journal/entry-shape.js';
import { readJournal } from '../../../src/journal/read-journal.js';
import type { Fields } from '../../../src/journal/read-ring.js';
import { record } from '../../../src/report/recorded-event.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { aPilot, aSample, aSpec, anObservation } from '../../support/builders.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';
import { aConfig, aStory } from '../../support/plan-builders.js';
import { tempDirectory } from '../../support/temp-directory.js';

const limits = { journal_size: 1_000_000, journal_age: 86_400 };

function cycle(number: number, seq: number, overrides: { readonly mode?: 'active' | 'drain' } = {}): DaemonEvent {
  const observation = anObservation({ sample: aSample({ seq }), pilots: [aPilot()], ...overrides });
  const { capacity, holds, gates } = aStory(aConfig()).look();
  return {
    type: 'cycle',
    number,
    uptimeMs: 1000 * number,
    tookMs: 3,
    observation,
    plan: { actions: [], capacity, holds, gates },
  };
}

function spawned(env: Record<string, string> = {}): DaemonEvent {
  const action = { type: 'spawn', reason: 'growth', spec: aSpec({ name: 'p1', env }) } as const;
  return { type: 'action-ended', outcome: { action, result: 'done', error: undefined, ended: undefined }, atWallMs: 1 };
}

interface Kept {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly read: (span?: { readonly sinceMs?: number; readonly untilMs?: number }) => ReturnType<typeof readJournal>;
}

async function keep(events: readonly DaemonEvent[], folder = join(tempDirectory(), 'journal')): Promise<Kept> {
  const clock = createFakeClock();
  const journal = createJournal({ folder, clock, limits: () => limits, onTrouble: (message) => expect.fail(message) });
  for (const event of events) {
    journal.sink(event);
    await clock.advance(1000);
  }
  await journal.close(10_000);
  const all = { folder, sinceMs: 0, untilMs: Infinity, isWanted: () => true };
  return { folder, clock, read: (span = {}) => readJournal({ ...all, ...span }) };
}

function types(entries: readonly JournalEntry[]): readonly string[] {
  return entries.map((entry) => (entry.type === 'cycle' ? `cycle ${entry.number}` : entry.type));
}

describe('the journal', () => {
  it('gives back what happened, with when', async () => {
    const { read, clock } = await keep([{ type: 'events-followed' }, cycle(1, 1), spawned()]);
    const { entries, damaged } = await read();
    expect(types(entries)).toEqual(['events-followed', 'cycle 1', 'action-ended']);
    expect(entries.map(({ at }) => at - clock.now().wallMs)).toEqual([-3000, -2000, -1000]);
    expect(damaged).toBe(0);
    expect(entries[1]).toMatchObject({
      observation: { mode: 'active', pilots: { running: 1 } },
      plan: { actions: [] },
    });
  });

  it('keeps a cycle that has something to say', async () => {
    const look = [
      cycle(1, 1),
      cycle(2, 1),
      cycle(3, 2),
      cycle(4, 2, { mode: 'drain' }),
      cycle(5, 2, { mode: 'drain' }),
    ];
    expect(types((await (await keep(look)).read()).entries)).toEqual(['cycle 1', 'cycle 3', 'cycle 4']);
  });

  it('keeps no progress of pulls', async () => {
    const progress: DaemonEvent = { type: 'pull-progress', reference: 'x', doneBytes: 1, totalBytes: 2 };
    expect((await (await keep([progress])).read()).entries).toEqual([]);
  });

  it('keeps no environment of pilots', async () => {
    const { folder } = await keep([spawned({ TOKEN: 'canary' })]);
    const text = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(text.join()).toContain('p1');
    expect(text.join()).not.toMatch(/canary|TOKEN/);
  });

  it('gives back a span of it', async () => {
    const { read, clock } = await keep([cycle(1, 1), cycle(2, 2), cycle(3, 3)]);
    const { wallMs } = clock.now();
    const { entries } = await read({ sinceMs: wallMs - 2000, untilMs: wallMs - 1000 });
    expect(types(entries)).toEqual(['cycle 2']);
  });

  it.each(['hostname', 'user'])('has a line of a start whose %s is no text for damaged', (name) => {
    const line = { at: 1, ...record(spawned()) };
    expect(toJournalEntry(line)).toBe(line);
    const text = JSON.stringify(line).replace(new RegExp(`"${name}":"[^"]*"`), `"${name}":[1]`);
    expect(toJournalEntry(JSON.parse(text) as Fields)).toBeUndefined();
  });

  it('is read up to what is damaged, and after it', async () => {
    const { folder, read } = await keep([cycle(1, 1)]);
    const [part = ''] = readdirSync(folder);
    appendFileSync(
      join(folder, part),
      '\u0000\u0001noise\n{"at":"now","type":"cycle"}\n[]\n{"at":5}\nnull\n{"at":1,"ty',
    );
    await keep([cycle(2, 2)], folder);
    const { entries, damaged } = await read();
    expect(types(entries)).toEqual(['cycle 1', 'cycle 2']);
    expect(damaged).toBe(6);
  });

  it('is empty where there is none', async () => {
    const { entries, damaged } = await readJournal({
      ...{ folder: '/nonexistent', sinceMs: 0, untilMs: Infinity },
      isWanted: () => true,
    });
    expect([entries, damaged]).toEqual([[], 0]);
  });

  it('does not read what is no part of it', async () => {
    const { folder, read } = await keep([cycle(1, 1)]);
    writeFileSync(join(folder, 'x.jsonl'), '{"at":1,"type":"cycle"}\n');
    expect((await read()).entries).toHaveLength(1);
  });

  it('keeps nothing before there is a configuration', async () => {
    const folder = join(tempDirectory(), 'journal');
    const journal = createJournal({
      folder,
      clock: createFakeClock(),
      limits: () => undefined,
      onTrouble: () => undefined,
    });
    journal.sink({ type: 'events-followed' });
    await journal.close(10_000);
    expect((await readJournal({ folder, sinceMs: 0, untilMs: Infinity, isWanted: () => true })).entries).toEqual([]);
  });
});
