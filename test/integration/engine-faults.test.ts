import { expect, it } from 'vitest';
import { cases, everyNth } from '../faults/cases.js';
import { runMatrix } from '../faults/matrix.js';

/** The same cases in each run; all of them are in `npm run faults`. */
const step = 30;

it('goes on, whatever its engine answers', { timeout: 1_200_000 }, async () => {
  const share = everyNth(step);
  const results = await runMatrix(share, () => undefined);
  process.stdout.write(`engine faults: ${results.length} of ${cases.length} cases were run\n`);
  expect(results).toHaveLength(share.length);
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
});
