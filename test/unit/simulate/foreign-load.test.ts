import { describe, expect, it } from 'vitest';
import { stepLoad, type ForeignLoad } from '../../../src/simulate/foreign-load.js';

function wanted(load: ForeignLoad, ...seconds: readonly number[]): readonly number[] {
  return seconds.map((at) => load.wantedAt(at, []));
}

describe('a load of steps', () => {
  const steps = [
    { at: 10, cpus: 2 },
    { at: 20, cpus: 3 },
  ];

  it('is nothing before the first, and holds until the next', () => {
    expect(wanted(stepLoad(steps), 0, 9.9, 10, 19, 20, 1e6)).toEqual([0, 0, 2, 2, 3, 3]);
    expect([0, 10, 15, 20].map(stepLoad(steps).changesAfter)).toEqual([10, 20, 20, Infinity]);
  });

  it('begins anew after its period', () => {
    const load = stepLoad(steps, 30);
    expect(wanted(load, 29, 30, 40, 55, 60)).toEqual([3, 0, 2, 3, 0]);
    expect([20, 30, 45, 50].map(load.changesAfter)).toEqual([30, 40, 50, 60]);
  });

  it('moves on from every moment, however odd the period', () => {
    const load = stepLoad([{ at: 0.1, cpus: 1 }], 1.1);
    for (let seconds = 0; seconds < 1000;) {
      const next = load.changesAfter(seconds);
      expect(next).toBeGreaterThan(seconds);
      seconds = next;
    }
  });
});
