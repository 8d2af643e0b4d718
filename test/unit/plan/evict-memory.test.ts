import { describe, expect, test } from 'vitest';
import type { Resources } from '../../../src/model.js';
import { aHost, anInFlight, someResources } from '../../support/builders.js';
import {
  aConfig,
  aStory,
  evictedBy,
  gatesOf,
  pilotsOf,
  removalsOf,
  spawnsOf,
  type Look,
} from '../../support/plan-builders.js';

const config = aConfig({ min_free_mem: 100e6, grace_kill: 120 });
const host = aHost({ ramBytes: 16e9 });

/** Four pilots on a host of 16 GB: short of memory below 800 MB. */
function shortOf(changes: { availableBytes?: number; memorySome10?: number } = {}, look: Look = {}): Look {
  const { availableBytes = 700e6, memorySome10 = 25 } = changes;
  const resources: Resources = someResources({
    memory: { availableBytes, pilotsBytes: 8e9 },
    pressure: { memorySome10, memorySome60: 0, ioFull60: 0 },
  });
  return { pilots: pilotsOf(4), load: { busy: 4, own: 4 }, host, resources, ...look };
}

/** Who goes in each of these looks, 30 s apart. */
function evictedIn(looks: readonly Look[], initial = config): (readonly string[])[] {
  const story = aStory(initial);
  return looks.map((look) => evictedBy(story.look(look)));
}

describe('memory that stays short', () => {
  test('ends the youngest pilot after grace_kill, and one more after each further one', () => {
    const looks = Array.from({ length: 10 }, () => shortOf());

    expect(evictedIn(looks)).toStrictEqual([[], [], [], [], ['p003'], [], [], [], ['p003'], []]);
  });

  test('is short in every sample: one that is not begins anew', () => {
    const enough = shortOf({ availableBytes: 900e6 });
    const looks = [shortOf(), shortOf(), enough, shortOf(), shortOf(), shortOf(), shortOf(), shortOf()];

    expect(evictedIn(looks).flat()).toStrictEqual(['p003']);
    expect(evictedIn(looks).at(-1)).toStrictEqual(['p003']);
  });

  test.each([
    { what: 'a twentieth of it available', changes: { availableBytes: 800e6 } },
    { what: 'hardly anybody waiting for it', changes: { memorySome10: 9.9 } },
  ])('is not short with $what', ({ changes }) => {
    const looks = Array.from({ length: 8 }, () => shortOf(changes));

    expect(evictedIn(looks).flat()).toStrictEqual([]);
  });

  test('is short below min_free_mem where that is more than a twentieth', () => {
    const looks = Array.from({ length: 5 }, () => shortOf({ availableBytes: 1.9e9, memorySome10: 10 }));

    expect(evictedIn(looks, aConfig({ min_free_mem: 2e9 })).flat()).toStrictEqual(['p003']);
  });

  test.each(['memory', 'pressure'] as const)('is not known to be short without %s', (resource) => {
    for (const value of [null, undefined]) {
      const look = shortOf();
      const resources = { ...(look.resources ?? someResources()), [resource]: value };
      const looks = Array.from({ length: 8 }, () => ({ ...look, resources }));

      expect(evictedIn(looks).flat()).toStrictEqual([]);
    }
  });

  test('takes two samples, however short grace_kill is', () => {
    expect(evictedIn([shortOf(), shortOf({}, { load: null, after: 5 })], aConfig({ grace_kill: 0 })).flat()).toEqual(
      [],
    );
    expect(evictedIn([shortOf(), shortOf()], aConfig({ grace_kill: 0 })).flat()).toEqual(['p003']);
  });

  test('is short also while our own pull unpacks: file cache counts as available', () => {
    const pulling = shortOf({}, { load: { busy: 4, own: 4, duringPull: true } });

    expect(evictedIn(Array.from({ length: 5 }, () => pulling)).at(-1)).toStrictEqual(['p003']);
  });

  test('that nobody may be ended for is told between two samples too', () => {
    const story = aStory(aConfig({ ...config, evict: 'never' }));
    for (let look = 0; look < 5; look += 1) story.look(shortOf());
    expect(gatesOf(story.look(shortOf({}, { load: null, after: 1 })))).toContain('evict-off');
    expect(gatesOf(story.look(shortOf({ availableBytes: 9e9 })))).not.toContain('evict-off');
  });

  test('spares pilots that are going already', () => {
    const inFlight = anInFlight({ removing: ['id-of-p003'] });
    const looks = Array.from({ length: 5 }, () => shortOf({}, { inFlight }));

    expect(evictedIn(looks).at(-1)).toStrictEqual(['p002']);
  });

  test('ends nobody where nobody is running, nor with evict: never, which is said', () => {
    expect(evictedIn(Array.from({ length: 8 }, () => shortOf({}, { pilots: [] }))).flat()).toStrictEqual([]);

    const story = aStory(aConfig({ ...config, evict: 'never' }));
    const decisions = Array.from({ length: 5 }, () => story.look(shortOf()));
    expect(decisions.flatMap(evictedBy)).toStrictEqual([]);
    expect(gatesOf(decisions[4] ?? story.look(shortOf()))).toContain('evict-off');
  });

  test('says why with its numbers, and holds growth for grace_spawn', () => {
    const story = aStory(config, { host });
    for (let look = 0; look < 4; look += 1) story.look(shortOf());
    const decision = story.look(shortOf());

    expect(removalsOf(decision)).toMatchObject([{ reason: 'evicted', stopSeconds: config.stop_timeout }]);
    expect(decision.holds).toContainEqual({
      gate: 'pressure',
      text: 'tasks wait for memory in 25 % of the time, 700 MB available is less than 800 MB: the youngest pilot makes room',
    });
    const after = story.look({ pilots: pilotsOf(3) });
    expect(spawnsOf(after)).toHaveLength(0);
    expect(gatesOf(after)).toStrictEqual(['cool-down']);
  });

  test('waits when pilots made room for CPUs in the same look', () => {
    const crowded = shortOf({}, { pilots: pilotsOf(8), load: { busy: 8, own: 5.5 } });
    const looks = Array.from({ length: 5 }, () => crowded);

    expect(evictedIn(looks).at(-1)).toStrictEqual(['p007', 'p006']);
  });
});
