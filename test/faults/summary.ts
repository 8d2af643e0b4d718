import { quickConfig } from '../support/plancton-process.js';
import { atLeast, atMost, type BenchResult } from '../bench/results.js';
import { median } from '../bench/statistics.js';
import type { CaseResult } from './run-case.js';

/** Two looks and two seconds. */
export const recoveryBarSeconds = 2 * quickConfig.main_sleep + 2;

/** By request: what was tried, what struck, and how soon the next pilot ran. */
export function summarize(results: readonly CaseResult[], planned: number): BenchResult {
  const names = [...new Set(results.map(({ endpoint }) => endpoint))];
  const rows = names.map((name) => {
    const mine = results.filter(({ endpoint }) => endpoint === name);
    const seconds = mine.map(({ recoverySeconds }) => recoverySeconds);
    const calm = mine.map(({ calmSeconds }) => calmSeconds);
    return [
      name,
      mine.length,
      mine.reduce((sum, { strikes }) => sum + strikes, 0),
      mine.filter(({ named }) => named).length,
      Math.max(...calm),
      median(seconds),
      Math.max(...seconds),
      mine.filter(({ violations }) => violations.length > 0).length,
    ];
  });
  const late = results.filter(({ recoverySeconds }) => !(recoverySeconds <= recoveryBarSeconds));
  return {
    head: [
      ...['request', 'cases', 'requests struck', 'told of'],
      ...['all well after, s: worst', 'next pilot, s: median', 'worst', 'violations'],
    ],
    rows,
    verdicts: [
      atLeast('cases', planned, results.length),
      atMost('cases with a violation', 0, results.filter(({ violations }) => violations.length > 0).length),
      atMost(`cases whose next pilot took longer than ${recoveryBarSeconds} s`, 0, late.length),
    ],
    raw: Object.fromEntries(
      names.flatMap((name) => {
        const mine = results.filter(({ endpoint }) => endpoint === name);
        return [
          [`${name}: seconds until all is well`, mine.map(({ calmSeconds }) => calmSeconds)],
          [`${name}: seconds until the next pilot`, mine.map(({ recoverySeconds }) => recoverySeconds)],
        ];
      }),
    ),
  };
}
