import type { Results, StoredResult, Verdict } from './results.js';
import { cellText, toTable } from './table.js';

/**
 * A document with what stands between `<!-- bench NAME: begin -->` and `<!-- bench NAME: end -->` made new from the results: the tables
 * of bench NAME, of all bars (`bars`), or all charts (`charts`). `chartDir`: where the charts are, seen from the document.
 */
export function renderDocument(text: string, results: Results, chartDir: string): string {
  const block = /(<!-- bench ([\w-]+): begin -->)[^]*?(<!-- bench \2: end -->)/g;
  return text.replace(block, (_, begin: string, name: string, end: string) => {
    const content = renderBlock(name, results, chartDir);
    return `${begin}\n\n<!-- prettier-ignore-start -->\n${content}\n<!-- prettier-ignore-end -->\n\n${end}`;
  });
}

function renderBlock(name: string, results: Results, chartDir: string): string {
  if (name === 'bars') return barsOfAll(results);
  if (name === 'charts') return chartsOfAll(results, chartDir);
  const result = results[name];
  if (result === undefined) return 'Not measured yet.';
  const chart = result.chart === undefined ? [] : [chartOf(name, result, chartDir)];
  return [...renderResult(result), ...chart, `_${provenance(result)}_`].join('\n\n');
}

/** The tables of one bench, for documents and for the terminal. */
export function renderResult({ head, rows, verdicts }: Pick<StoredResult, 'head' | 'rows' | 'verdicts'>): string[] {
  const table = toTable(head, rows);
  return verdicts.length === 0 ? [table] : [table, toTable(barsHead, verdicts.map(barRow))];
}

const barsHead = ['bar', 'asked', 'measured', 'met'];

function barRow({ what, bar, measured, passes }: Verdict): string[] {
  return [what, bar, cellText(measured), passes ? 'yes' : 'NO'];
}

function barsOfAll(results: Results): string {
  const rows = Object.entries(results).flatMap(([name, { verdicts, quick }]) =>
    verdicts.map((verdict) => [quick ? `${name} (short)` : name, ...barRow(verdict)]),
  );
  return toTable(['bench', ...barsHead], rows);
}

function chartsOfAll(results: Results, chartDir: string): string {
  const charted = Object.entries(results).filter(([, { chart }]) => chart !== undefined);
  const sources = [...new Set(charted.map(([, result]) => provenance(result)))];
  return [
    ...charted.map(([name, result]) => chartOf(name, result, chartDir)),
    ...sources.map((text) => `_${text}_`),
  ].join('\n\n');
}

function chartOf(name: string, { chart }: StoredResult, chartDir: string): string {
  return `![${chart?.title ?? name}](${chartDir}/${name}.svg)`;
}

function provenance({ date, machine, quick }: StoredResult): string {
  return `${quick ? 'A short run' : 'Measured'} on ${date}: ${machine}.`;
}
