import { expect, it } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { cases, everyNth } from './cases.js';
import { runMatrix } from './matrix.js';
import { summarize } from './summary.js';

const shortStep = 40;

it('goes on, whatever its engine answers', async () => {
  const chosen = quick ? everyNth(shortStep) : cases;
  let done = 0;
  const results = await runMatrix(chosen, ({ name, violations }) => {
    done += 1;
    const verdict = violations.length === 0 ? 'fine' : violations.join('; ');
    process.stdout.write(`${done} of ${chosen.length}: ${name}: ${verdict}\n`);
  });
  const documents = [['docs/reliability.md', 'faults']] as const;
  report('engine-matrix', summarize(results, chosen.length), { dir: 'docs/faults', documents });
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
});
