import { expect, it } from 'vitest';
import { outages } from '../faults/outages.js';
import { runOutages } from '../faults/run-outage.js';

/** One of each kind; all of them, several times each, are in `npm run faults`. */
const shown = /^(dockerd is killed \(|containerd|a pilot waits|a container that cannot|the data root)/;

it('goes on after its engine has been broken', { timeout: 1_200_000 }, async () => {
  const share = outages.filter(({ name }) => shown.test(name));
  const results = await runOutages(share, 'Plancton', () => undefined);
  process.stdout.write(`outages: ${results.length} of ${outages.length} were brought about\n`);
  expect(results).toHaveLength(5);
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
});
