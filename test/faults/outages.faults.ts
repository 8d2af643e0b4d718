import { expect, it } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { atLeast, atMost } from '../bench/results.js';
import { outages } from './outages.js';
import { recoveryBarSeconds, runOutages, slots, type OutageResult } from './run-outage.js';

const times = quick ? 1 : 3;

function broken(results: readonly OutageResult[]): readonly OutageResult[] {
  return results.filter(({ violations }) => violations.length > 0);
}

/** The greatest, or that it never came. */
function worst(seconds: readonly number[]): number | string {
  return seconds.some(Number.isNaN) ? 'never' : Math.max(...seconds);
}

function rowOf(name: string, results: readonly OutageResult[]) {
  const mine = results.filter((result) => result.name === name);
  const told = [...new Set(mine.flatMap((result) => result.told))].sort();
  return [
    ...[name, mine[0]?.who ?? '', mine.length, told.join(', ')],
    worst(mine.map(({ longestGap }) => longestGap)),
    worst(mine.map(({ recoverySeconds }) => recoverySeconds)),
    worst(mine.map(({ fullSeconds }) => fullSeconds)),
    broken(mine).reduce((sum, { violations }) => sum + violations.length, 0),
  ];
}

it('goes on after its engine has been broken', async () => {
  const tell = ({ name, who, recoverySeconds, violations }: OutageResult) => {
    const verdict = violations.length === 0 ? 'fine' : violations.join('; ');
    process.stdout.write(`${name}, ${who}: ${recoverySeconds.toFixed(1)} s, ${verdict}\n`);
  };
  const planned = Array.from({ length: times }, () => outages).flat();
  const ours = await runOutages(planned, 'Plancton', tell);
  const theirs = await runOutages(outages, 'the original', tell);
  report(
    'outages',
    {
      head: [
        ...['what happens', 'to', 'times', 'the status tells', 'longest pause between looks, s'],
        ...['next pilot after, s, worst', `${slots} slots full after, s, worst`, 'violations'],
      ],
      rows: outages.flatMap(({ name }) => [rowOf(name, ours), rowOf(name, theirs)]),
      verdicts: [
        atLeast('outages', planned.length, ours.length),
        atMost('outages with a violation', 0, broken(ours).length),
        atMost('next pilot after, s, worst', recoveryBarSeconds, Math.max(...ours.map((one) => one.recoverySeconds))),
      ],
      raw: Object.fromEntries(
        outages.map(({ name }) => [
          `${name}: s until the next pilot`,
          ours.filter((result) => result.name === name).map(({ recoverySeconds }) => recoverySeconds),
        ]),
      ),
    },
    { dir: 'docs/faults', documents: [['docs/reliability.md', 'faults']] },
  );
  expect(broken(ours)).toEqual([]);
});
