import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBarChart } from './bar-chart.js';
import { renderDocument, renderResult } from './benchmarks-doc.js';
import { describeMachine } from './machine.js';
import { quick } from './measure.js';
import { storeResult, type BenchResult } from './results.js';

const top = join(import.meta.dirname, '..', '..');

/** Where results are kept, and the documents that have tables of them. */
export interface Place {
  /** Seen from the top of the repository. */
  readonly dir: string;
  /** Each with the folder of the charts, seen from it. */
  readonly documents: readonly (readonly [file: string, chartDir: string])[];
}

const benches: Place = {
  dir: 'docs/bench',
  documents: [
    ['README.md', 'docs/bench'],
    ['docs/benchmarks.md', 'bench'],
  ],
};

/**
 * Prints the tables of one bench and keeps result and chart, for a short run in the folder PLANCTON_BENCH_OUT, else in its place, where
 * the documents are brought up to date as well.
 */
export function report(name: string, result: BenchResult, { dir: docsDir, documents } = benches): void {
  process.stdout.write(`\n${[`## ${name}`, ...renderResult(result)].join('\n\n')}\n\n`);
  const out = process.env['PLANCTON_BENCH_OUT'];
  const dir = out ?? join(top, docsDir);
  mkdirSync(dir, { recursive: true });
  const stored = { date: new Date().toISOString().slice(0, 10), machine: describeMachine(), quick, ...result };
  const results = storeResult(join(dir, 'results.json'), name, stored);
  const { chart } = results[name] ?? result;
  if (chart !== undefined) writeFileSync(join(dir, `${name}.svg`), toBarChart(chart));
  if (out !== undefined) return;
  for (const [file, chartDir] of documents) {
    const path = join(top, file);
    writeFileSync(path, renderDocument(readFileSync(path, 'utf8'), results, chartDir));
  }
}
