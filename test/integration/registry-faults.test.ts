import { expect, it } from 'vitest';
import { registryCases } from '../faults/registry-cases.js';
import { runRegistryMatrix } from '../faults/registry-matrix.js';

/** Of each kind one; all of them are in `npm run faults`. */
const shown = ['manifests 401', 'manifests 429', 'manifests 500', 'manifests hang', 'blobs altered', 'blobs slow'];

it('goes on from what is here, whatever its registry does', { timeout: 600_000 }, async () => {
  const share = registryCases.filter(({ fault }) => shown.includes(fault));
  const results = await runRegistryMatrix(share, () => undefined);
  process.stdout.write(`registry faults: ${results.length} of ${registryCases.length} cases were run\n`);
  expect(results).toHaveLength(shown.length);
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
  // Two pulls an hour are what the plan allows itself then, and eight requests what is polite.
  expect(results.find(({ name }) => name.startsWith('429'))?.requests).toBeLessThanOrEqual(4);
});
