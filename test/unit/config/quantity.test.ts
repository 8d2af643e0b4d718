import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseNumber, parseSize } from '../../../src/config/quantity.js';

describe('durations', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['12h', 43_200],
    ['2d', 172_800],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['1_000', 1000],
    ['0', 0],
    ['0.5s', 0.5],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    '',
    ' ',
    '1h 5',
    '30m1h',
    '1h1h',
    '5x',
    '1M',
    '10ms',
    'h',
    '1 h',
    '--1',
    '1e',
    'Infinity',
    '0x10',
    '1__0',
    '1e999',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('are written so that they read back as the same number', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e9 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
  });

  it('are written in the units people use', () => {
    expect([43_200, 5400, 90, 172_800, 0].map(formatDuration)).toEqual(['12h', '1h30m', '1m30s', '2d', '0']);
  });
});

describe('sizes', () => {
  it.each([
    ['2000000000', 2e9],
    ['2e9', 2e9],
    ['500M', 5e8],
    ['2G', 2e9],
    ['2GB', 2e9],
    ['2Gi', 2 ** 31],
    ['2GiB', 2 ** 31],
    ['2.75G', 2_750_000_000],
    ['64KiB', 65_536],
    ['7B', 7],
    ['1T', 1e12],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '2g', '10XB', '2GG', '2 G', '2iB', 'G', '-', '1,5G', '2gb'])('refuses %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it('are written so that they read back as the same number', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 50 }), fc.constantFrom(1, 1000, 1024, 2 ** 20, 1e9), (bytes, factor) => {
        fc.pre(bytes * factor <= 2 ** 53);
        expect(parseSize(formatSize(bytes * factor))).toBe(bytes * factor);
      }),
    );
  });
});

describe('plain numbers', () => {
  it('keep their sign and their point', () => {
    expect(['-3', '+4', '0.25', '.5', '1.', '017'].map(parseNumber)).toEqual([-3, 4, 0.25, 0.5, 1, 17]);
  });

  it('are finite', () => {
    expect(parseNumber('1e999')).toBeUndefined();
  });
});
