import { describe, expect, it } from 'vitest';
import { KEPT } from './kept.js';
import { runSchedule } from './run-schedule.js';

describe('a schedule that has broken a promise before', () => {
  it.each(KEPT)('breaks none any more: $about', async ({ schedule }) => {
    expect((await runSchedule(schedule)).violation).toBeUndefined();
  });
});
