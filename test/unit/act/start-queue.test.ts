import { expect, it } from 'vitest';
import { createStartQueue } from '../../../src/act/start-queue.js';
import { createFakeClock } from '../../support/fake-clock.js';

/** A queue of starts that take `ms` each; tells how many run. */
function aQueue(ms: number) {
  const clock = createFakeClock();
  const queue = createStartQueue(clock);
  let running = 0;
  let ended = 0;
  const add = (count: number) => {
    for (let index = 0; index < count; index += 1) {
      void queue.add(async () => {
        running += 1;
        await clock.sleep(ms);
        running -= 1;
        ended += 1;
      });
    }
  };
  return { clock, add, running: () => running, ended: () => ended };
}

it.each([
  [1, 1],
  [4, 1],
  [5, 2],
  [8, 2],
  [9, 3],
  [24, 3],
])('of %i starts that are quick, runs %i side by side', async (count, width) => {
  const { clock, add, running } = aQueue(900);
  add(count);
  await clock.advance(100);
  expect(running()).toBe(width);
});

it('stays as wide as it has become until it is empty, and is narrow again after that', async () => {
  const { clock, add, running, ended } = aQueue(900);
  add(9);
  await clock.advance(1_900);
  expect([running(), ended()]).toEqual([3, 6]);
  await clock.advance(900);
  expect([running(), ended()]).toEqual([0, 9]);
  add(3);
  await clock.advance(100);
  expect(running()).toBe(1);
});

it('lets one more begin for each that is slow, to the most and no further, and closes up after them', async () => {
  const { clock, add, running } = aQueue(10_000);
  add(4);
  await clock.advance(999);
  expect(running()).toBe(1);
  await clock.advance(2);
  expect(running()).toBe(2);
  await clock.advance(5_000);
  expect(running()).toBe(3);
  await clock.advance(60_000);
  add(2);
  await clock.advance(100);
  expect(running()).toBe(1);
});

it('goes on after a start that failed', async () => {
  const clock = createFakeClock();
  const queue = createStartQueue(clock);
  const failed = queue.add(() => Promise.reject(new Error('no')));
  let begun = false;
  const next = queue.add(() => {
    begun = true;
    return Promise.resolve();
  });
  await expect(failed).rejects.toThrow('no');
  await next;
  expect(begun).toBe(true);
});
