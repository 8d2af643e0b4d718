import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/journal/journal.js';
import { seenHost } from '../../../src/journal/seen-host.js';
import type { RemovalReason } from '../../../src/model.js';
import { record } from '../../../src/report/recorded-event.js';
import { aPilot, aSample, aSpec, anObservation } from '../../support/builders.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

function cycle(sample: Partial<Parameters<typeof aSample>[0]>): JournalEntry {
  const observation = anObservation({
    sample: aSample(sample),
    pilots: [aPilot(), aPilot({ id: 'b', state: 'paused' })],
  });
  const { capacity, holds, gates } = aStory(aConfig()).look();
  const known = { ...capacity, promised: 3, admissible: 5 };
  const plan = { actions: [], capacity: known, holds, gates };
  return { at: 1, ...record({ type: 'cycle', number: 1, uptimeMs: 0, tookMs: 3, observation, plan }) };
}

function removed(
  reason: RemovalReason,
  life?: readonly [number, number],
  result: 'done' | 'failed' = 'done',
): JournalEntry {
  const [startedWallMs, finishedWallMs] = life ?? [];
  const ended = life === undefined ? undefined : { exitCode: 0, oomKilled: false, startedWallMs, finishedWallMs };
  const action = { type: 'remove', pilot: aPilot(), reason, stopSeconds: 0, ageMs: 0 } as const;
  return {
    at: 1,
    ...record({ type: 'action-ended', atWallMs: 1, outcome: { action, result, error: undefined, ended } }),
  };
}

describe('what a host went through', () => {
  it('is a span for each sample, however many cycles saw it', () => {
    const first = { monoMs: 1000, spanMs: 30_000, busy: 6, own: 2, service: 0.5, idle: 2 };
    const seen = seenHost([cycle(first), cycle(first), cycle({ ...first, monoMs: 31_000, busy: 2 })]);
    expect(seen.spans).toEqual([
      { at: 1, seconds: 30, cpus: 8, foreign: 3.5, idle: 2, own: 2, promised: 3, pilots: 1, admissible: 5 },
      expect.objectContaining({ foreign: 0 }),
    ]);
  });

  it('leaves out what nobody knows', () => {
    expect(seenHost([cycle({ own: undefined }), cycle({ monoMs: 2, spanMs: 0 })]).spans).toEqual([]);
  });

  it('counts what was done, and how long pilots lived', () => {
    const spawn = { type: 'spawn', reason: 'growth', spec: aSpec() } as const;
    const outcome = { action: spawn, result: 'done', error: undefined, ended: undefined } as const;
    const started: JournalEntry = { at: 1, ...record({ type: 'action-ended', atWallMs: 1, outcome }) };
    const seen = seenHost([
      started,
      removed('exited', [1000, 61_000]),
      removed('exited', [1000, 2000], 'failed'),
      removed('exited'),
      removed('evicted', [0, 5000]),
      removed('expired', [0, 5000]),
      { at: 1, type: 'events-followed' },
    ]);
    expect(seen).toEqual({
      ...{ spans: [], lives: [60], evictedLives: [5] },
      ...{ spawned: 1, completed: 2, evicted: 1, expired: 1 },
    });
  });
});
