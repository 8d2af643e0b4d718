import type { DayPilot } from '../report/shown.js';

/** A life as a bar: which row, from where to where. Ms since 1970. */
export interface Bar {
  readonly pilot: DayPilot;
  readonly lane: number;
  readonly from: number;
  readonly until: number;
}

/** Gives each life the first row that is free when it begins, so that there are as many rows as lived at a time. `nowMs`: where those that live end. */
export function toBars(pilots: readonly DayPilot[], nowMs: number): readonly Bar[] {
  const freeAt: number[] = [];
  return [...pilots]
    .sort((a, b) => a.from - b.from)
    .map((pilot) => {
      const until = Math.max(pilot.from, pilot.until ?? nowMs);
      const found = freeAt.findIndex((ms) => ms <= pilot.from);
      const lane = found < 0 ? freeAt.length : found;
      freeAt[lane] = until;
      return { pilot, lane, from: pilot.from, until };
    });
}

/** Rows that these bars take. */
export function laneCount(bars: readonly Bar[]): number {
  return bars.reduce((most, { lane }) => Math.max(most, lane + 1), 0);
}
