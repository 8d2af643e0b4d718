import { describe, expect, it } from 'vitest';
import { shareCpus } from '../../../src/simulate/cpu-share.js';

describe('CPUs', () => {
  it('are given to all as they wish while there are enough', () => {
    expect(shareCpus(8, [1, 0.5], 3, 'none')).toEqual({ pilots: [1, 0.5], foreign: 3 });
  });

  it('go to the owner first where pilots yield', () => {
    expect(shareCpus(4, [1, 1, 1, 1], 3, 'cgroup')).toEqual({ pilots: [0.25, 0.25, 0.25, 0.25], foreign: 3 });
    expect(shareCpus(4, [1, 1], 4, 'cgroup')).toEqual({ pilots: [0, 0], foreign: 4 });
  });

  it('are shared by busy processes alike where they do not', () => {
    expect(shareCpus(4, [1, 1, 1, 1], 4, 'none')).toEqual({ pilots: [0.5, 0.5, 0.5, 0.5], foreign: 2 });
    // However big the pilots are: it is their processes that count.
    expect(shareCpus(4, [4], 4, 'none')).toEqual({ pilots: [2], foreign: 2 });
    // Nine processes, each of which gets 4/9 of a CPU.
    const { pilots, foreign } = shareCpus(4, [2.5, 1.5], 4, 'none');
    expect([...pilots, foreign].map((cpus) => Math.round(cpus * 9))).toEqual([12, 8, 16]);
  });

  it('that somebody does not want are left to the others', () => {
    const { pilots, foreign } = shareCpus(2, [0.1, 1, 1], 0.5, 'containers');
    expect(pilots).toEqual([0.1, 0.7, 0.7]);
    expect(foreign).toBeCloseTo(0.5);
  });
});
