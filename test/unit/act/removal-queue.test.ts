import { describe, expect, it } from 'vitest';
import { createRemovalQueue } from '../../../src/act/removal-queue.js';
import { createFakeClock } from '../../support/fake-clock.js';

/** Adds `count` removals that take this long; tells how many have begun and ended. */
function aQueue() {
  const clock = createFakeClock();
  const queue = createRemovalQueue(clock);
  const seen = { begun: 0, ended: 0 };
  const add = (count: number, ms: number) => {
    for (let index = 0; index < count; index += 1) {
      void queue.add(async () => {
        seen.begun += 1;
        await clock.sleep(ms);
        seen.ended += 1;
      });
    }
  };
  return { clock, add, seen };
}

describe('removals', () => {
  it('run sixteen at a time', async () => {
    const { clock, add, seen } = aQueue();
    add(40, 500);
    await clock.settle();
    expect(seen.begun).toBe(16);
    await clock.advance(500);
    expect(seen.begun).toBe(32);
    await clock.advance(1_000);
    expect(seen.ended).toBe(40);
  });

  it('that hang keep nobody waiting for long, however many they are', async () => {
    const { clock, add, seen } = aQueue();
    add(20, 75_000);
    add(20, 500);
    await clock.advance(2_600);
    expect(seen).toEqual({ begun: 40, ended: 20 });
  });

  it('are sixteen at a time again when those that hung have ended', async () => {
    const { clock, add, seen } = aQueue();
    add(20, 5_000);
    await clock.advance(20_000);
    expect(seen.ended).toBe(20);
    add(40, 500);
    await clock.settle();
    expect(seen.begun).toBe(20 + 16);
  });
});
