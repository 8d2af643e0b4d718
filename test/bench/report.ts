import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBarChart } from './bar-chart.js';
import { renderDocument, renderResult } from './benchmarks-doc.js';
import { describeMachine } from './machine.js';
import { quick } from './measure.js';
import { storeResult, type BenchResult } from './results.js';

const top = join(import.meta.dirname, '..', '..');
const docsDir = join(top, 'docs', 'bench');

/**
 * Prints the tables of one bench and keeps result and chart, for a short run in the folder PLANCTON_BENCH_OUT, else in `docs/bench`, where
 * the documents are brought up to date as well.
 */
export function report(name: string, result: BenchResult): void {
  process.stdout.write(`\n${[`## ${name}`, ...renderResult(result)].join('\n\n')}\n\n`);
  const dir = process.env['PLANCTON_BENCH_OUT'] ?? docsDir;
  mkdirSync(dir, { recursive: true });
  const stored = { date: new Date().toISOString().slice(0, 10), machine: describeMachine(), quick, ...result };
  const results = storeResult(join(dir, 'results.json'), name, stored);
  const { chart } = results[name] ?? result;
  if (chart !== undefined) writeFileSync(join(dir, `${name}.svg`), toBarChart(chart));
  if (dir !== docsDir) return;
  for (const [file, chartDir] of [
    ['README.md', 'docs/bench'],
    ['docs/benchmarks.md', 'bench'],
  ] as const) {
    const path = join(top, file);
    writeFileSync(path, renderDocument(readFileSync(path, 'utf8'), results, chartDir));
  }
}
