import { describe, expect, it } from 'vitest';
import { median, percentile, slope } from '../../bench/statistics.js';

describe('the statistics of benches', () => {
  it('takes the middle of values in any order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([])).toBeNaN();
  });

  it('takes the value that a share of all do not exceed', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([3, 1, 2], 0.99)).toBe(3);
  });

  it('tells by how much values grow', () => {
    expect(slope([5, 7, 9])).toBe(2);
    expect(slope([1, 3, 1])).toBe(0);
  });
});
