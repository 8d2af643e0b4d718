import { describe, expect, it } from 'vitest';
import { createPathLook } from '../../../src/daemon/path-look.js';
import { createFakeClock } from '../../support/fake-clock.js';

describe('a look at a path that does not come back', () => {
  it('is given up, and keeps others from hanging as well, until it has come back', async () => {
    const clock = createFakeClock();
    let comeBack: (found: string | undefined) => void = () => undefined;
    let looks = 0;
    const look = createPathLook(clock, 0, () => {
      looks += 1;
      return new Promise((resolve) => {
        comeBack = resolve;
      });
    });
    const first = look('/dead/a');
    await clock.advance(2_000);
    expect(await first).toEqual({ unknown: 'looking at /dead/a took more than 2000 ms' });
    expect(await look('/b')).toEqual({ unknown: 'looking at /dead/a takes too long' });
    expect(looks).toBe(1);

    comeBack(undefined);
    await clock.settle();
    const second = look('/b');
    comeBack('no');
    expect(await second).toEqual({ unsafe: 'no' });
    expect(looks).toBe(2);
  });
});
