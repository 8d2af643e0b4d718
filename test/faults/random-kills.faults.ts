import { afterAll, beforeAll, expect, it } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { atLeast, atMost } from '../bench/results.js';
import { importBusybox } from '../support/busybox-image.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { killAtRandom } from '../support/random-kills.js';

const minutes = quick ? 1 : 60;
const seed = 20_260_101;

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await startPrivateEngine();
  await importBusybox(engine);
});
afterAll(() => engine.stop());

it('is as it was after its next start, whenever it was killed', async () => {
  const { kills, starts, violations } = await killAtRandom(engine.host, seed, minutes * 60_000);
  report(
    'random-kills',
    {
      head: ['seed', 'minutes', 'kills', 'pilots started', 'violations'],
      rows: [[seed, minutes, kills, starts, violations.length]],
      verdicts: [atLeast('pilots started', minutes, starts), atMost('violations', 0, violations.length)],
      raw: {},
    },
    { dir: 'docs/faults', documents: [['docs/reliability.md', 'faults']] },
  );
  expect(violations).toEqual([]);
});
