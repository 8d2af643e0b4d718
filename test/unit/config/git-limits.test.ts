import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limitScript } from '../../../src/config/git/git-limits.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'plancton-test-'));
  writeFileSync(join(dir, 'limits'), limitScript);
  // Stands in for git and tells what it may do.
  const told = 'ulimit -f; ulimit -v; ulimit -t; cat /proc/self/oom_score_adj; echo "$@"';
  writeFileSync(join(dir, 'git'), `#!/bin/sh\n${told}\n`, { mode: 0o755 });
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function run(before: string): string[] {
  const env = { PATH: `${dir}:${process.env['PATH'] ?? ''}` };
  const script = `${before}exec /bin/sh "$0" one 'two words'`;
  return execFileSync('/bin/sh', ['-c', script, join(dir, 'limits')], { encoding: 'utf8', env }).split('\n');
}

test('git gets 100 MiB per file, 2 GiB of memory, ten minutes, and goes first when memory is short', () => {
  expect(run('')).toEqual(['204800', '2097152', '600', '1000', 'one two words', '']);
});

test('git runs under limits that are tighter already', () => {
  expect(run('ulimit -v 1000000; ulimit -t 60; ').slice(1, 3)).toEqual(['1000000', '60']);
});
