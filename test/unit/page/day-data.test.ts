import { describe, expect, it } from 'vitest';
import { DayData } from '../../../src/page/day-data.js';
import type { DayPilot, DaySample } from '../../../src/report/shown.js';
import { aStatus } from '../../support/a-status.js';

const hourMs = 3_600_000;

function sample(at: number, own = 1): DaySample {
  return { at, cpus: 8, own, foreign: 2, idle: 5, pilots: 1 };
}

function pilot(name: string, from: number, until?: number): DayPilot {
  return { name, image: 'busybox', from, until, end: undefined, exitCode: undefined };
}

function running(atMs: number, ...names: readonly string[]) {
  const [known] = aStatus().pilots;
  if (known === undefined) throw new Error('there is a pilot in every status of the tests');
  const pilots = names.map((name) => ({ ...known, name, ageSeconds: 10 }));
  return { at: new Date(atMs).toISOString(), pilots };
}

describe('the day that a page knows', () => {
  it('goes on with what it hears after what it has read', () => {
    const data = new DayData();
    data.load({ stepSeconds: 30, samples: [sample(0), sample(30_000)], pilots: [] });
    data.addSample({ ...sample(50_000, 3), seconds: 40 });
    data.addSample({ ...sample(40_000, 9), seconds: 5 });
    expect(data.samples.map(({ at, until, own }) => [at, until, own])).toEqual([
      [0, 30_000, 1],
      [30_000, 60_000, 1],
      // It begins where what was read ends; one that says nothing new is left out.
      [60_000, 90_000, 3],
    ]);
  });

  it('forgets what is older', () => {
    const data = new DayData();
    data.load({ stepSeconds: 30, samples: [sample(0)], pilots: [pilot('old', 0, 10), pilot('young', 0, 2 * hourMs)] });
    data.addSample({ ...sample(25 * hourMs), seconds: 30 });
    expect(data.samples).toHaveLength(1);
    expect(data.pilots.map(({ name }) => name)).toEqual(['young']);
  });

  it('knows who came and who went', () => {
    const data = new DayData();
    data.load({ stepSeconds: 30, samples: [], pilots: [pilot('lost', 0), pilot('here', 5)] });
    data.note(running(20_000, 'here', 'new'));
    expect(data.pilots).toEqual([
      // Gone before anybody looked: nobody knows when.
      pilot('lost', 0, 0),
      { ...pilot('here', 5), image: 'busybox:latest' },
      { ...pilot('new', 10_000), image: 'busybox:latest' },
    ]);
    data.end({ name: 'new', until: 25_000, end: 'evicted', exitCode: 137 });
    data.end({ name: 'nobody', until: 25_000, end: 'evicted', exitCode: 137 });
    data.note(running(30_000));
    expect(data.pilots.map(({ until, end }) => [until, end])).toEqual([
      [0, undefined],
      [30_000, undefined],
      [25_000, 'evicted'],
    ]);
  });

  it('is summed up by the hour, the newest first', () => {
    const data = new DayData();
    const samples = [sample(0, 1), sample(30_000, 2), sample(hourMs, 4)];
    data.load({ stepSeconds: 30, samples, pilots: [] });
    expect(data.hours()).toEqual([
      { at: hourMs, own: 4, foreign: 2, idle: 5, pilots: 1 },
      { at: 0, own: 1.5, foreign: 2, idle: 5, pilots: 1 },
    ]);
  });
});
