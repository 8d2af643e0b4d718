import { describe, expect, test } from 'vitest';
import { legacyLaunchable, legacyThreshold } from '../../../src/plan/legacy.js';
import { aPilot } from '../../support/builders.js';
import {
  aConfig,
  aStory,
  done,
  evictedBy,
  failed,
  first,
  gatesOf,
  pilotsOf,
  removalsOf,
  spawnsOf,
  type Look,
} from '../../support/plan-builders.js';

const config = aConfig({ policy: 'legacy', max_docks: 6 });

// The expected figures were worked out by hand from the original's two formulas.
describe('the formulas of the original', () => {
  test.each([
    { cpus: 24, idle: 100, running: 0, cpus_per_dock: 1, max_docks: 22, docks_per_loop: 4, launchable: 4 },
    { cpus: 24, idle: 100, running: 0, cpus_per_dock: 1, max_docks: 22, docks_per_loop: 40, launchable: 22 },
    { cpus: 24, idle: 100, running: 20, cpus_per_dock: 1, max_docks: 22, docks_per_loop: 4, launchable: 2 },
    { cpus: 24, idle: 100, running: 30, cpus_per_dock: 1, max_docks: 22, docks_per_loop: 4, launchable: 0 },
    { cpus: 24, idle: 4.17, running: 0, cpus_per_dock: 1, max_docks: 24, docks_per_loop: 4, launchable: 0 },
    { cpus: 24, idle: 4.39, running: 0, cpus_per_dock: 1, max_docks: 24, docks_per_loop: 4, launchable: 1 },
    { cpus: 8, idle: 50, running: 0, cpus_per_dock: 0.5, max_docks: 20, docks_per_loop: 20, launchable: 7 },
    { cpus: 8, idle: 50, running: 0, cpus_per_dock: 2, max_docks: 20, docks_per_loop: 20, launchable: 1 },
  ])('$idle % idle of $cpus CPUs beside $running pilots: $launchable', (row) => {
    const { cpus, idle, running, launchable, ...keys } = row;

    expect(legacyLaunchable(aConfig(keys), cpus, idle, running)).toBe(launchable);
  });

  test.each([
    { cpus: 24, running: 22, cpus_per_dock: 1, max_docks: 22, threshold: 91 },
    { cpus: 24, running: 24, cpus_per_dock: 1, max_docks: 22, threshold: 91 },
    { cpus: 128, running: 1, cpus_per_dock: 1, max_docks: 22, threshold: 0 },
    { cpus: 24, running: 5, cpus_per_dock: 0.5, max_docks: 22, threshold: 250 / 24 },
    { cpus: 8, running: 0, cpus_per_dock: 1, max_docks: 6, threshold: 0 },
  ])('$running pilots of $cpus_per_dock CPU on $cpus CPUs: threshold $threshold', (row) => {
    const { cpus, running, threshold, ...keys } = row;

    expect(legacyThreshold(aConfig(keys), cpus, running)).toBeCloseTo(threshold, 9);
  });
});

/** A loop in which `running` pilots run beside `busy` CPUs in use of eight. */
function loop(running: number, busy: number, more: Look = {}): Look {
  return { pilots: pilotsOf(running), load: { busy, own: running }, ...more };
}

describe('what holds a launch back', () => {
  const text = (decision: Parameters<typeof gatesOf>[0]) => decision.holds.map((hold) => `${hold.gate}: ${hold.text}`);

  test('is said with its numbers', () => {
    expect(text(aStory(config).look(loop(6, 6)))).toStrictEqual(['cap: 6 pilots, max_docks 6']);
    expect(text(aStory(config).look(loop(2, 7.5)))).toStrictEqual([
      'foreign-cpu: 0.50 of 8 CPUs are idle, 5 % of that are kept, one more takes 1',
    ]);
    expect(text(aStory(aConfig({ ...config, docks_per_loop: 3 })).look())).toStrictEqual([
      'pace: 3 more after each look at the host (docks_per_loop)',
    ]);
  });

  test('is the time since the last removal', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(1, { state: 'exited', exitCode: 0 }) });

    expect(text(story.look({ after: 10 }))).toStrictEqual([
      'cool-down: no launch for another 50 s after a removal (grace_spawn)',
    ]);
  });
});

describe('a loop of the original', () => {
  test('launches docks_per_loop at a time up to the cap', () => {
    const story = aStory(config);

    expect(spawnsOf(story.look())).toHaveLength(4);
    expect(spawnsOf(story.look(loop(4, 4)))).toHaveLength(2);
    expect(spawnsOf(story.look(loop(6, 6)))).toHaveLength(0);
  });

  test('takes iowait for busy', () => {
    expect(spawnsOf(aStory(config).look({ load: { busy: 0, idle: 2 } }))).toHaveLength(1);
  });

  test('launches and kills once per look at the host, however often it wakes', () => {
    const story = aStory(config);
    story.look();
    expect(spawnsOf(story.look({ load: null, after: 1 }))).toHaveLength(0);
    for (let look = 0; look <= 5; look += 1) story.look(loop(4, 8));

    expect(evictedBy(story.look({ pilots: pilotsOf(4), load: null, after: 1 }))).toHaveLength(0);
    expect(evictedBy(story.look(loop(4, 8, { after: 1 })))).toHaveLength(1);
  });

  test('kills the youngest pilot, one per loop, when the overhead has lasted for more than grace_kill', () => {
    const story = aStory(config);
    const kills = Array.from({ length: 7 }, () => evictedBy(story.look(loop(6, 7.5))));

    expect(kills).toStrictEqual([[], [], [], [], [], ['p005'], ['p005']]);
    expect(removalsOf(story.look(loop(6, 7.5)))[0]).toMatchObject({ reason: 'evicted', stopSeconds: 0 });
  });

  test.each([
    { busy: 6.8, kills: 0 },
    { busy: 6.81, kills: 1 },
  ])('beside six pilots $busy busy CPUs of eight kill $kills', ({ busy, kills }) => {
    const story = aStory(config);
    for (let look = 0; look < 5; look += 1) story.look(loop(6, busy));

    expect(evictedBy(story.look(loop(6, busy)))).toHaveLength(kills);
  });

  test('begins to count anew when the overhead is gone for one loop, or no pilot runs', () => {
    for (const calm of [loop(6, 6), loop(0, 8)]) {
      const story = aStory(config);
      for (let look = 0; look < 5; look += 1) story.look(loop(6, 8));
      story.look(calm);
      const kills = Array.from({ length: 6 }, () => evictedBy(story.look(loop(6, 8))).length);

      expect(kills).toStrictEqual([0, 0, 0, 0, 0, 1]);
    }
  });

  test('does not kill one that is going already', () => {
    const story = aStory(config);
    const removing = pilotsOf(6).map(({ id }) => id);
    for (let look = 0; look < 5; look += 1) story.look(loop(6, 8));
    const inFlight = { spawning: [], pulling: [], removing: removing.slice(4) };

    expect(evictedBy(story.look(loop(6, 8, { inFlight })))).toStrictEqual(['p003']);
    expect(evictedBy(story.look(loop(6, 8, { inFlight: { ...inFlight, removing } })))).toStrictEqual([]);
  });

  test('kills nobody where its threshold is cut down to nothing', () => {
    const story = aStory(aConfig({ policy: 'legacy', max_docks: 6, cpus: 'auto' }), {
      host: { hostname: 'h', ncpus: 128, ramBytes: 1, swapBytes: 0, bootId: 'b' },
    });
    for (let look = 0; look < 9; look += 1) {
      expect(evictedBy(story.look({ pilots: pilotsOf(1), load: { busy: 128 } }))).toHaveLength(0);
    }
  });

  test('launches nothing for grace_spawn after any removal, from the next loop on', () => {
    const story = aStory(config);
    const exited = [...pilotsOf(3), aPilot({ state: 'exited' })];
    expect(spawnsOf(story.look({ pilots: exited, load: { busy: 3, own: 3 } }))).toHaveLength(3);

    expect(gatesOf(story.look(loop(3, 3)))).toStrictEqual(['cool-down']);
    expect(spawnsOf(story.look(loop(3, 3)))).toHaveLength(0);
    expect(spawnsOf(story.look(loop(3, 3, { after: 0.001 })))).toHaveLength(3);
  });

  test('is not held back again by each try to remove the same one', () => {
    const story = aStory(config);
    const pilots = [...pilotsOf(3), aPilot({ state: 'exited' })];
    const stuck = { pilots, load: { busy: 3, own: 3 } };
    const removal = first(removalsOf(story.look(stuck)));
    story.look({ ...stuck, outcomes: [failed(removal, 'refused')] });
    expect(removalsOf(story.look(stuck))).toHaveLength(1);

    expect(spawnsOf(story.look(stuck))).toHaveLength(3);
  });

  test('lets those go on that were frozen before it came into force', () => {
    const story = aStory(aConfig({ max_docks: 6 }));
    const [pilot, other] = pilotsOf(2, { state: 'paused' });
    if (pilot === undefined || other === undefined) throw new Error('there are two');
    story.look({ pilots: [pilot, other], outcomes: [done({ type: 'freeze', pilot })] });

    const { actions } = story.look({ config, ...loop(2, 2), pilots: [pilot, other] });
    expect(actions.filter(({ type }) => type === 'thaw')).toStrictEqual([{ type: 'thaw', pilot }]);
  });

  test('launches nothing for grace_spawn after a kill, from this loop on', () => {
    const story = aStory(aConfig({ policy: 'legacy', max_docks: 8, docks_per_loop: 1 }));
    for (let look = 0; look < 5; look += 1) story.look(loop(3, 6));
    const killing = story.look(loop(3, 6));
    expect(evictedBy(killing)).toHaveLength(1);
    expect(spawnsOf(killing)).toHaveLength(0);

    expect(spawnsOf(story.look(loop(2, 2)))).toHaveLength(0);
    expect(spawnsOf(story.look(loop(2, 2)))).toHaveLength(0);
    expect(spawnsOf(story.look(loop(2, 2)))).toHaveLength(1);
  });

  test.each([
    { what: 'draining', look: { mode: 'drain' }, gate: 'draining' },
    { what: 'against the policy', look: { policy: { clamps: [], refusals: ['no'] } }, gate: 'policy' },
    { what: 'in a mode that cannot be read', look: { mode: 'unknown' }, gate: 'draining' },
    { what: 'on force-stop', look: { mode: 'force-stop' }, gate: 'force-stop' },
    { what: 'without an image', look: { image: null }, gate: 'image' },
    { what: 'without a sample', look: { load: null }, gate: 'no-sample' },
    { what: 'on an old sample', look: { load: { monoMs: 3_600_000 - 90_001 } }, gate: 'stale-sample' },
  ] as const)('launches nothing $what', ({ look, gate }) => {
    const decision = aStory(config).look(look);

    expect(spawnsOf(decision)).toHaveLength(0);
    expect(gatesOf(decision)).toStrictEqual([gate]);
  });

  test('kills nobody on an old sample', () => {
    const story = aStory(config);
    for (let look = 0; look < 5; look += 1) story.look(loop(6, 8));

    expect(evictedBy(story.look(loop(6, 8, { load: { busy: 8, monoMs: 3_600_000 } })))).toHaveLength(0);
  });

  test('counts pilots asked for and not yet listed', () => {
    const inFlight = { spawning: [{ name: 'new', cpus: 1 }], pulling: [], removing: [] };

    expect(spawnsOf(aStory(config).look({ pilots: pilotsOf(3), inFlight }))).toHaveLength(2);
  });

  test('does not touch what the capacity model remembers', () => {
    const story = aStory(config);
    for (let look = 0; look < 9; look += 1) story.look(loop(6, 8));

    expect(story.state).toMatchObject({ eviction: undefined, pressure: undefined, tokens: { growth: 0 } });
  });
});
