import { describe, expect, it } from 'vitest';
import { dayOf, DAY_STEPS } from '../../../src/journal/day.js';
import type { JournalEntry } from '../../../src/journal/journal.js';
import { record } from '../../../src/report/recorded-event.js';
import { aPilot, aSample, anObservation, aSpec } from '../../support/builders.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

const dayMs = 24 * 3_600_000;
const stepMs = dayMs / DAY_STEPS;

let seq = 0;
/** A look at `at` at what was for so long before it. */
function cycle(at: number, spanMs: number, own: number): JournalEntry {
  seq += 1;
  const sample = aSample({ seq, monoMs: seq, spanMs, cpus: 8, busy: own + 2.5, own, service: 0.5, idle: 1 });
  const { capacity, holds, gates } = aStory(aConfig()).look();
  const observation = anObservation({ sample, pilots: [aPilot()] });
  return {
    at,
    ...record({
      type: 'cycle',
      number: seq,
      uptimeMs: 0,
      tookMs: 3,
      observation,
      plan: { actions: [], capacity, holds, gates },
    }),
  };
}

function started(at: number, name: string): JournalEntry {
  const action = { type: 'spawn', reason: 'growth', spec: aSpec({ name }) } as const;
  const outcome = { action, result: 'done', error: undefined, ended: undefined } as const;
  return { at, ...record({ type: 'action-ended', atWallMs: at, outcome }) };
}

describe('a day', () => {
  it('is cut into steps of the same length, each the average of what was seen of it', () => {
    // Half of the first step, the rest of it and all of the second, and nothing of the third.
    const { samples, stepSeconds } = dayOf(
      [cycle(stepMs / 2, stepMs / 2, 4), cycle(2 * stepMs, 1.5 * stepMs, 2), cycle(4 * stepMs, stepMs, 1)],
      0,
      dayMs,
    );
    expect(stepSeconds).toBe(30);
    expect(samples).toEqual([
      { at: 0, cpus: 8, own: 3, foreign: 2, idle: 1, pilots: 1 },
      { at: stepMs, cpus: 8, own: 2, foreign: 2, idle: 1, pilots: 1 },
      { at: 3 * stepMs, cpus: 8, own: 1, foreign: 2, idle: 1, pilots: 1 },
    ]);
  });

  it('begins and ends where it is to', () => {
    const { samples } = dayOf([cycle(10_000, 60_000, 1), cycle(dayMs, 1000, 1)], 0, dayMs);
    expect(samples.map(({ at }) => at)).toEqual([0]);
  });

  it('is no longer with a look each second', () => {
    const entries = Array.from({ length: 20_000 }, (_, index) => cycle((index + 1) * 4000, 4000, 1));
    const { samples } = dayOf(entries, 0, dayMs);
    expect(samples).toHaveLength(Math.ceil(80_000_000 / stepMs));
    expect(samples.every(({ own }) => own === 1)).toBe(true);
  });

  it('has the lives of its pilots, of very many the last ones', () => {
    const { pilots, leftOut } = dayOf(
      Array.from({ length: 10_003 }, (_, index) => started(index, `p${index}`)),
      0,
      dayMs,
    );
    expect([pilots.length, leftOut, pilots[0]?.name]).toEqual([10_000, 3, 'p3']);
    expect(pilots.at(-1)).toEqual({
      ...{ name: 'p10002', image: aSpec().image, from: 10_002 },
      ...{ until: undefined, end: undefined, exitCode: undefined },
    });
  });
});
