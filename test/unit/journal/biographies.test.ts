import { expect, it } from 'vitest';
import { biographies } from '../../../src/journal/biographies.js';
import type { JournalEntry } from '../../../src/journal/journal.js';
import { record } from '../../../src/report/recorded-event.js';
import { aPilot, aSpec } from '../../support/builders.js';

const common = { atWallMs: 1 } as const;
const spec = aSpec({ name: 'p1', hostname: 'plancton-wn1-p1', user: '1000:1000' });
const pilot = aPilot({ name: 'p1', id: 'a1', imageId: 'sha256:1', address: '172.17.0.2' });

function started(at: number, result: 'done' | 'failed' = 'done'): JournalEntry {
  const outcome = {
    action: { type: 'spawn', reason: 'growth', spec },
    result,
    error: undefined,
    ended: undefined,
  } as const;
  return { at, ...record({ type: 'action-ended', ...common, outcome }) };
}

function removed(at: number): JournalEntry {
  const action = { type: 'remove', pilot, reason: 'exited', stopSeconds: 0, ageMs: 0 } as const;
  const ended = { exitCode: 3, oomKilled: false, startedWallMs: 5, finishedWallMs: 9 };
  return {
    at,
    ...record({ type: 'action-ended', ...common, outcome: { action, result: 'done', error: undefined, ended } }),
  };
}

const seen = (at: number): JournalEntry => ({ at, type: 'pilot-seen', pilot });

it('tells the whole life of a pilot', () => {
  expect(biographies([started(10), seen(12), removed(20)])).toEqual([
    {
      ...{ name: 'p1', id: 'a1', hostname: 'plancton-wn1-p1', address: '172.17.0.2', user: '1000:1000' },
      ...{ image: spec.image, imageId: 'sha256:1', revision: spec.revision, flavour: spec.flavour },
      ...{ fromMs: 5, untilMs: 20, end: 'exited', exitCode: 3 },
    },
  ]);
});

it('tells what is known of one whose beginning or end is not', () => {
  expect(biographies([removed(20)])).toMatchObject([{ name: 'p1', id: 'a1', fromMs: 5, untilMs: 20 }]);
  const [running] = biographies([started(10), seen(12)]);
  expect(running?.untilMs).toBeUndefined();
  expect(biographies([started(10, 'failed')])).toEqual([]);
});
