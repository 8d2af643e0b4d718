import { describe, expect, it } from 'vitest';
import { account } from '../../../src/journal/account.js';
import type { JournalEntry } from '../../../src/journal/journal.js';
import type { PilotUsage, RemovalReason } from '../../../src/model.js';
import { record } from '../../../src/report/recorded-event.js';
import { aPilot, aSample, anObservation } from '../../support/builders.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

function look(monoMs: number, promised: number): JournalEntry {
  const sample = aSample({ monoMs, spanMs: 1_800_000, busy: 6, own: 3, service: 1, idle: 2 });
  const { capacity, holds, gates } = aStory(aConfig()).look();
  const plan = { actions: [], capacity: { ...capacity, promised }, holds, gates };
  return {
    at: 1,
    ...record({ type: 'cycle', number: 1, uptimeMs: 0, tookMs: 3, observation: anObservation({ sample }), plan }),
  };
}

interface Gone {
  readonly reason?: RemovalReason;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  readonly seconds?: number;
  readonly usage?: PilotUsage;
  readonly flavour?: string;
}

function gone({
  reason = 'exited',
  exitCode = 0,
  oomKilled = false,
  seconds = 3600,
  usage,
  flavour = 'default',
}: Gone): JournalEntry {
  const pilot = aPilot({ flavour });
  const action = { type: 'remove', pilot, reason, stopSeconds: 0, ageMs: 0 } as const;
  const ended = { exitCode, oomKilled, startedWallMs: 1000, finishedWallMs: 1000 + 1000 * seconds };
  const outcome = { action, result: 'done', error: undefined, ended } as const;
  return { at: 1, ...record({ type: 'action-ended', atWallMs: 1, outcome, usage }) };
}

describe('the account of a host', () => {
  it('tells what its CPUs did, in hours', () => {
    expect(account([look(1, 4), look(2, 2)])).toMatchObject({
      ...{ seenHours: 1, donated: 3, idleInPilots: 0.5, others: 2, idle: 2 },
      ...{ rows: [], pilots: [] },
    });
  });

  it('has a row for each flavour and way to end', () => {
    const { rows } = account([
      gone({ usage: { cpuSeconds: 1800, memoryPeakBytes: 5, blockBytes: 10, networkBytes: 1 } }),
      gone({ usage: { cpuSeconds: 3600, memoryPeakBytes: 9, networkBytes: 2 } }),
      gone({ exitCode: 1, seconds: 1800 }),
      gone({ oomKilled: true }),
      gone({ reason: 'evicted', exitCode: 143 }),
      gone({ reason: 'expired', flavour: 'big' }),
    ]);
    expect(rows).toEqual([
      { flavour: 'big', end: 'expired', pilots: 1, wallHours: 1, cpuHours: 0, memoryPeakBytes: undefined },
      {
        flavour: 'default',
        end: 'completed',
        pilots: 2,
        wallHours: 2,
        cpuHours: 1.5,
        memoryPeakBytes: 9,
        ...{ blockBytes: 10, networkBytes: 3 },
      },
      { flavour: 'default', end: 'evicted', pilots: 1, wallHours: 1, cpuHours: 0, memoryPeakBytes: undefined },
      { flavour: 'default', end: 'failed', pilots: 2, wallHours: 1.5, cpuHours: 0, memoryPeakBytes: undefined },
    ]);
  });

  it('has each pilot that is gone', () => {
    const { pilots } = account([gone({ seconds: 60, usage: { cpuSeconds: 5, memoryPeakBytes: undefined } })]);
    expect(pilots).toMatchObject([{ end: 'completed', exitCode: 0, wallSeconds: 60, cpuSeconds: 5 }]);
  });

  it('is made of many pilots in little time', () => {
    const usage = { cpuSeconds: 1, memoryPeakBytes: 5, blockBytes: 1, networkBytes: 1 };
    const entries = Array.from({ length: 200_000 }, () => gone({ usage }));
    expect(account(entries).rows).toMatchObject([{ pilots: 200_000, memoryPeakBytes: 5, blockBytes: 200_000 }]);
  });
});
