import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/schema.js';
import { vouchForLastUsed } from '../../../src/daemon/last-used.js';
import { initialState } from '../../../src/plan/state.js';
import { aConfig } from '../../support/plan-builders.js';

const OLD = aConfig({ docker_image: 'old', max_dock_mem: 4e9 });

/** What is left of the old source beside `now`, on a host that refuses and distrusts what is said. */
async function leftBeside(
  now: Config,
  { refusals = [], nowRefused = [], distrust }: { refusals?: string[]; nowRefused?: string[]; distrust?: string },
) {
  const state = initialState(1);
  const before = { ...state, image: { ...state.image, lastUsed: { config: OLD, revision: 'r1' } } };
  const after = await vouchForLastUsed(
    before,
    { config: now, clamps: [], refusals: nowRefused },
    {
      keeper: { distrust: (id) => Promise.resolve(id === 'r1' ? distrust : undefined) },
      narrow: (config) => Promise.resolve({ config: { ...config, max_dock_mem: 1e9 }, clamps: [], refusals }),
    },
  );
  return after.image.lastUsed;
}

describe('what pilots were started from before, while a newer image is awaited', () => {
  const newer = aConfig({ docker_image: 'newer' });

  test('stays, within the caps of today', async () => {
    expect(await leftBeside(newer, {})).toEqual({ config: { ...OLD, max_dock_mem: 1e9 }, revision: 'r1' });
  });

  test('is given up when the policy refuses it, its binds are not safe or nobody vouches for it', async () => {
    expect(await leftBeside(newer, { refusals: ['binds /data: /data is a symbolic link'] })).toBeUndefined();
    expect(await leftBeside(newer, { distrust: 'signed by a key that does not count' })).toBeUndefined();
  });

  test('is not judged where it will not be used', async () => {
    const bad = { refusals: ['x'], distrust: 'x' };
    expect(await leftBeside(newer, { ...bad, nowRefused: ['there is no policy'] })).toEqual({
      config: OLD,
      revision: 'r1',
    });
    expect(await leftBeside(OLD, bad)).toBeDefined();
  });
});
