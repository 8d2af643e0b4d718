import { expect, it } from 'vitest';
import { laneCount, toBars } from '../../../src/page/lanes.js';
import type { DayPilot } from '../../../src/report/shown.js';

function life(from: number, until: number | undefined): DayPilot {
  return { name: `p${from}`, image: 'busybox', from, until, end: undefined, exitCode: undefined };
}

it('gives each life the first row that is free', () => {
  const bars = toBars([life(0, 10), life(20, undefined), life(5, 15), life(10, 12)], 30);
  expect(bars.map(({ from, until, lane }) => [from, until, lane])).toEqual([
    [0, 10, 0],
    [5, 15, 1],
    [10, 12, 0],
    [20, 30, 0],
  ]);
  expect(laneCount(bars)).toBe(2);
  expect(laneCount([])).toBe(0);
});

it('has as many rows as lived at a time, and nobody in the place of another', () => {
  const pilots = Array.from({ length: 500 }, (_, index) =>
    life((index * 37) % 400, ((index * 37) % 400) + 1 + (index % 90)),
  );
  const bars = toBars(pilots, 1000);
  for (const one of bars) {
    for (const other of bars) {
      if (one === other || one.lane !== other.lane) continue;
      expect(one.until <= other.from || other.until <= one.from).toBe(true);
    }
  }
  const atATime = Math.max(
    ...bars.map(({ from }) => bars.filter((bar) => bar.from <= from && from < bar.until).length),
  );
  expect(laneCount(bars)).toBe(atATime);
});

it('takes a life that is said to end before it began for a moment', () => {
  expect(toBars([life(10, 5)], 30)).toMatchObject([{ from: 10, until: 10 }]);
});
