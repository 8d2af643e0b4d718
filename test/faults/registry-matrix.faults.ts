import { expect, it } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { atLeast, atMost } from '../bench/results.js';
import { registryCases } from './registry-cases.js';
import { runRegistryMatrix } from './registry-matrix.js';
import { recoveryBarSeconds } from './summary.js';

/** What the plan asks a registry that limits requests in the first hour; a test of the plan holds it to that. */
const pullsAnHour = 2;

it('goes on from what is here, whatever its registry does', async () => {
  const chosen = registryCases.filter(({ takesLong }) => !(quick && takesLong === true));
  const results = await runRegistryMatrix(chosen, ({ name, violations }) => {
    process.stdout.write(`${name}: ${violations.length === 0 ? 'fine' : violations.join('; ')}\n`);
  });
  const rows = results.map(({ name, said, goesOnSeconds, requests, violations }) => [
    ...[name, said === '' ? 'nothing: the image came' : said, goesOnSeconds],
    ...[Number.isNaN(requests) ? '' : requests, violations.length],
  ]);
  const limited = results.find(({ name }) => name.startsWith('429'));
  report(
    'registry-matrix',
    {
      head: ['the registry', 'the status says', 'next pilot meanwhile, s', 'requests a pull', 'violations'],
      rows,
      verdicts: [
        atLeast('cases', chosen.length, results.length),
        atMost('cases with a violation', 0, results.filter(({ violations }) => violations.length > 0).length),
        atMost('requests an hour where there are too many', 8, pullsAnHour * (limited?.requests ?? NaN)),
        atMost(
          'next pilot meanwhile, s, worst',
          recoveryBarSeconds,
          Math.max(...results.map((one) => one.goesOnSeconds)),
        ),
      ],
      raw: {},
    },
    { dir: 'docs/faults', documents: [['docs/reliability.md', 'faults']] },
  );
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
});
