import { afterAll, beforeAll, expect, it } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { atLeast, atMost } from '../bench/results.js';
import { importBusybox } from '../support/busybox-image.js';
import { crashEverywhere } from '../support/crash-everywhere.js';
import { crashPoints, fewCrashPoints, nameOf } from '../support/crash-points.js';
import { startLocalRegistry, type LocalRegistry } from '../support/local-registry.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';

const points = quick ? fewCrashPoints : crashPoints;
const runs = quick ? 1 : 20;

let engine: PrivateEngine;
let registry: LocalRegistry;

beforeAll(async () => {
  engine = await startPrivateEngine();
  await importBusybox(engine);
  registry = await startLocalRegistry(engine);
});
afterAll(() => engine.stop());

it('is as it was after its next start, wherever it was killed', async () => {
  const onCrash = ({ point, run, violations }: { point: string; run: number; violations: readonly string[] }) => {
    process.stdout.write(`${point}, ${run}: ${violations.length === 0 ? 'fine' : violations.join('; ')}\n`);
  };
  const crashes = await crashEverywhere({ engine, registry, points, runs, stages: 4, onCrash });
  const wrong = crashes.filter(({ violations }) => violations.length > 0);
  const rows = points.map((point) => {
    const here = crashes.filter((crash) => crash.point === nameOf(point));
    return [nameOf(point), here.length, here.filter(({ violations }) => violations.length > 0).length];
  });
  const verdicts = [
    atLeast('kills, each at its point', runs * points.length, crashes.filter(({ killedAt }) => killedAt !== '').length),
    atMost('kills with a violation', 0, wrong.length),
  ];
  report(
    'crash-points',
    { head: ['killed', 'times', 'with a violation'], rows, verdicts, raw: {} },
    { dir: 'docs/faults', documents: [['docs/reliability.md', 'faults']] },
  );
  expect(wrong).toEqual([]);
});
