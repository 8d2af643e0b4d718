import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { BarChart } from './bar-chart.js';
import type { Cell } from './table.js';

/** One figure beside what was asked of it. A bench tells; it never fails because of one. */
export interface Verdict {
  readonly what: string;
  /** As people read it, such as `<= 1.15`. */
  readonly bar: string;
  readonly measured: number;
  readonly passes: boolean;
}

/** What one bench has found. */
export interface BenchResult {
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly verdicts: readonly Verdict[];
  readonly chart?: BarChart;
  /** Every sample behind the rows. */
  readonly raw: Readonly<Record<string, readonly number[]>>;
}

/** A result with where and when it was measured. */
export interface StoredResult extends BenchResult {
  readonly date: string;
  readonly machine: string;
  /** A short run: an impression, not a measurement. */
  readonly quick: boolean;
}

/** By the name of the bench. */
export type Results = Readonly<Record<string, StoredResult>>;

export function atMost(what: string, limit: number, measured: number): Verdict {
  return { what, bar: `<= ${limit}`, measured, passes: measured <= limit };
}

export function atLeast(what: string, limit: number, measured: number): Verdict {
  return { what, bar: `>= ${limit}`, measured, passes: measured >= limit };
}

/** None when there is no such file yet. Figures that could not be measured come back as NaN. */
export function readResults(file: string): Results {
  if (!existsSync(file)) return {};
  // JSON has no NaN and writes null.
  return JSON.parse(readFileSync(file, 'utf8'), (_, value: unknown) => (value === null ? NaN : value)) as Results;
}

/** Puts one bench's result in the place of its last one; those of the others stay. */
export function storeResult(file: string, name: string, result: StoredResult): Results {
  const results = { ...readResults(file), [name]: result };
  const sorted = Object.fromEntries(Object.entries(results).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(file, `${toJson(sorted)}\n`);
  // Rounded as it is kept: whoever makes the tables again from the file must come to the same.
  return readResults(file);
}

/** Indented, but with each list of plain values on one line; of samples, three digits behind the point. */
function toJson(results: Results): string {
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(4)) : value);
  const text = JSON.stringify(results, rounded, 1);
  return text.replace(/\[\n[^[\]{}]*\]/g, (list) => list.replace(/\n\s*/g, ' '));
}
