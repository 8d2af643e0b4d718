import { describe, expect, it } from 'vitest';
import { formatTable } from '../../../src/cli/text-table.js';

describe('a table', () => {
  it('has columns as wide as they have to be, numbers on the right', () => {
    expect(formatTable([['NAME', 'CPUS', 'IMAGE'], ['a', '1', 'busybox'], ['much longer']], [1])).toBe(
      ['NAME         CPUS  IMAGE', 'a               1  busybox', 'much longer'].join('\n'),
    );
    expect(formatTable([])).toBe('');
  });

  it('may have many rows', () => {
    expect(formatTable(Array.from({ length: 200_000 }, () => ['a', 'b'])).length).toBe(200_000 * 5 - 1);
  });
});
