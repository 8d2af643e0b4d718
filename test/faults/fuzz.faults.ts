import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { it, onTestFinished } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { atLeast, atMost } from '../bench/results.js';
import type { FuzzResult } from '../fuzz/fuzz.js';

const inputs = quick ? 10_000 : 1_000_000;

it('reads whatever comes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plancton-fuzz-'));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const out = join(dir, 'results');
  const env = { ...process.env, PLANCTON_FUZZ_INPUTS: String(inputs), PLANCTON_FUZZ_OUT: out };
  const words = ['run', '--config', '.config/vitest.config.ts', '--project', 'fuzz'];
  // What fails is told by its own report, and is no row of the table.
  await promisify(execFile)(join('node_modules', '.bin', 'vitest'), words, { env, maxBuffer: 2 ** 26 });
  const results = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FuzzResult)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  report(
    'fuzz',
    {
      head: ['read', 'seed', 'inputs', 'of which good', 'p99, ms', 'longest, ms'],
      rows: results.map(({ name, seed, inputs: fed, taken, p99Ms, worstMs }) => [
        name,
        seed,
        fed,
        taken,
        p99Ms,
        worstMs,
      ]),
      verdicts: [
        atLeast('of which good, least', 0.3, Math.min(...results.map(({ taken }) => taken))),
        atMost('p99, ms, worst', 50, Math.max(...results.map(({ p99Ms }) => p99Ms))),
      ],
      raw: {},
    },
    { dir: 'docs/faults', documents: [['docs/reliability.md', 'faults']] },
  );
});
