import { expect, it } from 'vitest';
import { ToldEnds } from '../../../src/daemon/told-ends.js';
import type { PilotEnd } from '../../../src/model.js';

const endOf = (exitCode: number): PilotEnd => ({
  exitCode,
  oomKilled: false,
  startedWallMs: 1000,
  finishedWallMs: 2000,
});

it('knows an end once', () => {
  const ends = new ToldEnds();
  ends.note('a', endOf(1));
  expect([ends.take('a'), ends.take('a'), ends.take('b')]).toEqual([endOf(1), undefined, undefined]);
});

it('knows the newest end of a pilot, and none of one that ended again in a way that nobody knows', () => {
  const ends = new ToldEnds();
  ends.note('a', endOf(1));
  ends.note('a', endOf(2));
  expect(ends.take('a')).toEqual(endOf(2));
  ends.note('a', endOf(1));
  ends.note('a', undefined);
  expect(ends.take('a')).toBeUndefined();
});

it('keeps the hundred newest', () => {
  const ends = new ToldEnds();
  for (let number = 0; number < 101; number += 1) ends.note(String(number), endOf(number));
  expect([ends.take('0'), ends.take('1'), ends.take('100')]).toEqual([undefined, endOf(1), endOf(100)]);
});
