import { describe, expect, it } from 'vitest';
import { parseStall } from '../../../src/observe/pressure-stall.js';

describe('a file of /proc/pressure', () => {
  const text = `some avg10=33.88 avg60=25.62 avg300=12.54 total=59254801
full avg10=0.10 avg60=2.00 avg300=0.00 total=7
`;

  it('tells how long some, and how long all waited', () => {
    expect(parseStall(text, 'some')).toEqual({ avg10: 33.88, avg60: 25.62 });
    expect(parseStall(text, 'full')).toEqual({ avg10: 0.1, avg60: 2 });
  });

  it.each(['', 'some\n', 'full avg10=1.00 avg60=2.00\n', 'some avg10=x avg60=1.00 total=1\n', 'some avg10=1.00\n'])(
    'is refused where the kernel writes something else: %j',
    (other) => {
      expect(() => parseStall(other, 'some')).toThrow('/proc/pressure tells no some avg');
    },
  );
});
