import { describe, expect, it } from 'vitest';
import { parseProcStat } from '../../../src/observe/proc-stat.js';

describe('the CPU lines of /proc/stat', () => {
  it('counts steal as busy, guest time once, and iowait by itself', () => {
    const text = `cpu  100 20 30 4000 50 6 7 8 90 10
cpu0 50 10 15 2000 25 3 3 4 45 5
cpu1 50 10 15 2000 25 3 4 4 45 5
intr 12345 1 2 3
`;
    expect(parseProcStat(text)).toEqual({ cpus: 2, busy: 100 + 20 + 30 + 6 + 7 + 8, idle: 4000, iowait: 50 });
  });

  it('understands kernels that write fewer columns', () => {
    expect(parseProcStat('cpu  1 2 3 4\ncpu0 1 2 3 4\n')).toEqual({ cpus: 1, busy: 6, idle: 4, iowait: 0 });
  });

  it('counts the CPUs that are online, whatever their numbers', () => {
    expect(parseProcStat('cpu  1 2 3 4\ncpu0 1 1 1 1\ncpu7 0 1 2 3\ncpu130 0 0 0 0\n').cpus).toBe(3);
  });

  it.each(['', 'intr 1 2 3\n', 'cpu  a b c d\ncpu0 1 2 3 4\n', 'cpu  1 2 3 4\n'])('refuses %j', (text) => {
    expect(() => parseProcStat(text)).toThrow('/proc/stat has no CPU lines');
  });
});
