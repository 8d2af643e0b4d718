import { describe, expect, it } from 'vitest';
import { leftOfSpanMs, lookSpanMs } from '../../../src/observe/look-schedule.js';
import { aConfig } from '../../support/plan-builders.js';

/** The moments of the first `count` looks, in seconds from the first reading, when each is `lateMs` late. */
function looks(settings: Parameters<typeof aConfig>[0], count: number, lateMs = 0): number[] {
  const config = aConfig(settings);
  const moments: number[] = [];
  let [nowMs, firstMs] = [0, undefined as number | undefined];
  for (let look = 0; look < count; look += 1) {
    nowMs += lookSpanMs(config, firstMs === undefined ? undefined : nowMs - firstMs) + lateMs;
    firstMs ??= nowMs;
    moments.push(Math.round(nowMs) / 1000);
  }
  return moments;
}

describe('the looks at the host', () => {
  it('come often at first, then every main_sleep', () => {
    expect(looks({ main_sleep: 30 }, 6)).toStrictEqual([0.5, 10.5, 20.5, 30.5, 60.5, 90.5]);
    expect(looks({ main_sleep: 300 }, 6)).toStrictEqual([0.5, 10.5, 20.5, 30.5, 330.5, 630.5]);
    expect(looks({ main_sleep: 15 }, 6)).toStrictEqual([0.5, 10.5, 20.5, 30.5, 45.5, 60.5]);
  });

  it('are as many when timers fire early or late', () => {
    expect(looks({ main_sleep: 30 }, 5, -5)[4]).toBeCloseTo(60.475);
    expect(looks({ main_sleep: 30 }, 5, 20)[4]).toBeCloseTo(60.6);
  });

  it('never come less often than asked for', () => {
    expect(looks({ main_sleep: 2 }, 3)).toStrictEqual([0.5, 2.5, 4.5]);
    expect(looks({ main_sleep: 0.2 }, 3)).toStrictEqual([0.2, 0.4, 0.6]);
  });

  it('come less often when the first ones have shown nothing', () => {
    const spans = [0, 1, 4, 5, 100].map((readings) => lookSpanMs(aConfig({ main_sleep: 30 }), undefined, readings));

    expect(spans).toStrictEqual([500, 500, 500, 10_000, 10_000]);
    expect(lookSpanMs(aConfig({ main_sleep: 2 }), undefined, 5)).toBe(2000);
  });

  it('come early only where growth may double', () => {
    expect(looks({ main_sleep: 30, growth: 'fixed' }, 3)).toStrictEqual([0.5, 30.5, 60.5]);
    expect(looks({ main_sleep: 30, policy: 'legacy' }, 3)).toStrictEqual([0.5, 30.5, 60.5]);
  });

  it.each([
    [10_000, 0, 10_000],
    [10_000, 9_700, 300],
    [10_000, 9_850, 0],
    [10_000, 12_000, 0],
  ])('of a span of %i ms that began %i ms ago %i are left', (spanMs, agoMs, leftMs) => {
    expect(leftOfSpanMs(spanMs, agoMs)).toBe(leftMs);
  });
});
