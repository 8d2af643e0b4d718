import { describe, expect, test } from 'vitest';
import { anInFlight, anInstant, aPilot } from '../../support/builders.js';
import { aConfig, aStory, gatesOf, pilotsOf, removalsOf, spawnsOf, withPilot } from '../../support/plan-builders.js';

function reasons(decision: Parameters<typeof spawnsOf>[0]): string {
  return spawnsOf(decision)
    .map(({ reason }) => reason)
    .join(' ');
}

describe('a probe', () => {
  test('is not started in a drain either', () => {
    const story = aStory(aConfig());
    const { bootMs } = anInstant();
    for (let index = 0; index < 4; index += 1) {
      const spawnedBootMs = bootMs + 1000 * (index - 1);
      const dead = aPilot({ id: `p${index}`, name: `p${index}`, state: 'exited', exitCode: 0, spawnedBootMs });
      story.look({ after: 1, pilots: [dead] });
    }
    expect(story.state.breaker.open).toBeDefined();

    expect(spawnsOf(story.look({ after: 30, mode: 'drain' }))).toHaveLength(0);
    expect(reasons(story.look({ after: 1 }))).toBe('probe');
  });
});

describe('growth', () => {
  test('takes docks_per_loop at each sample until the host is full', () => {
    const story = aStory(aConfig({ docks_per_loop: 3, growth: 'fixed' }));

    expect(reasons(story.look())).toBe('growth growth growth');
    expect(reasons(story.look({ pilots: pilotsOf(3) }))).toBe('growth growth growth');
    expect(reasons(story.look({ pilots: pilotsOf(6) }))).toBe('growth growth');
    expect(reasons(story.look({ pilots: pilotsOf(8) }))).toBe('');
  });

  test('is paced by samples, not by how often the loop wakes', () => {
    const story = aStory(aConfig({ docks_per_loop: 3 }));
    story.look();
    const again = story.look({ after: 1, load: null, pilots: pilotsOf(3) });

    expect(spawnsOf(again)).toHaveLength(0);
    expect(gatesOf(again)).toStrictEqual(['pace']);
  });

  test('uses what one sample permits in several looks', () => {
    const story = aStory(aConfig({ docks_per_loop: 3, max_docks: 2 }));
    expect(spawnsOf(story.look())).toHaveLength(2);

    const wider = aConfig({ docks_per_loop: 3, max_docks: 8 });
    expect(spawnsOf(story.look({ after: 1, load: null, config: wider, pilots: pilotsOf(2) }))).toHaveLength(1);
    expect(spawnsOf(story.look({ after: 1, load: null, pilots: pilotsOf(3) }))).toHaveLength(0);
  });

  test('does not save up what it did not use', () => {
    const story = aStory(aConfig({ docks_per_loop: 3 }));
    for (let look = 0; look < 5; look += 1) story.look({ pilots: pilotsOf(1), mode: 'drain' });

    expect(spawnsOf(story.look({ pilots: pilotsOf(1) }))).toHaveLength(3);
  });

  test('spends its permit on a start that fails', () => {
    const story = aStory(aConfig({ docks_per_loop: 1, growth: 'fixed' }));
    expect(spawnsOf(story.look())).toHaveLength(1);

    expect(spawnsOf(story.look({ after: 1, load: null, pilots: [] }))).toHaveLength(0);
    expect(spawnsOf(story.look({ after: 1, pilots: [] }))).toHaveLength(1);
  });

  test('is none with docks_per_loop 0', () => {
    expect(spawnsOf(aStory(aConfig({ docks_per_loop: 0 })).look())).toHaveLength(0);
  });
});

describe('replacement', () => {
  const config = aConfig({ docks_per_loop: 0 });

  test.each(['exited', 'dead'] as const)('refills the slot of a pilot seen %s in the same look', (state) => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(8) });
    const decision = story.look({ after: 1, load: null, pilots: withPilot(pilotsOf(8), 0, { state }) });

    expect(reasons(decision)).toBe('replacement');
    expect(removalsOf(decision)).toHaveLength(1);
  });

  test('refills the slot of a pilot that has vanished', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(8) });

    expect(reasons(story.look({ after: 1, load: null, pilots: pilotsOf(5) }))).toBe(
      'replacement replacement replacement',
    );
  });

  test('counts each end once, however long the remains are listed', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(8) });
    const pilots = withPilot(pilotsOf(8), 0, { state: 'exited' });
    expect(spawnsOf(story.look({ load: null, pilots }))).toHaveLength(1);

    expect(spawnsOf(story.look({ load: null, after: 1, pilots }))).toHaveLength(0);
    expect(spawnsOf(story.look({ load: null, after: 1, pilots: pilots.slice(1) }))).toHaveLength(0);
  });

  test('counts no end again while the engine takes the remains away', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(1) });
    expect(spawnsOf(story.look({ pilots: pilotsOf(1, { state: 'exited' }) }))).toHaveLength(1);
    story.look({ load: null, after: 1, pilots: pilotsOf(1, { state: 'removing' }) });

    expect(spawnsOf(story.look({ load: null, after: 1, pilots: [] }))).toHaveLength(0);
  });

  test('counts the end of a pilot that somebody else removes', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(1) });
    story.look({ load: null, after: 1, pilots: pilotsOf(1, { state: 'removing' }) });

    expect(spawnsOf(story.look({ load: null, after: 1, pilots: [] }))).toHaveLength(1);
  });

  test('counts pilots that had ended before the daemon came', () => {
    const story = aStory(config);

    expect(reasons(story.look({ pilots: pilotsOf(2, { state: 'exited' }) }))).toBe('replacement replacement');
  });

  test('counts no pilot that never ran', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(2, { state: 'created' }) });

    expect(spawnsOf(story.look({ pilots: [] }))).toHaveLength(0);
  });

  test('counts a pilot that was seen paused only', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(1, { state: 'paused' }) });

    expect(spawnsOf(story.look({ pilots: [] }))).toHaveLength(1);
  });

  test('waits for room, at most until the next sample', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(8) });
    const crowded = { mode: 'drain', pilots: pilotsOf(7) } as const;
    expect(spawnsOf(story.look({ ...crowded, after: 1, load: null }))).toHaveLength(0);

    expect(spawnsOf(story.look({ after: 1, load: null, pilots: pilotsOf(7) }))).toHaveLength(1);
    story.look({ ...crowded, after: 1, load: null, pilots: pilotsOf(6) });
    expect(spawnsOf(story.look({ after: 1, pilots: pilotsOf(6) }))).toHaveLength(0);
  });

  test('comes on top of growth, within the cap', () => {
    const story = aStory(aConfig({ docks_per_loop: 2 }));
    story.look({ pilots: pilotsOf(6) });

    expect(reasons(story.look({ pilots: pilotsOf(5) }))).toBe('replacement growth growth');
    expect(reasons(story.look({ pilots: pilotsOf(5) }))).toBe('growth growth');
  });

  test('does not go beyond what fits', () => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(8) });

    expect(spawnsOf(story.look({ load: { busy: 8, own: 5 }, pilots: pilotsOf(4) }))).toHaveLength(1);
  });
});

describe('a slot', () => {
  const config = aConfig({ max_docks: 4, docks_per_loop: 100 });

  test.each([
    { state: 'created', holds: true },
    { state: 'running', holds: true },
    { state: 'paused', holds: true },
    { state: 'restarting', holds: true },
    { state: 'unknown', holds: true },
    { state: 'removing', holds: false },
    { state: 'exited', holds: false },
    { state: 'dead', holds: false },
  ] as const)('is held by a pilot that is $state: $holds', ({ state, holds }) => {
    const decision = aStory(config).look({ pilots: pilotsOf(4, { state }) });

    expect(spawnsOf(decision)).toHaveLength(holds ? 0 : 4);
    expect(decision.capacity).toMatchObject(holds ? { pilots: 4, promised: 4 } : { pilots: 0, promised: 0 });
  });

  test('is held by a pilot that was asked for and is not listed yet', () => {
    const inFlight = anInFlight({ spawning: [{ name: 'plancton-worker-new', cpus: 2.5 }] });
    const decision = aStory(config).look({ pilots: pilotsOf(2), inFlight });

    expect(decision.capacity).toMatchObject({ pilots: 3, promised: 4.5 });
    expect(spawnsOf(decision)).toHaveLength(1);
  });

  test('is held once by a pilot that is listed while its start is under way', () => {
    const inFlight = anInFlight({ spawning: [{ name: 'p001', cpus: 1 }] });

    expect(aStory(config).look({ pilots: pilotsOf(2), inFlight }).capacity).toMatchObject({ pilots: 2, promised: 2 });
  });

  test('is held until a pilot being removed is gone', () => {
    const inFlight = anInFlight({ removing: pilotsOf(1).map(({ id }) => id) });

    expect(spawnsOf(aStory(config).look({ pilots: pilotsOf(4), inFlight }))).toHaveLength(0);
  });

  test('takes the CPUs its pilot was started with, whatever the configuration says now', () => {
    const decision = aStory(aConfig({ docks_per_loop: 100 })).look({ pilots: pilotsOf(2, { cpus: 2.5 }) });

    expect(decision.capacity.promised).toBe(5);
    expect(spawnsOf(decision)).toHaveLength(3);
  });

  test('takes what a new pilot would where the label is missing', () => {
    const decision = aStory(aConfig({ cpus_per_dock: 1.5 })).look({ pilots: pilotsOf(2, { cpus: undefined }) });

    expect(decision.capacity.promised).toBe(3);
  });

  test('is not filled where the room is less than a pilot takes', () => {
    const decision = aStory(aConfig({ cpus_per_dock: 3, docks_per_loop: 100 })).look();

    expect(spawnsOf(decision)).toHaveLength(2);
  });
});

describe('what holds starts back is said with its numbers', () => {
  const text = (decision: Parameters<typeof gatesOf>[0]) => decision.holds.map((hold) => `${hold.gate}: ${hold.text}`);

  test('the cap', () => {
    expect(text(aStory(aConfig({ max_docks: 2 })).look({ pilots: pilotsOf(2) }))).toStrictEqual([
      'cap: 2 pilots, max_docks 2',
    ]);
  });

  test('the load of others', () => {
    expect(text(aStory(aConfig()).look({ load: { busy: 4.25, own: 2 }, pilots: pilotsOf(6) }))).toStrictEqual([
      'foreign-cpu: 8 CPUs, others use 2.25, up to 2.25 lately (slack 0.5), pilots hold 6, one more takes 1',
    ]);
  });

  test('what is left free, and not what others use where the host is given to pilots', () => {
    expect(text(aStory(aConfig({ cpu_headroom: 2.5, evict: 'never' })).look({ pilots: pilotsOf(5) }))).toStrictEqual([
      'foreign-cpu: 8 CPUs, 2.5 are left free (cpu_headroom), pilots hold 5, one more takes 1',
    ]);
  });

  test('the cap where it is as narrow as the load', () => {
    expect(gatesOf(aStory(aConfig()).look({ pilots: pilotsOf(8) }))).toStrictEqual(['cap']);
  });

  test('the pace', () => {
    expect(text(aStory(aConfig({ docks_per_loop: 1 })).look())).toStrictEqual([
      'pace: 1 more after each look at the host (docks_per_loop 1, growth doubling)',
    ]);
  });

  test.each([
    ['drain', 'draining'],
    ['drain-stop', 'draining'],
    ['force-stop', 'force-stop'],
  ] as const)('the mode %s', (mode, gate) => {
    expect(gatesOf(aStory(aConfig()).look({ mode }))).toStrictEqual([gate]);
  });

  test('an image that is not there, or that could not be looked up', () => {
    expect(text(aStory(aConfig()).look({ image: null }))).toStrictEqual(['image: image busybox is not on this host']);
    const imageFailure = { kind: 'timeout', message: 'no answer' } as const;
    expect(text(aStory(aConfig()).look({ image: undefined, imageFailure }))).toStrictEqual([
      'image: image busybox could not be looked up: no answer',
    ]);
    expect(text(aStory(aConfig()).look({ image: undefined }))).toStrictEqual([
      'image: image busybox could not be looked up',
    ]);
  });
});
