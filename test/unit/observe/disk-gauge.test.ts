import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createDiskGauge } from '../../../src/observe/disk-gauge.js';
import { createFakeClock } from '../../support/fake-clock.js';

describe('the room on a disk', () => {
  it('is some part of the whole', async () => {
    const { freeBytes, totalBytes, freeInodes, totalInodes } = await createDiskGauge(systemClock)(tmpdir());
    expect(freeBytes).toBeGreaterThan(0);
    expect(freeBytes).toBeLessThanOrEqual(totalBytes);
    expect(freeInodes).toBeLessThanOrEqual(totalInodes);
  });

  it('is told again and again, to several who ask at once', async () => {
    const gauge = createDiskGauge(systemClock);
    const [first, second] = await Promise.all([gauge(tmpdir()), gauge(tmpdir())]);
    expect(first).toBe(second);
    expect(await gauge(tmpdir())).not.toBe(first);
  });

  it('is not asked for again before the last question was answered', async () => {
    const clock = createFakeClock();
    const stats = { bsize: 4096, blocks: 10, bavail: 3, files: 7, ffree: 2 };
    const answers: ((answer: typeof stats) => void)[] = [];
    const gauge = createDiskGauge(clock, () => new Promise((resolve) => answers.push(resolve)));
    for (let question = 0; question < 3; question += 1) {
      const answer = expect(gauge('/dead')).rejects.toThrow('took more than 5000 ms');
      await clock.advance(5000);
      await answer;
    }
    expect(answers).toHaveLength(1);

    answers[0]?.(stats);
    await clock.settle();
    const again = gauge('/dead');
    answers[1]?.(stats);
    expect(await again).toEqual({ freeBytes: 3 * 4096, totalBytes: 10 * 4096, freeInodes: 2, totalInodes: 7 });
  });

  it('is unknown for a path that does not exist, each time', async () => {
    const gauge = createDiskGauge(systemClock);
    await expect(gauge('/nonexistent')).rejects.toThrow(/ENOENT/);
    await expect(gauge('/nonexistent')).rejects.toThrow(/ENOENT/);
  });
});
