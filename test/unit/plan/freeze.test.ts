import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/schema.js';
import type { Plan } from '../../../src/decision.js';
import type { Action, Outcome, Pilot } from '../../../src/model.js';
import type { State } from '../../../src/plan/state.js';
import { anInFlight, someResources } from '../../support/builders.js';
import { aConfig, aStory, gatesOf, pilotsOf, removalsOf, spawnsOf, type Look } from '../../support/plan-builders.js';

const config = aConfig({ reclaim: ['freeze', 'stop'], freeze_max: 600 });

/** Eight pilots beside an owner who wants `foreign` of eight CPUs; what is planned is done by the next look, 30 s later. */
function aLentHost(given: Config = config, born: Partial<Pilot> = {}) {
  const story = aStory(given);
  const paused = new Set<string>();
  const unfreezable = new Set<string>();
  let pilots = pilotsOf(8, born).toReversed();
  let outcomes: readonly Outcome[] = [];
  return {
    /** Paused by somebody else. */
    paused,
    /** Their processes cannot be made to stand still. */
    unfreezable,
    without(name: string): void {
      pilots = pilots.filter((pilot) => pilot.name !== name);
    },
    look(foreign: number, look: Look = {}): Plan<State> {
      const listed = pilots.map((pilot): Pilot => (paused.has(pilot.name) ? { ...pilot, state: 'paused' } : pilot));
      const load = { busy: 8, own: 8 - foreign };
      const decision = story.look({ pilots: listed, outcomes, load, ...look });
      const fails = (action: Action) => action.type === 'freeze' && unfreezable.has(action.pilot.name);
      outcomes = decision.actions.map((action) => {
        return { action, result: fails(action) ? 'failed' : 'done', error: undefined, ended: undefined };
      });
      for (const action of decision.actions) {
        if (action.type === 'freeze' && !fails(action)) paused.add(action.pilot.name);
        if (action.type === 'thaw') paused.delete(action.pilot.name);
        if (action.type === 'remove') this.without(action.pilot.name);
      }
      return decision;
    },
    looks(count: number, foreign: number): Plan<State>[] {
      return Array.from({ length: count }, () => this.look(foreign));
    },
  };
}

function told(decision: Plan<State> | undefined): readonly string[] {
  const actions = decision?.actions ?? [];
  return actions.flatMap((action) => ('pilot' in action ? [`${action.type} ${action.pilot.name}`] : []));
}

describe('reclaim: [freeze, stop]', () => {
  test('freezes whom it would have evicted, and nobody twice', () => {
    const decisions = aLentHost().looks(9, 3.5);

    expect(decisions.map(told)).toStrictEqual([
      ...[[], [], [], []],
      ['freeze p007', 'freeze p006', 'freeze p005'],
      ...[[], [], [], []],
    ]);
  });

  test('stops those that could not be frozen for freeze_max: they are crowded out all the same', () => {
    const host = aLentHost(aConfig({ ...config, freeze_max: 300 }));
    host.unfreezable.add('p007');
    const decisions = host.looks(30, 1.5).map(told).flat();
    const tries = decisions.filter((what) => what === 'freeze p007').length;

    expect(decisions.at(-1)).toBe('remove p007');
    expect(tries).toBeGreaterThanOrEqual(2);
  });

  test('stops those for which freeze_max has passed also while another one is to be frozen', () => {
    const host = aLentHost();
    host.unfreezable.add('p004');
    host.looks(18, 3.5);
    const later = host.looks(9, 4.5).map(told);

    expect(later.filter((what) => what.includes('freeze p004')).length).toBeGreaterThan(3);
    expect(later.flat().filter((what) => what.startsWith('remove'))).toEqual([
      'remove p005',
      'remove p006',
      'remove p007',
    ]);
  });

  test('leaves their slots to them: nobody is started or replaced in their place', () => {
    const host = aLentHost(aConfig({ ...config, max_docks: 20 }));
    host.looks(5, 3.5);
    const decision = host.look(3.5);

    expect(decision.capacity).toMatchObject({ pilots: 8, promised: 8 });
    expect(decision.holds.map(({ text }) => text)).toContain('3 pilot(s) frozen until others leave room for them');
    expect(gatesOf(decision)).not.toContain('cool-down');
    host.without('p000');
    expect(spawnsOf(host.look(3.5))).toHaveLength(0);
  });

  test('thaws the oldest first, as many as there is room for', () => {
    const host = aLentHost();
    host.looks(6, 3.5);

    expect(told(host.look(2.6))).toStrictEqual([]);
    const decision = host.look(2.5);
    expect(told(decision)).toStrictEqual(['thaw p005']);
    expect(decision.holds.map(({ text }) => text)).toContain('2 pilot(s) frozen until others leave room for them');
    expect(told(host.look(0))).toStrictEqual(['thaw p006', 'thaw p007']);
    expect(told(host.look(0))).toStrictEqual([]);
  });

  test('thaws as soon as a pilot beside them has ended', () => {
    const host = aLentHost();
    host.looks(6, 3.5);
    host.without('p000');

    expect(told(host.look(3.5, { load: null, after: 1 }))).toStrictEqual(['thaw p005']);
  });

  test('thaws nobody on the word of an old sample', () => {
    const host = aLentHost();
    host.looks(5, 3.5);
    host.look(0, { mode: 'drain', load: null, after: 1 });
    host.without('p000');

    expect(told(host.look(0, { load: null, after: 90 }))).toStrictEqual([]);
  });

  test('stops those for which freeze_max has passed, and holds growth as after any eviction', () => {
    const host = aLentHost();
    const decisions = host.looks(27, 3.5);

    expect(decisions.slice(5, 25).flatMap(told)).toStrictEqual([]);
    expect(told(decisions[25])).toStrictEqual(['remove p005', 'remove p006', 'remove p007']);
    expect(removalsOf(decisions[25] ?? host.look(0))[0]).toMatchObject({ reason: 'evicted', stopSeconds: 10 });
    expect(gatesOf(host.look(0))).toContain('foreign-cpu');
    expect(decisions[25]?.state.eviction).toBeDefined();
    expect(decisions[24]?.state.eviction).toBeUndefined();
  });

  test('stops nobody between two samples', () => {
    const host = aLentHost(aConfig({ ...config, freeze_max: 29 }));
    host.looks(6, 3.5);

    expect(told(host.look(3.5, { load: null, after: 29 }))).toStrictEqual([]);
    expect(told(host.look(3.5, { after: 1 }))).toStrictEqual(['remove p005', 'remove p006', 'remove p007']);
  });

  test('stops those that cannot go on when others can', () => {
    const host = aLentHost(aConfig({ ...config, freeze_max: 30 }));
    host.looks(6, 3.5);

    expect(told(host.look(2.5))).toStrictEqual(['remove p006', 'remove p007', 'thaw p005']);
  });

  test('lets all go on once nobody is to make room any more', () => {
    const host = aLentHost();
    host.looks(6, 3.5);
    const given = aConfig({ ...config, evict: 'never', cpu_headroom: 8 });

    expect(told(host.look(8, { config: given }))).toStrictEqual(['thaw p005', 'thaw p006', 'thaw p007']);
  });

  test('freezes nobody in the place of whom it lets go on, and counts no pilot that is going', () => {
    const host = aLentHost();
    host.looks(6, 3.5);
    const inFlight = anInFlight({ removing: ['id-of-p005'] });

    expect(told(host.look(2.5, { inFlight }))).toStrictEqual([]);
    expect(told(host.look(1.5, { inFlight }))).toStrictEqual(['thaw p006']);
  });

  test('lets pilots of the same age go on in the order of their names', () => {
    const host = aLentHost(config, { spawnedBootMs: 1_800_000 });
    const decisions = host.looks(5, 3.5);

    expect(told(decisions[4])).toStrictEqual(['freeze p000', 'freeze p001', 'freeze p002']);
    host.look(3.5);
    expect(told(host.look(0))).toStrictEqual(['thaw p000', 'thaw p001', 'thaw p002']);
  });

  test('gives no memory back: the youngest of the others goes where that stays short', () => {
    const host = aLentHost();
    const short = someResources({
      memory: { availableBytes: 1, pilotsBytes: 0 },
      pressure: { memorySome10: 50, memorySome60: 0, ioFull60: 0 },
    });
    for (let look = 0; look < 4; look += 1) host.look(3.5, { resources: short });

    const all = ['freeze p007', 'freeze p006', 'freeze p005', 'remove p004'];
    expect(told(host.look(3.5, { resources: short }))).toStrictEqual(all);
  });

  test('does not keep the youngest from going where memory stays short', () => {
    const host = aLentHost();
    host.looks(6, 3.5);
    const short = someResources({
      memory: { availableBytes: 1, pilotsBytes: 0 },
      pressure: { memorySome10: 50, memorySome60: 0, ioFull60: 0 },
    });
    for (let look = 0; look < 4; look += 1) host.look(3.5, { resources: short });

    expect(told(host.look(3.5, { resources: short }))).toStrictEqual(['remove p007']);
  });

  test('sees those frozen to their end when it is not asked for any more', () => {
    const host = aLentHost();
    host.looks(6, 3.5);

    expect(told(host.look(2.5, { config: aConfig() }))).toStrictEqual(['thaw p005']);
  });

  test('leaves those alone whom somebody else has paused', () => {
    const host = aLentHost();
    host.paused.add('p003');

    expect(host.looks(4, 0).flatMap(told)).toStrictEqual([]);
    host.looks(6, 3.5);
    expect(told(host.look(0))).toStrictEqual(['thaw p006', 'thaw p007']);
    expect(
      aLentHost(aConfig({ ...config, freeze_max: 1 }))
        .looks(4, 0)
        .flatMap(told),
    ).toStrictEqual([]);
  });

  test('lets nobody go on who could not be frozen', () => {
    const host = aLentHost();
    host.looks(5, 3.5);
    host.paused.clear();

    expect(told(host.look(0))).toStrictEqual([]);
  });

  test.each([
    { what: 'a hair later', after: 149.9, thawed: true },
    { what: 'long after', after: 150, thawed: false },
  ])('takes one for its own that the engine has paused $what, though it failed to in time: $thawed', (row) => {
    const host = aLentHost();
    host.unfreezable.add('p005').add('p006').add('p007');
    host.looks(5, 3.5);
    host.look(0, { after: 1 });
    host.paused.add('p005');

    host.look(0, { load: null, after: row.after });
    expect(told(host.look(0, { after: 1 }))).toStrictEqual(row.thawed ? ['thaw p005'] : []);
  });

  test('forgets whom somebody else has let go on', () => {
    const host = aLentHost();
    host.looks(6, 3.5);
    host.paused.delete('p007');
    host.look(2.5);
    host.paused.add('p007');

    expect(told(host.look(0))).toStrictEqual(['thaw p005', 'thaw p006']);
  });

  test('is over for pilots that reach their time to live', () => {
    const host = aLentHost();
    host.looks(6, 3.5);
    const decision = host.look(0, { config: aConfig({ ...config, max_ttl: 60 }) });

    expect(told(decision).every((text) => text.startsWith('remove'))).toBe(true);
    expect(removalsOf(decision)).toHaveLength(8);
  });
});

describe('reclaim: [stop]', () => {
  test('freezes nobody', () => {
    expect(aLentHost(aConfig()).looks(5, 3.5).flatMap(told)).toStrictEqual([
      'remove p007',
      'remove p006',
      'remove p005',
    ]);
  });
});
