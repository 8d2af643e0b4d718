import { expect, it } from 'vitest';
import { runShare } from './run-share.js';

// Two files of 300 each, so that two CPUs share the work; `npm run faults -- model` runs more.
it('keeps every promise through schedules of even seeds', { timeout: 600_000 }, async () => {
  const { schedules, steps, violation } = await runShare(300, 0, 2);
  expect(violation).toBeUndefined();
  expect([schedules, steps]).toEqual([300, 60_000]);
});
