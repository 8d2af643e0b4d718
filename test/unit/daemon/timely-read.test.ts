import { expect, it } from 'vitest';
import { createTimelyRead } from '../../../src/daemon/timely-read.js';
import { createFakeClock } from '../../support/fake-clock.js';

it('gives up a read that hangs, begins no other one meanwhile, and reads again once it has come back', async () => {
  const clock = createFakeClock();
  let comeBack: (text: string) => void = () => undefined;
  let reads = 0;
  const read = createTimelyRead(
    clock,
    'a file',
    () => {
      reads += 1;
      return new Promise<string>((resolve) => {
        comeBack = resolve;
      });
    },
    (why) => why,
  );
  const both = Promise.all([read(), read()]);
  await clock.advance(2_000);
  expect(await both).toEqual(['reading a file took more than 2000 ms', 'reading a file took more than 2000 ms']);
  expect(await read()).toBe('reading a file takes too long');
  expect(reads).toBe(1);

  comeBack('late');
  await clock.settle();
  const again = read();
  comeBack('in time');
  expect(await again).toBe('in time');
  expect(reads).toBe(2);
});
