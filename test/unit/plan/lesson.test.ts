import { describe, expect, test } from 'vitest';
import { aSpec } from '../../support/builders.js';
import { aLife, DEAD, ended, type Life } from '../../support/pilot-life.js';
import { failed } from '../../support/plan-builders.js';

function fizzlesOf({ state }: Life): number {
  return state.breaker.fizzles;
}

describe('the end of a pilot', () => {
  test.each([
    { what: 'was too old to have been judged by sight', ageMs: 10_000, livedMs: 9999, fizzles: 1 },
    { what: 'was so young that its sight has told already', ageMs: 9999, livedMs: 9998, fizzles: 0 },
    { what: 'lived for just as long as it takes', ageMs: 10_000, livedMs: 10_000, fizzles: 0 },
  ])('that left the list before the engine told of it, and $what, counts $fizzles', ({ ageMs, livedMs, fizzles }) => {
    const life = aLife();
    life.at(0, { load: {} });
    life.at(1, { outcomes: [ended(life.pilot('gone', 20, 1, DEAD), ageMs, livedMs)] });

    expect(fizzlesOf(life)).toBe(fizzles);
  });

  test.each([
    [10_000, 0],
    [9999, 1],
  ])('that the list could not tell, after a life of %s ms, counts %s', (livedMs, fizzles) => {
    const life = aLife();
    const slow = life.pilot('slow', 15, 15, DEAD);
    life.at(0, { load: {} });
    life.at(15, { pilots: [slow] });
    life.at(1, { outcomes: [ended(slow, 15_000, livedMs)] });

    expect(fizzlesOf(life)).toBe(fizzles);
  });
});

describe('a start that failed', () => {
  test.each([
    ['the configuration in force', 'r1', 1],
    ['another one', 'r0', 0],
  ])('of a pilot of %s counts', (_, revision, fizzles) => {
    const life = aLife();
    life.at(0, { load: {}, revision: 'r1' });
    const action = { type: 'spawn', reason: 'growth', spec: aSpec({ revision }) } as const;
    life.at(1, { revision: 'r1', outcomes: [failed(action, 'refused')] });

    expect(fizzlesOf(life)).toBe(fizzles);
  });
});
