import { afterEach, expect, it } from 'vitest';
import type { PilotUsage } from '../../../src/model.js';
import { PilotUsages } from '../../../src/observe/pilot-usage.js';
import { aPilot } from '../../support/builders.js';

/** What the network counts. */
let sent: Readonly<Record<string, number>> = {};

afterEach(() => {
  sent = {};
});

/** What the control group counts at each look. */
function looks(...seen: readonly Readonly<Record<string, PilotUsage>>[]): PilotUsages {
  let now: Readonly<Record<string, PilotUsage>> = {};
  const usages = new PilotUsages(
    () => ({ usageOf: (id) => now[id] }),
    (_, ran) => new Map([...ran].flatMap((id) => (sent[id] === undefined ? [] : [[id, sent[id]]]))),
  );
  for (now of seen) usages.look([aPilot({ id: 'a' }), aPilot({ id: 'b' })]);
  return usages;
}

it('knows what pilots had used at the last look, also when their group is gone by now', () => {
  const usages = looks({ a: { cpuSeconds: 1, memoryPeakBytes: 5 } }, { a: { cpuSeconds: 2, memoryPeakBytes: 7 } }, {});
  expect(usages.of('a')).toEqual({ cpuSeconds: 2, memoryPeakBytes: 7 });
  expect(usages.of('b')).toBeUndefined();
});

it('keeps the peak where the kernel tells of now only', () => {
  const usages = looks({ a: { cpuSeconds: 1, memoryPeakBytes: 9 } }, { a: { cpuSeconds: 2, memoryPeakBytes: 3 } });
  expect(usages.of('a')).toEqual({ cpuSeconds: 2, memoryPeakBytes: 9 });
  const uncounted = looks({ a: { cpuSeconds: 1, memoryPeakBytes: undefined } });
  expect(uncounted.of('a')).toEqual({ cpuSeconds: 1, memoryPeakBytes: undefined });
});

it('asks the network about those that have run, and keeps what it cannot tell any more', () => {
  const first = { cpuSeconds: 1, memoryPeakBytes: 5, blockBytes: 7 };
  sent = { a: 100, b: 3 };
  const usages = looks({ a: first });
  expect(usages.of('a')).toEqual({ ...first, networkBytes: 100 });
  sent = {};
  const gone = looks({ a: first });
  expect(gone.of('a')).toEqual({ ...first, networkBytes: undefined });
});

it('keeps what was counted of a pilot that stands still', () => {
  const asked: string[][] = [];
  let now: PilotUsage = { cpuSeconds: 1, memoryPeakBytes: 5, blockBytes: 7 };
  const usages = new PilotUsages(
    () => ({ usageOf: (_, before) => (before?.cpuSeconds === now.cpuSeconds ? before : now) }),
    (_, ran) => {
      asked.push([...ran]);
      return new Map([...ran].map((id) => [id, 9]));
    },
  );
  const pilots = [aPilot({ id: 'a' })];
  usages.look(pilots);
  usages.look(pilots);
  expect(usages.of('a')).toEqual({ ...now, networkBytes: 9 });
  now = { cpuSeconds: 2, memoryPeakBytes: 5 };
  usages.look(pilots);
  expect(usages.of('a')).toEqual({ cpuSeconds: 2, memoryPeakBytes: 5, blockBytes: 7, networkBytes: 9 });
  expect(asked).toEqual([['a'], [], ['a']]);
});

it('forgets those that have gone', () => {
  const usages = looks({ a: { cpuSeconds: 1, memoryPeakBytes: 5 } });
  usages.look([]);
  expect(usages.of('a')).toBeUndefined();
});
