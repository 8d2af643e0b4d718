import { expect, it } from 'vitest';
import { cases } from './cases.js';
import { runMatrix } from './matrix.js';

it('goes on', async () => {
  const only = process.env['ONLY'];
  const chosen = cases.filter(({ name }, i) => (only === undefined ? i % 13 === 0 : new RegExp(only).test(name)));
  const results = await runMatrix(chosen, (r) => console.log(JSON.stringify(r)));
  console.log(results.length, chosen.length, cases.length);
  expect(results.flatMap((r) => r.violations)).toEqual([]);
});
