import { expect, it } from 'vitest';
import type { PilotUsage } from '../../../src/model.js';
import { PilotUsages } from '../../../src/observe/pilot-usage.js';
import { aPilot } from '../../support/builders.js';

/** What the control group counts at each look. */
function looks(...seen: readonly Readonly<Record<string, PilotUsage>>[]): PilotUsages {
  let now: Readonly<Record<string, PilotUsage>> = {};
  const usages = new PilotUsages(() => ({ usageOf: (id) => now[id] }));
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

it('forgets those that have gone', () => {
  const usages = looks({ a: { cpuSeconds: 1, memoryPeakBytes: 5 } });
  usages.look([]);
  expect(usages.of('a')).toBeUndefined();
});
