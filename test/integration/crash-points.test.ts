import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importBusybox } from '../support/busybox-image.js';
import { crashEverywhere } from '../support/crash-everywhere.js';
import { crashPoints } from '../support/crash-points.js';
import { startLocalRegistry, type LocalRegistry } from '../support/local-registry.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';

let engine: PrivateEngine;
let registry: LocalRegistry;

beforeAll(async () => {
  engine = await startPrivateEngine();
  await importBusybox(engine);
  registry = await startLocalRegistry(engine);
});
afterAll(() => engine.stop());

describe('a daemon that is killed', () => {
  it('is as it was after its next start, three times each at every point', { timeout: 1_200_000 }, async () => {
    const crashes = await crashEverywhere({ engine, registry, points: crashPoints, runs: 3, stages: 3 });

    expect(crashes).toHaveLength(3 * crashPoints.length);
    expect(crashes.filter(({ violations }) => violations.length > 0)).toEqual([]);
  });
});
