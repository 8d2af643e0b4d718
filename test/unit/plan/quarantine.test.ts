import { describe, expect, test } from 'vitest';
import type { EngineFailure, Pilot, RemoveAction } from '../../../src/model.js';
import { aPilot, anInFlight, anInstant } from '../../support/builders.js';
import {
  aConfig,
  aStory,
  done,
  evictedBy,
  failed,
  first,
  pilotsOf,
  removalsOf,
  spawnsOf,
  withPilot,
  type Look,
  type Story,
} from '../../support/plan-builders.js';

const config = aConfig({ max_docks: 1, max_ttl: 60, fizzle_seconds: 0 });
const start = anInstant();
const old: Partial<Pilot> = { spawnedBootMs: start.bootMs - 3_600_000, createdWallMs: start.wallMs - 3_600_000 };

/** One look after which the pilot is to go, and what the engine says to that. */
function refuse(story: Story, look: Look, kind: EngineFailure['kind'] = 'refused', seconds = 0.1) {
  const removal = first(removalsOf(story.look(look)));
  return story.look({
    ...look,
    after: seconds,
    load: null,
    outcomes: [failed(removal, kind, 'device or resource busy')],
  });
}

describe('a pilot that could not be removed', () => {
  test('is tried again after 30 s, then after twice as long each time, up to ten minutes', () => {
    const story = aStory(config);
    const pilots = [aPilot({ ...old })];
    refuse(story, { pilots });
    const pauses: number[] = [];
    for (let tries = 0; tries < 7; tries += 1) {
      const decision = story.look({ pilots, after: 0, load: null });
      const pauseMs = decision.wakeInMs ?? 0;
      pauses.push(Math.round(pauseMs / 1000));
      expect(removalsOf(story.look({ pilots, after: (pauseMs - 1) / 1000, load: null }))).toEqual([]);
      refuse(story, { pilots, after: 0.001, load: null });
    }

    expect(pauses).toEqual([30, 60, 120, 240, 480, 600, 600]);
  });

  test.each(['exited', 'running'] as const)('is tried again at once on force-stop: %s', (state) => {
    const story = aStory(config);
    const pilots = [aPilot({ ...old, state })];
    for (const after of [1, 30, 60]) refuse(story, { pilots, after });
    const { finished, actions } = story.look({ pilots, after: 1, load: null, mode: 'force-stop' });
    expect(finished).toBeUndefined();
    expect(actions).toMatchObject([{ type: 'remove', reason: 'force-stop' }]);
    refuse(story, { pilots, after: 1, mode: 'force-stop' });
    expect(removalsOf(story.look({ pilots, after: 28, load: null, mode: 'force-stop' }))).toEqual([]);
  });

  test('is tried again too where the engine, which has refused it, lists it as being removed', () => {
    const story = aStory(config);
    const going = [aPilot({ ...old, state: 'removing' })];
    refuse(story, { pilots: [aPilot({ ...old, state: 'exited' })] });
    expect(removalsOf(story.look({ pilots: going, after: 29, load: null }))).toEqual([]);
    expect(removalsOf(story.look({ pilots: going, after: 1, load: null }))).toMatchObject([{ reason: 'exited' }]);

    const unknown = aStory(config);
    expect(removalsOf(unknown.look({ pilots: going }))).toEqual([]);
    const unheard = aStory(config);
    refuse(unheard, { pilots: [aPilot({ ...old, state: 'exited' })] }, 'timeout');
    expect(removalsOf(unheard.look({ pilots: going, after: 29, load: null }))).toEqual([]);
  });

  test('is tried again when the engine lists it as being removed for half a minute, whoever asked for that', () => {
    const story = aStory(config);
    const going = [aPilot({ ...old, state: 'removing' })];
    story.look({ pilots: going, load: null });
    expect(removalsOf(story.look({ pilots: going, after: 29.999, load: null }))).toEqual([]);
    const removal = first(removalsOf(story.look({ pilots: going, after: 0.001, load: null })));
    expect(removal).toMatchObject({ reason: 'exited' });

    const { stuck } = story.look({ pilots: going, after: 1, load: null, outcomes: [done(removal)] });
    expect(stuck).toMatchObject([{ tries: 1, said: 'it is gone, but still listed', holdsSlot: false }]);
    expect(removalsOf(story.look({ pilots: going, after: 29, load: null }))).toEqual([]);
    expect(removalsOf(story.look({ pilots: going, after: 1, load: null }))).toHaveLength(1);
  });

  test('is not taken for one that is removed too slowly when it runs again in between', () => {
    const story = aStory(config);
    const going = [aPilot({ state: 'removing' })];
    story.look({ pilots: going, load: null });
    story.look({ pilots: [aPilot({ state: 'running' })], after: 20, load: null });
    expect(removalsOf(story.look({ pilots: going, after: 20, load: null }))).toEqual([]);
  });

  test('keeps its slot and is told of, with the words of the engine', () => {
    const story = aStory(config);
    const pilots = [aPilot({ ...old })];
    const decision = refuse(story, { pilots });

    expect(spawnsOf(story.look({ pilots, after: 10 }))).toEqual([]);
    expect(decision.stuck).toMatchObject([
      { pilot: { name: 'plancton-worker-aaaaaa' }, tries: 1, said: 'device or resource busy', holdsSlot: true },
    ]);
    expect(decision.stuck[0]?.nextTryMs).toBe((decision.stuck[0]?.sinceMs ?? 0) + 30_000);
  });

  test('keeps its first moment through more tries, and is forgotten when it is gone', () => {
    const story = aStory(config);
    const pilots = [aPilot({ ...old })];
    const { sinceMs } = first(refuse(story, { pilots }).stuck);

    expect(refuse(story, { pilots, after: 30 }).stuck).toMatchObject([{ sinceMs, tries: 2 }]);
    expect(story.look({ pilots: [] }).stuck).toEqual([]);
  });

  test('is forgotten as trouble when removing it has worked though this list shows it still', () => {
    const story = aStory(config);
    const pilots = [aPilot({ ...old })];
    refuse(story, { pilots });
    const outcomes = [done(first(removalsOf(story.look({ pilots, after: 30 }))))];
    const inFlight = anInFlight({ removing: pilots.map(({ id }) => id) });

    expect(story.look({ pilots, after: 0, load: null, outcomes, inFlight }).stuck).toEqual([]);
  });

  test.each([
    ['running', [{ tries: 1, said: 'it is gone, but still listed' }]],
    ['removing', []],
  ] as const)('is one that a later list shows as %s after the engine has said that it is gone', (state, stuck) => {
    const story = aStory(config);
    const removal = first(removalsOf(story.look({ pilots: [aPilot({ ...old })] })));
    const decision = story.look({ pilots: [aPilot({ state, ...old })], after: 0.1, outcomes: [done(removal)] });

    expect(removalsOf(decision)).toEqual([]);
    expect(decision.stuck).toMatchObject(stuck);
  });

  test('holds no slot any more once the engine has refused to remove it, if it was never started', () => {
    const story = aStory(config);
    const created = [aPilot({ state: 'created', ...old })];
    refuse(story, { pilots: created }, 'refused');

    expect(refuse(story, { pilots: created, after: 30 }, 'timeout').stuck).toMatchObject([{ holdsSlot: false }]);
  });

  test.each([
    ['dead', 'refused', 1],
    ['dead', 'timeout', 1],
    ['created', 'refused', 1],
    ['created', 'timeout', 0],
    ['running', 'refused', 0],
    ['unknown', 'refused', 0],
  ] as const)('in state %s, after %s: %d may be started in its place', (state, kind, starts) => {
    const story = aStory(config);
    const pilots = [aPilot({ state, ...old })];
    const decision = refuse(story, { pilots }, kind);

    expect(decision.stuck).toMatchObject([{ holdsSlot: starts === 0 }]);
    expect(spawnsOf(story.look({ pilots, after: 10 }))).toHaveLength(starts);
  });

  test('is forgotten as trouble ten minutes after the next try was due, where there is no reason for one any more', () => {
    const story = aStory(config);
    const pilots = [aPilot()];
    refuse(story, { pilots, mode: 'force-stop' });

    expect(story.look({ pilots, after: 630, load: null }).stuck).toHaveLength(1);
    const inFlight = anInFlight({ removing: pilots.map(({ id }) => id) });
    expect(story.look({ pilots, after: 1, load: null, inFlight }).stuck).toHaveLength(1);
    expect(story.look({ pilots, after: 0, load: null }).stuck).toEqual([]);
  });

  test('does not keep others from being removed', () => {
    const story = aStory(aConfig({ max_docks: 2, max_ttl: 60 }));
    const stuck = aPilot({ name: 'stuck', ...old });
    refuse(story, { pilots: [stuck] });

    const removals = removalsOf(story.look({ pilots: [stuck, aPilot({ name: 'other', ...old })], after: 1 }));
    expect(removals.map(({ pilot }) => pilot.name)).toEqual(['other']);
  });

  test('is tried at once for another reason, and that begins a series of its own', () => {
    const story = aStory(config);
    const pilots = [aPilot({ ...old })];
    refuse(story, { pilots });
    refuse(story, { pilots, after: 30 });

    expect(refuse(story, { pilots, after: 1, mode: 'force-stop' }).stuck).toMatchObject([{ tries: 1 }]);
    expect(removalsOf(story.look({ pilots, after: 29, mode: 'force-stop' }))).toEqual([]);
    expect(removalsOf(story.look({ pilots, after: 1, mode: 'force-stop' }))).toHaveLength(1);
  });

  test('is not evicted over and over, nor another one in its place', () => {
    const story = aStory(aConfig({ main_sleep: 10, grace_kill: 20 }));
    // There is room for one.
    const crowded: Look = { pilots: pilotsOf(2), load: { busy: 8, own: 1 } };
    let decision = story.look(crowded);
    while (evictedBy(decision).length === 0) decision = story.look(crowded);
    expect(evictedBy(decision)).toEqual(['p001']);

    const outcomes = [failed(first(removalsOf(decision)), 'timeout')];
    expect(evictedBy(story.look({ ...crowded, outcomes }))).toEqual([]);
    expect(evictedBy(story.look(crowded))).toEqual([]);
    expect(evictedBy(story.look(crowded))).toEqual([]);
    expect(evictedBy(story.look(crowded))).toEqual(['p001']);
  });
});

describe('the owner, beside a pilot that is to make room and does not', () => {
  const crowded: Look = { pilots: pilotsOf(2), load: { busy: 8, own: 1 } };

  /** Looks until the youngest is to go, and after that has failed as often as this; who goes in the next look. */
  function inItsPlace(kind: EngineFailure['kind'], times: number, look: Look = {}): readonly string[] {
    const story = aStory(aConfig({ main_sleep: 10, grace_kill: 20, max_ttl: 86_400 }));
    let decision = story.look(crowded);
    for (let tries = 0; tries < times; tries += 1) {
      while (evictedBy(decision)[0] !== 'p001') decision = story.look(crowded);
      decision = story.look({
        ...crowded,
        load: null,
        after: 1,
        outcomes: [failed(first(removalsOf(decision)), kind)],
      });
    }
    return evictedBy(story.look({ ...crowded, ...look }));
  }

  test.each([
    ['refused', 1, ['p000']],
    ['timeout', 2, []],
    ['timeout', 3, ['p000']],
  ] as const)('waits while that may be about to go: %s, %d times', (kind, times, evicted) => {
    expect(inItsPlace(kind, times)).toEqual(evicted);
  });

  test('needs no other one once that is going after all, or takes no CPU', () => {
    expect(inItsPlace('refused', 1, { inFlight: anInFlight({ removing: ['id-of-p001'] }) })).toEqual([]);
    expect(inItsPlace('refused', 1, { pilots: withPilot(pilotsOf(2), 1, { state: 'paused' }) })).toEqual([]);
  });
});

describe('who waits for all pilots to go', () => {
  const pilots = [aPilot({ ...old })];

  /** The pilot resists, as often as this. */
  function resisting(mode: 'drain-stop' | 'force-stop', times: number) {
    const story = aStory(config);
    let decision = refuse(story, { pilots, mode });
    for (let tries = 1; tries < times; tries += 1) {
      decision = refuse(story, { pilots, mode, after: 30 * 2 ** (tries - 1) });
    }
    return decision.finished;
  }

  test.each([
    { mode: 'drain-stop', times: 2, finished: undefined },
    { mode: 'drain-stop', times: 3, finished: 'drain-stop' },
    { mode: 'force-stop', times: 2, finished: undefined },
    { mode: 'force-stop', times: 3, finished: 'force-stop-unfinished' },
  ] as const)('$mode: after $times tries in vain: $finished', ({ mode, times, finished }) => {
    expect(resisting(mode, times)).toBe(finished);
  });

  test.each(['drain-stop', 'force-stop'] as const)('waits on %s for one that was only to make room', (mode) => {
    const story = aStory(config);
    const pilot = aPilot();
    const eviction: RemoveAction = { type: 'remove', pilot, reason: 'evicted', stopSeconds: 0, ageMs: 0 };
    for (let tries = 0; tries < 3; tries += 1) {
      story.look({ pilots: [pilot], outcomes: [failed(eviction, 'refused')] });
    }

    expect(story.look({ pilots: [pilot], mode }).stuck).toMatchObject([{ tries: 3 }]);
    expect(story.look({ pilots: [pilot], mode }).finished).toBeUndefined();
  });

  test('waits for those that can go', () => {
    const story = aStory(config);
    refuse(story, { pilots, mode: 'force-stop' });
    refuse(story, { pilots, mode: 'force-stop', after: 30 });
    const both = [...pilots, aPilot({ name: 'other' })];
    const removal = first(removalsOf(story.look({ pilots, mode: 'force-stop', after: 60 })));

    expect(
      story.look({ pilots: both, mode: 'force-stop', after: 1, outcomes: [failed(removal, 'refused')] }).finished,
    ).toBeUndefined();
  });
});
