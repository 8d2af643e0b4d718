import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toLine, type Point } from '../../../src/report/line-protocol.js';

const atMs = Date.UTC(2026, 10, 21, 12, 0, 0, 123);

function lineOf(point: Partial<Point>): string | undefined {
  return toLine({ series: 's', tags: {}, fields: { f: 1.5 }, atMs, ...point });
}

describe('line protocol', () => {
  it('writes the series of the original as it did', () => {
    const tags = { hostname: 'host1', started: 'True', killed: 'False' };
    expect(toLine({ series: 'container', tags, fields: { uptime: 61 }, atMs })).toBe(
      'container,hostname=host1,started=True,killed=False uptime=61.0 1795262400123000000',
    );
    const fields = { containers: 4, status: 'active' };
    expect(toLine({ series: 'daemon', tags: { hostname: 'host1' }, fields, atMs })).toBe(
      'daemon,hostname=host1 containers=4.0,status="active" 1795262400123000000',
    );
  });

  const numbers: [number, string][] = [
    [0, '0.0'],
    [-0, '0.0'],
    [-3, '-3.0'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [0.1 + 0.2, '0.30000000000000004'],
  ];
  it.each(numbers)('writes %d as the float %s', (value, text) => {
    expect(lineOf({ fields: { f: value } })).toBe(`s f=${text} 1795262400123000000`);
  });

  it('escapes what has a meaning of its own', () => {
    const point = { series: 'a, b=c', tags: { 'k, =': 'v, =\\x' }, fields: { 'f, =': 'say "\\"' } };
    expect(lineOf(point)).toBe('a\\,\\ b=c,k\\,\\ \\==v\\,\\ \\=\\x f\\,\\ \\=="say \\"\\\\\\"" 1795262400123000000');
  });

  it('leaves out what cannot be written', () => {
    const point = { tags: { empty: '', '': 'x', end: 'a\\' }, fields: { bad: NaN, worse: Infinity, good: true } };
    expect(lineOf(point)).toBe('s,end=a good=true 1795262400123000000');
  });

  it('writes nothing for a point without a field, a name or a time', () => {
    expect(lineOf({ fields: { f: NaN } })).toBeUndefined();
    expect(lineOf({ series: '' })).toBeUndefined();
    expect(lineOf({ atMs: NaN })).toBeUndefined();
  });

  it('tells points of one millisecond apart to the nanosecond', () => {
    expect(toLine({ series: 's', tags: {}, fields: { f: 1 }, atMs: 1.7 }, 42)).toBe('s f=1.0 1000042');
  });

  it('never lets a name or a tag break out of its line', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (series, key, value) => {
        const line = lineOf({ series, tags: { [key]: value } });
        if (line === undefined) return;
        expect(line).not.toContain('\n');
        // With everything escaped made a plain letter: one series, at most one tag, one field, one time.
        expect(line.replace(/\\[, =]/g, 'x')).toMatch(/^[^, ]+(,[^ ,=]+=[^ ,=]+)? f=1\.5 \d+$/);
      }),
    );
  });
});
