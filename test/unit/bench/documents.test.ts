import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toBarChart } from '../../bench/bar-chart.js';
import { renderDocument } from '../../bench/benchmarks-doc.js';
import { atMost, readResults, type StoredResult } from '../../bench/results.js';

const top = join(import.meta.dirname, '..', '..', '..');
const results = readResults(join(top, 'docs', 'bench', 'results.json'));

// Written by `npx vitest -u`, or by the next run of a bench; never by hand.
describe('what is written about measurements', () => {
  it.each([
    ['README.md', 'docs/bench'],
    ['docs/benchmarks.md', 'bench'],
  ])('has the figures of the last run in %s', async (file, chartDir) => {
    const path = join(top, file);
    await expect(renderDocument(readFileSync(path, 'utf8'), results, chartDir)).toMatchFileSnapshot(path);
  });

  it('has the figures of the last run in docs/reliability.md', async () => {
    const path = join(top, 'docs', 'reliability.md');
    const faults = readResults(join(top, 'docs', 'faults', 'results.json'));
    await expect(renderDocument(readFileSync(path, 'utf8'), faults, 'faults')).toMatchFileSnapshot(path);
  });

  it('has charts with the figures of the last run', async () => {
    for (const [name, { chart }] of Object.entries(results)) {
      if (chart === undefined) continue;
      await expect(toBarChart(chart)).toMatchFileSnapshot(join(top, 'docs', 'bench', `${name}.svg`));
    }
  });

  it('shows every bench that was run', () => {
    const doc = readFileSync(join(top, 'docs', 'benchmarks.md'), 'utf8');
    for (const name of Object.keys(results)) expect(doc).toContain(`<!-- bench ${name}: begin -->`);
  });
});

describe('a document with results in it', () => {
  const result: StoredResult = {
    ...{ date: '2026-01-02', machine: 'a machine', quick: false },
    head: ['what', 's'],
    rows: [['ours', NaN]],
    verdicts: [atMost('ratio', 1.5, 2)],
    raw: {},
  };
  const text = 'before\n<!-- bench race: begin -->\nold\n<!-- bench race: end -->\nafter';

  it('gets new tables and keeps its prose', () => {
    const rendered = renderDocument(text, { race: result }, '.');
    expect(rendered).toMatch(/^before\n/);
    expect(rendered).toMatch(/\nafter$/);
    expect(rendered).not.toContain('old');
    expect(rendered).toContain('| ours | -   |');
    expect(rendered).toContain('| ratio | <= 1.5 | 2        | NO  |');
    expect(rendered).toContain('Measured on 2026-01-02: a machine.');
  });

  it('stays the same when it is rendered again', () => {
    const rendered = renderDocument(text, { race: result }, '.');
    expect(renderDocument(rendered, { race: result }, '.')).toBe(rendered);
  });

  it('says what was not measured, and what was measured in haste', () => {
    expect(renderDocument(text, {}, '.')).toContain('Not measured yet.');
    expect(renderDocument(text, { race: { ...result, quick: true } }, '.')).toContain('A short run on 2026-01-02');
  });
});
