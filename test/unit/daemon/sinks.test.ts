import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assembleSinks } from '../../../src/daemon/sinks.js';
import { JOURNAL_FOLDER } from '../../../src/journal/journal.js';
import { readJournal } from '../../../src/journal/read-journal.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { word } from '../../../src/report/words.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { aConfig } from '../../support/plan-builders.js';
import { tempDirectory } from '../../support/temp-directory.js';

function aSite() {
  const clock = createFakeClock();
  const stateDir = tempDirectory();
  const logged: DaemonEvent[] = [];
  const watched: DaemonEvent[] = [];
  const options = { clock, stateDir, version: '1', onEvent: (event: DaemonEvent) => logged.push(event) };
  const sinks = assembleSinks(options, 'wn042', () => aConfig());
  sinks.admit((event) => watched.push(event));
  const folder = join(stateDir, JOURNAL_FOLDER);
  const journal = async () => {
    const all = { folder, sinceMs: 0, untilMs: Infinity, isWanted: () => true };
    return (await readJournal(all)).entries;
  };
  const close = async () => {
    const closing = sinks.close(0);
    await clock.advance(0);
    await closing;
  };
  return { clock, sinks, logged, watched, folder, journal, close };
}

it('a place where what happens goes is told of by all the others, when it gets into trouble and out of it', async () => {
  const { sinks, logged, watched, journal, close } = aSite();
  sinks.tell('influxdb')('it is away');
  sinks.tell('influxdb')('it is back', true);
  await expect.poll(journal).toHaveLength(2);
  await close();
  const told = [
    { type: 'sink-trouble', sink: 'influxdb', message: 'it is away' },
    { type: 'sink-recovered', sink: 'influxdb', message: 'it is back' },
  ] as const;
  expect(await journal()).toMatchObject(told);
  expect([logged, watched]).toEqual([told, told]);
  expect(told.map((event) => word(event).level)).toEqual(['warn', 'info']);
});

it('a journal in trouble is told of once, and keeps that it works again', async () => {
  const { clock, sinks, logged, watched, folder, journal, close } = aSite();
  writeFileSync(folder, 'in the way');
  sinks.publish({ type: 'events-followed' });
  await expect.poll(() => watched.map(({ type }) => type)).toEqual(['events-followed', 'sink-trouble']);
  expect(sinks.states()[0]?.trouble).toMatch(/EEXIST|ENOTDIR/);
  rmSync(folder);
  await clock.advance(10_000);
  sinks.publish({ type: 'events-followed' });
  await expect.poll(() => watched.at(-1)?.type).toBe('sink-recovered');
  await expect.poll(journal).toHaveLength(2);
  await close();
  expect((await journal()).map(({ type }) => type)).toEqual(['events-followed', 'sink-recovered']);
  expect(logged).toEqual(watched);
});
