import { describe, expect, test } from 'vitest';
import type { Pilot } from '../../../src/model.js';
import { anInFlight, aPilot, anInstant } from '../../support/builders.js';
import { aConfig, aStory, removalsOf, spawnsOf, type Look } from '../../support/plan-builders.js';

const day = 86_400;
const config = aConfig({ max_ttl: 7200 });

/** Boot clock of a pilot that is `seconds` old at the first look. */
function aged(seconds: number): Partial<Pilot> {
  const start = anInstant();
  return { spawnedBootMs: start.bootMs - seconds * 1000, createdWallMs: start.wallMs - seconds * 1000 };
}

function reaped(look: Look, story = aStory(config)): string {
  return removalsOf(story.look(look))
    .map(({ reason, stopSeconds }) => `${reason} ${stopSeconds}`)
    .join(', ');
}

describe('pilots that have ended', () => {
  test.each(['exited', 'dead'] as const)('%s: removed at once', (state) => {
    expect(reaped({ pilots: [aPilot({ state })] })).toBe('exited 0');
  });

  test('are removed in every mode, and without a sample', () => {
    for (const mode of ['active', 'drain', 'drain-stop', 'force-stop'] as const) {
      expect(reaped({ pilots: [aPilot({ state: 'exited' })], mode, load: null })).toBe('exited 0');
    }
  });

  test.each([{ state: 'exited' }, { state: 'running', ...aged(day) }] as const)(
    'are not removed twice at once ($state)',
    (pilot) => {
      const inFlight = anInFlight({ removing: [aPilot().id] });

      expect(reaped({ pilots: [aPilot(pilot)], inFlight })).toBe('');
    },
  );

  test('are left to the engine while it removes them', () => {
    expect(reaped({ pilots: [aPilot({ state: 'removing', ...aged(day) })], mode: 'force-stop' })).toBe('');
  });
});

describe('pilots that never started', () => {
  const created = [aPilot({ state: 'created', ...aged(1) })];

  test('are removed half a minute after they were first seen', () => {
    const story = aStory(config);

    expect(reaped({ pilots: created }, story)).toBe('');
    expect(reaped({ pilots: created, after: 29.999 }, story)).toBe('');
    expect(reaped({ pilots: created, after: 0.001 }, story)).toBe('never-started 0');
  });

  test.each([
    { age: 59.999, reaped: '' },
    { age: 60, reaped: 'never-started 0' },
  ])('are removed a minute after they were asked for, whoever sees them for the first time ($age s)', (asked) => {
    expect(reaped({ pilots: [aPilot({ state: 'created', ...aged(asked.age) })] })).toBe(asked.reaped);
  });

  test('are not removed while their start is under way', () => {
    const story = aStory(config);
    const inFlight = anInFlight({ spawning: [{ name: aPilot().name, cpus: 1 }] });
    story.look({ pilots: created });

    expect(reaped({ pilots: created, after: 300, inFlight }, story)).toBe('');
    expect(
      reaped({ pilots: created, after: 1, inFlight: anInFlight({ spawning: [{ name: 'another', cpus: 1 }] }) }, story),
    ).toBe('never-started 0');
  });
});

describe('pilots that this daemon has made and not started', () => {
  const { bootMs } = anInstant();

  test('are removed at once: its start was given up', () => {
    const story = aStory(config);
    story.look({ pilots: [] });
    story.look({ pilots: [], after: 5 });

    expect(reaped({ pilots: [aPilot({ state: 'created', spawnedBootMs: bootMs + 1 })], after: 1 }, story)).toBe(
      'never-started 0',
    );
  });

  test('are left alone while their start is under way', () => {
    const story = aStory(config);
    story.look({ pilots: [] });
    const inFlight = anInFlight({ spawning: [{ name: aPilot().name, cpus: 1 }] });

    expect(reaped({ pilots: [aPilot({ state: 'created', spawnedBootMs: bootMs })], after: 1, inFlight }, story)).toBe(
      '',
    );
  });

  test.each([
    { what: 'a daemon before it', of: { spawnedBootMs: bootMs } },
    { what: 'a boot before this', of: { spawnedBootMs: bootMs + 1, bootId: 'another' } },
    { what: 'somebody who does not say when', of: { spawnedBootMs: undefined } },
    { what: 'somebody who renamed it, maybe while it starts', of: { spawnedBootMs: bootMs + 1, name: 'kept' } },
  ])('are told from those of $what', ({ of }) => {
    const story = aStory(config);
    story.look({ pilots: [] });

    expect(reaped({ pilots: [aPilot({ state: 'created', ...aged(0), ...of })], after: 1 }, story)).toBe('');
  });
});

describe('the time to live', () => {
  test.each([
    { age: 7200, reaped: '' },
    { age: 7200.001, reaped: 'expired 10' },
  ])('of $age s: $reaped', ({ age, reaped: expected }) => {
    expect(reaped({ pilots: [aPilot(aged(age))] })).toBe(expected);
  });

  test.each(['created', 'running', 'paused', 'restarting', 'unknown'] as const)('ends a pilot that is %s', (state) => {
    expect(reaped({ pilots: [aPilot({ state, ...aged(day) })] })).toBe('expired 10');
  });

  test('leaves paused pilots alone until then', () => {
    const story = aStory(config);
    const pilots = [aPilot({ state: 'paused', ...aged(0) })];
    for (let look = 0; look <= 240; look += 1) expect(reaped({ pilots }, story)).toBe('');

    expect(reaped({ pilots }, story)).toBe('expired 10');
  });

  test.each(['drain', 'drain-stop'] as const)('ends pilots in %s, and without a sample', (mode) => {
    expect(reaped({ pilots: [aPilot(aged(day))], mode, load: null })).toBe('expired 10');
  });

  test.each([3 * day, -3 * day])('does not care for a wall clock that jumps by %d s', (jump) => {
    const story = aStory(config);
    const pilots = [aPilot(aged(0))];
    story.look({ pilots });

    expect(reaped({ pilots, after: 7200, wallAheadMs: jump * 1000 }, story)).toBe('');
    expect(reaped({ pilots, after: 1, wallAheadMs: jump * 1000 }, story)).toBe('expired 10');
  });

  test('counts by the wall clock at first sight where the label is of another boot', () => {
    const other = { ...aged(7000), spawnedBootMs: anInstant().bootMs, bootId: 'another-boot' };
    const story = aStory(config);

    expect(reaped({ pilots: [aPilot(other)] }, story)).toBe('');
    expect(reaped({ pilots: [aPilot(other)], after: 200 }, story)).toBe('');
    expect(reaped({ pilots: [aPilot(other)], after: 1 }, story)).toBe('expired 10');
  });

  const unlabelled = { spawnedBootMs: undefined, bootId: undefined };

  test.each([3 * day, -3 * day])('of a pilot without a label is not moved by a jump of %d s', (jump) => {
    const story = aStory(config);
    const pilots = [aPilot({ ...aged(100), ...unlabelled })];
    story.look({ pilots });

    expect(reaped({ pilots, after: 7100, wallAheadMs: jump * 1000 }, story)).toBe('');
    expect(reaped({ pilots, after: 1, wallAheadMs: jump * 1000 }, story)).toBe('expired 10');
  });

  test('counts from first sight where the pilot seems to be from the future', () => {
    const future = { ...aged(-3 * day), ...unlabelled };
    const story = aStory(config);
    story.look({ pilots: [aPilot(future)] });

    expect(reaped({ pilots: [aPilot(future)], after: 7200 }, story)).toBe('');
    expect(reaped({ pilots: [aPilot(future)], after: 1 }, story)).toBe('expired 10');
  });

  test('counts from first sight where the label is from the future', () => {
    const pilots = [aPilot({ spawnedBootMs: 1e15 })];
    const story = aStory(config);
    story.look({ pilots });

    expect(reaped({ pilots, after: 7201 }, story)).toBe('expired 10');
  });

  test('is asked for again as long as the pilot is there', () => {
    const story = aStory(config);
    story.look({ pilots: [aPilot(aged(day))] });

    expect(reaped({ pilots: [aPilot(aged(day))], after: 1, load: null }, story)).toBe('expired 10');
  });

  test('frees the slot only once the pilot is gone', () => {
    const story = aStory(aConfig({ max_ttl: 7200, max_docks: 1 }));

    expect(spawnsOf(story.look({ pilots: [aPilot(aged(day))] }))).toHaveLength(0);
    expect(spawnsOf(story.look({ pilots: [], load: null, after: 1 }))).toHaveLength(1);
  });

  test('wakes the loop when the next pilot has reached it', () => {
    const story = aStory(config);
    const pilots = [aPilot({ name: 'a', ...aged(7000) }), aPilot({ name: 'b', ...aged(7100) })];

    expect(story.look({ pilots }).wakeInMs).toBe(100_001);
    expect(reaped({ pilots, after: 100.001 }, story)).toBe('expired 10');
    expect(story.look({ pilots, after: 0, load: null }).wakeInMs).toBe(100_000);
    expect(story.look({ pilots: [], after: 0, load: null }).wakeInMs).toBeUndefined();
  });
});

describe('force-stop', () => {
  test.each(['created', 'running', 'paused', 'restarting', 'unknown'] as const)(
    'removes a pilot that is %s',
    (state) => {
      expect(reaped({ pilots: [aPilot({ state })], mode: 'force-stop' })).toBe('force-stop 0');
    },
  );

  test('says of ended pilots that they had ended, and kills expired ones at once', () => {
    const pilots = [aPilot({ name: 'a', state: 'exited' }), aPilot({ name: 'b', ...aged(day) })];

    expect(reaped({ pilots, mode: 'force-stop' })).toBe('exited 0, force-stop 0');
  });
});

describe('the work is done', () => {
  const finishedBy = (look: Look) => aStory(config).look(look).finished;

  test.each(['drain-stop', 'force-stop'] as const)('%s: when nothing is left', (mode) => {
    expect(finishedBy({ mode })).toBe(mode);
  });

  test.each(['active', 'drain'] as const)('%s: never', (mode) => {
    expect(finishedBy({ mode })).toBeUndefined();
  });

  test.each(['drain-stop', 'force-stop'] as const)('%s: not while a start is under way', (mode) => {
    const inFlight = anInFlight({ spawning: [{ name: 'new', cpus: 1 }] });

    expect(finishedBy({ mode, inFlight })).toBeUndefined();
  });

  test.each([
    { state: 'running', drained: false, stopped: false },
    { state: 'paused', drained: false, stopped: false },
    { state: 'created', drained: false, stopped: false },
    { state: 'exited', drained: true, stopped: false },
    { state: 'removing', drained: true, stopped: true },
    { state: 'dead', drained: true, stopped: true },
  ] as const)(
    'with a pilot that is $state: drain-stop $drained, force-stop $stopped',
    ({ state, drained, stopped }) => {
      const pilots = [aPilot({ state })];

      expect(finishedBy({ mode: 'drain-stop', pilots })).toBe(drained ? 'drain-stop' : undefined);
      expect(finishedBy({ mode: 'force-stop', pilots })).toBe(stopped ? 'force-stop' : undefined);
    },
  );
});
