import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpressionError } from '../../../src/config/expression/expression-error.js';
import { evaluateExpression } from '../../../src/config/expression/expression.js';

const names = new Map([
  ['ncpus', 5],
  ['ram_bytes', 16_000_000_000],
  ['swap_bytes', 0],
  ['max_dock_mem', 2_000_000_000],
  ['max_dock_swap', 0],
]);

function evaluate(text: string): number {
  return evaluateExpression(text, names, 10_000);
}

function failureOf(text: string): { message: string; column: number } {
  try {
    return { message: `no error, but ${evaluate(text)}`, column: 0 };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { message: error.message, column: error.column };
  }
}

describe('arithmetic for max_docks', () => {
  it.each([
    ['ncpus', 5],
    ['ncpus - 2', 3],
    ['max(1, ncpus - 2)', 3],
    ['ram_bytes / (max_dock_mem + max_dock_swap)', 8],
    ['min(ncpus, ram_bytes // max_dock_mem) - 1', 4],
    // Division of integers rounds down, also below zero, as in Python 2.
    ['ncpus / 2', 2],
    ['ncpus / 2 * 3', 6],
    ['-7 / 2', -4],
    ['-7 // 2', -4],
    ['-7 % 3', 2],
    ['7 % -3', -2],
    ['ncpus / 2.0', 2],
    ['ncpus * 0.9', 4],
    ['-2.7', -2],
    ['1 // 0.1', 9],
    // Powers bind tighter than a sign before them, and group to the right.
    ['-2 ** 2', -4],
    ['2 ** 3 ** 2', 512],
    ['2 ** -1 * 4', 2],
    ['1 < 2 < 3', 1],
    ['3 > 2 > 2', 0],
    ['ncpus if ncpus > 4 else 1', 5],
    ['1 if 0 else 2 if 0 else 3', 3],
    ['not ncpus', 0],
    ['0 or 7', 7],
    ['3 and 4', 4],
    ['0 and 1 / 0', 0],
    ['1 / 0 if ncpus < 0 else 6', 6],
    ['int(2.9) + floor(2.9) + ceil(2.1) + abs(-1)', 8],
    ['round(2.5) + round(-2.5) + round(0.5)', 1],
    ['0x10 + 1_000', 1016],
    ['1e3', 1000],
    ['  ncpus\n - 2 ', 3],
  ])('%s is %d on 5 CPUs', (text, value) => {
    expect(evaluate(text)).toBe(value);
  });

  it.each([
    ['ncpus / (2 - 2)', 7, /division by zero/],
    ['ncpus % 0', 7, /division by zero/],
    ['ncpu - 2', 1, /ncpu is not known; there are ncpus/],
    ['1 + exit(1)', 5, /exit\(\) is not known/],
    ['ncpus -', 8, /missing at the end/],
    ['(ncpus', 7, /\) is missing/],
    ['ncpus 2', 7, /2 is out of place/],
    ['ncpus.real', 6, /"\." has no meaning/],
    ['"a"', 1, /has no meaning/],
    ['1 if 2', 7, /else is missing/],
    ['max(1)', 1, /two or more/],
    ['abs(1, 2)', 1, /one argument/],
    ['10001', 1, /more than 10000/],
    ['010', 1, /leading 0/],
    ['9 ** 9 ** 9', 3, /too large/],
    ['1e308 * 10', 7, /finite/],
    ['0 ** -1', 3, /negative power/],
    ['(-8) ** 0.5', 6, /finite/],
    ['', 1, /missing/],
    ['__proto__', 1, /not known/],
    ['constructor(1)', 1, /not known/],
  ])('%s is refused at column %d', (text, column, message) => {
    const failure = failureOf(text);
    expect(failure.message).toMatch(message);
    expect(failure.column).toBe(column);
  });

  it('refuses what is too long or nested too deeply', () => {
    expect(failureOf('1+'.repeat(600) + '1').message).toMatch(/longer than/);
    expect(failureOf('('.repeat(200) + '1' + ')'.repeat(200)).message).toMatch(/nested/);
    expect(failureOf('-'.repeat(900) + '1').message).toMatch(/nested/);
    expect(failureOf('2**'.repeat(300) + '1').message).toMatch(/nested/);
    expect(failureOf('2**1000*'.repeat(100) + '1').message).toMatch(/reasonable size/);
  });

  it('fails with an ExpressionError and nothing else, whatever the text', () => {
    const word = fc.constantFrom(
      ...'ncpus ram_bytes 0 1 2.5 1e308 9999999999 + - * / // % ** ( ) , < <= == != not and or if else max( int( round('.split(
        ' ',
      ),
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
      fc.string({ maxLength: 60, unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (expression) => {
        const failure = failureOf(expression);
        expect(failure.column).toBeLessThanOrEqual(expression.length + 1);
      }),
      { numRuns: 3000 },
    );
  });
});
