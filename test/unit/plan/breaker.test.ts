import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/decision.js';
import type { Action, EngineFailure, Outcome, Pilot, RemoveAction } from '../../../src/model.js';
import type { State } from '../../../src/plan/state.js';
import { anImage, anInFlight } from '../../support/builders.js';
import { aLife, CONFIG, DEAD, ended, type Life } from '../../support/pilot-life.js';
import { aConfig, done, failed, first, gatesOf, pilotsOf, removalsOf, spawnsOf } from '../../support/plan-builders.js';

/** Lets pilots end after a second, one after the other; returns the last look. */
function fizzle(life: Life, count: number, changes: Partial<Pilot> = {}): Plan<State> {
  let last = life.at(0, { load: {} });
  for (let index = 0; index < count; index += 1) {
    last = life.at(1, { pilots: [life.pilot(`f${index}-${String(life.state.seed)}`, 1, 1, { ...DEAD, ...changes })] });
  }
  return last;
}

function holdText(decision: Plan<State>): string {
  return decision.holds.find(({ gate }) => gate === 'back-off')?.text ?? '';
}

describe('pilots that end too soon', () => {
  test('are replaced at once, twice', () => {
    const life = aLife();
    expect(spawnsOf(fizzle(life, 1))).toHaveLength(1);
    expect(spawnsOf(fizzle(life, 1))).toHaveLength(1);
  });

  test('are told of as failing once they are started no more, unless there is no work', () => {
    expect(fizzle(aLife(), 2, { exitCode: 1 }).failing).toBeUndefined();
    expect(fizzle(aLife(), 3, { exitCode: 1 }).failing).toMatchObject({ kind: 'failing' });
    expect(fizzle(aLife(), 3).failing).toBeUndefined();
  });

  test('stay failing when the queue is empty now and then, until one lives, and not while none would be tried', () => {
    const life = aLife();
    fizzle(life, 2, { exitCode: 1 });
    expect(fizzle(life, 1).failing).toMatchObject({ kind: 'failing', soon: false });
    expect(life.at(1, { mode: 'drain' }).failing).toBeUndefined();
    expect(life.at(1, {}).failing).toMatchObject({ kind: 'failing' });
  });

  test('are not replaced any more when there were three in a row, and the reason is told', () => {
    const decision = fizzle(aLife(), 3);
    expect(spawnsOf(decision)).toHaveLength(0);
    expect(gatesOf(decision)).toStrictEqual(['back-off']);
    expect(holdText(decision)).toMatch(
      /^pilots end within 10 s with exit code 0: no work for them; next try in 1[0-3] s$/,
    );
  });

  test.each([
    [{ exitCode: 3 }, 'pilots end within 10 s with exit code 3: broken image or command'],
    [{ exitCode: 126 }, 'exit code 126: the command cannot be run'],
    [{ exitCode: 127 }, 'exit code 127: the image has no such command'],
    [{ exitCode: 137 }, 'exit code 137: killed, from outside or for want of memory'],
    [{ exitCode: undefined }, 'pilots end within 10 s: broken image or command'],
  ])('are told by how they ended: %j', (changes, text) => {
    expect(holdText(fizzle(aLife(), 3, changes))).toContain(text);
  });

  test('count as killed for want of memory as soon as the engine says so', () => {
    const life = aLife();
    fizzle(life, 3, { exitCode: 137 });
    const pilot = life.pilot('f', 1, 1);
    const decision = life.at(0.1, { outcomes: [ended(pilot, 1000, 900, { exitCode: 137, oomKilled: true })] });
    expect(holdText(decision)).toContain('for want of memory: max_dock_mem is too small');
  });

  test('are no three in a row when one in between lived', () => {
    const life = aLife();
    fizzle(life, 2);
    life.at(1, { pilots: [life.pilot('long', 1, 1)] });
    life.at(10, { pilots: [life.pilot('long', 11, 10)] });

    expect(spawnsOf(fizzle(life, 2))).toHaveLength(1);
  });

  test('hold back others while some are so young that they may do the same', () => {
    const life = aLife();
    life.at(0, { load: {} });
    const young = [1, 2, 3].map((index) => life.pilot(`y${index}`, 2, 2));
    const decision = life.at(2, { pilots: [...young, life.pilot('f', 1, 2, DEAD)] });
    expect(spawnsOf(decision)).toHaveLength(0);
    expect(holdText(decision)).toContain('waiting whether the others live');
    expect(decision.wakeInMs).toBe(10_000);

    const grown = [1, 2, 3].map((index) => life.pilot(`y${index}`, 12, 10));
    expect(spawnsOf(life.at(10, { pilots: grown }))).toHaveLength(1);
  });

  test('are found out by the engine where the list came too late to tell', () => {
    const life = aLife(aConfig({ ...CONFIG, docks_per_loop: 0 }));
    life.at(0, { load: {} });
    for (const name of ['a', 'b', 'c']) {
      const pilot = life.pilot(name, 30, 30, DEAD);
      life.at(30, { load: {}, pilots: [pilot] });
      life.at(1, { outcomes: [ended(pilot, 30_000, 2000)] });
    }

    expect(spawnsOf(life.at(1, { pilots: [life.pilot('d', 300, 1, DEAD)] }))).toHaveLength(0);
  });

  test('hold back the next try until the engine has told how long the one before it ran', () => {
    const life = aLife();
    fizzle(life, 3);
    life.at(12.6, { load: {} });
    const slow = life.pilot('probe', 15, 15, DEAD);
    const unclear = life.at(15, { load: {}, pilots: [slow] });
    expect(spawnsOf(unclear)).toHaveLength(0);
    expect(unclear.wakeInMs).toBe(1000);

    const told = life.at(1, { outcomes: [ended(slow, 15_000, 2000)] });
    expect(spawnsOf(told)).toHaveLength(0);
    expect(told.wakeInMs).toBeGreaterThanOrEqual(20_000);
  });

  test('do not hold back others for ever where the remains cannot be removed', () => {
    const life = aLife();
    fizzle(life, 3);
    life.at(12.6, { load: {} });
    const slow = life.pilot('probe', 15, 15, DEAD);
    life.at(15, { load: {}, pilots: [slow] });
    const removal: Outcome = { ...ended(slow, 15_000, 2000), result: 'failed', ended: undefined };
    expect(spawnsOf(life.at(1, { pilots: [slow], outcomes: [removal] }))).toHaveLength(1);
  });

  test('count when the engine tells how long they lived, also where nobody waited for that any more', () => {
    const life = aLife();
    const slow = life.pilot('slow', 15, 15, DEAD);
    life.at(0, { load: {} });
    life.at(15, { pilots: [slow] });
    life.at(1, { pilots: [slow], outcomes: [{ ...ended(slow, 15_000, 2000), result: 'failed', ended: undefined }] });
    life.at(31, { pilots: [slow] });
    life.at(1, { outcomes: [ended(slow, 47_000, 2000)] });

    expect(life.state.breaker.fizzles).toBe(1);
  });

  test.each([0, 1])('count once, by the list, after %s tries in vain to remove them', (tries) => {
    const life = aLife();
    const pilot = life.pilot('a', 1, 1, DEAD);
    life.at(0, { load: {} });
    life.at(1, { pilots: [pilot] });
    const inVain: Outcome = { ...ended(pilot, 1000, 900), result: 'failed', ended: undefined };
    for (let count = 0; count < tries; count += 1) life.at(31, { pilots: [pilot], outcomes: [inVain] });
    life.at(0.1, { pilots: [pilot], outcomes: [ended(pilot, 1000 + 31_000 * tries, 900)] });
    life.at(0.1);

    expect(life.state.breaker.fizzles).toBe(1);
  });

  test('are nobody of ours to judge when we ended them', () => {
    const life = aLife();
    life.at(0, { load: {} });
    const inFlight = anInFlight({ removing: ['a', 'b', 'c'] });
    const pilots = ['a', 'b', 'c'].map((name) => life.pilot(name, 1, 1, { state: 'exited', exitCode: 143 }));
    life.at(1, { pilots, inFlight });

    expect(life.state.breaker.fizzles).toBe(0);
  });

  test('are nobody of ours to judge either where it took us two tries to remove them', () => {
    const life = aLife(aConfig({ ...CONFIG, grace_kill: 30, fizzle_seconds: 1000 }));
    const pilots = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => life.pilot(name, 1, 0));
    let last = life.at(0, { pilots, load: { busy: 8, own: 0 } });
    for (let look = 0; look < 3 && removalsOf(last).length === 0; look += 1) {
      last = life.at(30, { pilots, load: { busy: 8, own: 0 } });
    }
    const remains = removalsOf(last).map(({ pilot }) => ({ ...pilot, state: 'exited' as const, exitCode: 143 }));
    expect(remains.length).toBeGreaterThan(3);
    life.at(1, { pilots: remains, outcomes: removalsOf(last).map((action) => failed(action, 'refused')) });
    life.at(1, { pilots: remains });
    life.at(31, { outcomes: remains.map((pilot) => ended(pilot, 1_100_000, 60_000, { exitCode: 143 })) });

    expect(life.state.breaker.fizzles).toBe(0);
  });

  test('teach nothing about another configuration', () => {
    const life = aLife();
    fizzle(life, 3, { revision: 'an older one' });

    expect(life.state.breaker.fizzles).toBe(0);
  });

  test('are judged by fizzle_seconds, and not at all with 0', () => {
    const patient = aLife(aConfig({ ...CONFIG, fizzle_seconds: 0.5 }));
    fizzle(patient, 5);
    expect(patient.state.breaker.fizzles).toBe(0);

    const never = aLife(aConfig({ ...CONFIG, fizzle_seconds: 0 }));
    fizzle(never, 5);
    expect(never.state.breaker.fizzles).toBe(0);
  });
});

describe('an open circuit', () => {
  /** Opened a moment ago. */
  function open(config = CONFIG): Life {
    const life = aLife(config);
    fizzle(life, 3);
    return life;
  }

  test('lets nothing start, growth neither, until backoff_seconds are over', () => {
    const life = open();
    expect(spawnsOf(life.at(9.9, { load: {} }))).toHaveLength(0);
  });

  test('says when it wants to be looked at again', () => {
    const { wakeInMs } = open().at(0);
    expect(wakeInMs).toBeGreaterThanOrEqual(10_000);
    expect(wakeInMs).toBeLessThanOrEqual(12_500);
  });

  test('then has one tried, without waiting for a sample', () => {
    const life = open();
    const decision = life.at(12.6);
    expect(spawnsOf(decision).map(({ reason }) => reason)).toStrictEqual(['probe']);
    expect(holdText(decision)).toContain('one is being tried, others follow when it has lived 10 s');
    expect(spawnsOf(life.at(1, { load: {}, pilots: [life.pilot('probe', 1, 1)] }))).toHaveLength(0);
  });

  test('is not closed by the engine having started that one: nobody knows yet whether it finds work', () => {
    const life = open();
    const action = first(spawnsOf(life.at(12.6)));
    const done: Outcome = { action, result: 'done', error: undefined, ended: undefined };
    const decision = life.at(1, { load: {}, outcomes: [done], pilots: [life.pilot(action.spec.name, 1, 1)] });
    expect(spawnsOf(decision)).toHaveLength(0);
    expect(life.state.breaker.open).toBeDefined();
  });

  test('is not closed by an engine that could not start that one, and then could start the next', () => {
    const life = open(aConfig({ ...CONFIG, docks_per_loop: 8, backoff_seconds: 60 }));
    const action = first(spawnsOf(life.at(75.1)));
    const decision = life.at(1, { load: {}, outcomes: [failed(action, 'refused', 'device busy')] });
    expect(spawnsOf(decision)).toHaveLength(0);
    // Twice as long as the queue had been waited for, and not until the next loop only.
    expect(spawnsOf(life.at(119, { load: {} }))).toHaveLength(0);
    const next = first(spawnsOf(life.at(31, { load: {} })));
    const started: Outcome = { action: next, result: 'done', error: undefined, ended: undefined };
    const pilots = [life.pilot(next.spec.name, 1, 1)];
    expect(spawnsOf(life.at(1, { load: {}, outcomes: [started], pilots }))).toHaveLength(0);
    expect(life.state.breaker.open).toBeDefined();
  });

  test('has one tried also while growth is held after an eviction', () => {
    const life = aLife(aConfig({ ...CONFIG, grace_kill: 30, grace_spawn: 3600 }));
    const crowded = { pilots: pilotsOf(8), load: { busy: 8, own: 4 } };
    for (let look = 0; look < 4; look += 1) life.at(30, crowded);
    expect(life.state.eviction).toBeDefined();
    fizzle(life, 3);
    expect(gatesOf(life.at(1, { load: {} }))).toStrictEqual(['back-off']);
    expect(spawnsOf(life.at(12.6, { load: {} })).map(({ reason }) => reason)).toStrictEqual(['probe']);
  });

  test('has none tried before those are judged that it was closed over', () => {
    const life = open();
    expect(spawnsOf(life.at(12.6, { pilots: [life.pilot('young', 9, 12.6)] }))).toHaveLength(0);
  });

  test.each([
    { what: 'cannot be removed', state: 'created', frozen: false, starts: 1 },
    { what: 'somebody else has paused', state: 'paused', frozen: false, starts: 1 },
    { what: 'we froze', state: 'paused', frozen: true, starts: 0 },
  ] as const)('waits for the judgement of a pilot that $what: $starts is tried', ({ state, frozen, starts }) => {
    const life = open();
    const pilot = life.pilot('young', 100, 1, { state });
    const removal: RemoveAction = { type: 'remove', pilot, reason: 'never-started', stopSeconds: 0, ageMs: 0 };
    const action: Action = frozen ? { type: 'freeze', pilot } : removal;
    const outcome = frozen ? done(action) : failed(action, 'timeout');
    life.at(1, { pilots: [pilot], outcomes: state === 'created' || frozen ? [outcome] : [] });

    expect(spawnsOf(life.at(12.6, { pilots: [pilot] }))).toHaveLength(starts);
  });

  test('closes when that one has outlived fizzle_seconds: the others follow', () => {
    const life = open();
    life.at(12.6);
    const probe = (age: number, after: number) => life.pilot('probe', age, after);
    // Nobody knows how long the engine took to start it: it counts from when it was seen.
    life.at(5, { pilots: [probe(5, 5)] });
    expect(spawnsOf(life.at(9, { load: {}, pilots: [probe(14, 9)] }))).toHaveLength(0);
    expect(spawnsOf(life.at(1, { load: {}, pilots: [probe(15, 1)] }))).toHaveLength(1);
  });

  /** Three have ended at the age of two seconds, and one of this age runs. */
  function threeBeside(age: number, config = CONFIG): Life {
    const life = aLife(config);
    life.at(0, { load: {} });
    const ends = ['a', 'b', 'c'].map((name) => life.pilot(name, 2, 3, DEAD));
    life.at(3, { pilots: [...ends, life.pilot('other', age, 3)] });
    return life;
  }

  test('is not closed by pilots that were started before it opened', () => {
    const life = threeBeside(1);
    expect(life.state.breaker.open).toBeDefined();
    life.at(9, { pilots: [life.pilot('other', 10, 9)] });
    expect(life.state.breaker.open).toBeDefined();
  });

  test('does not open before all are known that were started no later: short jobs are known first', () => {
    const life = threeBeside(3);
    const waiting = life.at(1, { load: {}, pilots: [life.pilot('other', 4, 1)] });
    expect(life.state.breaker.open).toBeUndefined();
    expect(spawnsOf(waiting)).toHaveLength(0);
    expect(holdText(waiting)).toContain('(3 in a row); waiting whether the others live');
    expect(spawnsOf(life.at(10, { load: {}, pilots: [life.pilot('other', 14, 10)] })).length).toBeGreaterThan(0);
  });

  test('opens after backoff_seconds where those take longer to be known', () => {
    const life = threeBeside(3, aConfig({ ...CONFIG, fizzle_seconds: 600, backoff_seconds: 20 }));
    expect(life.at(1, { pilots: [life.pilot('other', 4, 1)] }).wakeInMs).toBe(19_000);
    life.at(19, { pilots: [life.pilot('other', 23, 19)] });
    expect(life.state.breaker.open).toBeDefined();
  });

  test.each([{ ...DEAD }, { state: 'paused' } as const])('opens when the last of those is %j', (changes) => {
    const life = threeBeside(3);
    life.at(1, { pilots: [life.pilot('other', 4, 1, changes)] });
    expect(life.state.breaker.open).toBeDefined();
  });

  test('stays open for twice as long each time the one was in vain, up to backoff_max', () => {
    const life = open(aConfig({ ...CONFIG, backoff_max: 35 }));
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const wait = life.at(0).wakeInMs ?? NaN;
      waits.push(wait / 1000);
      expect(spawnsOf(life.at(wait / 1000, { load: {} }))).toHaveLength(1);
      life.at(1, { pilots: [life.pilot(`probe${attempt}`, 1, 1, DEAD)] });
    }

    [10, 20, 35, 35].forEach((seconds, index) => {
      expect(waits[index]).toBeGreaterThanOrEqual(seconds);
      expect(waits[index]).toBeLessThanOrEqual(seconds * 1.25);
    });
  });

  test('opens again at the first fizzle, and for longer, when it was closed a short while ago', () => {
    const life = open();
    life.at(12.6);
    life.at(0.5, { pilots: [life.pilot('probe', 0.5, 0.5)] });
    life.at(10, { pilots: [life.pilot('probe', 10.5, 10)] });
    const decision = life.at(5, { pilots: [life.pilot('probe', 15.5, 5), life.pilot('next', 1, 5, DEAD)] });
    expect(spawnsOf(decision)).toHaveLength(0);
    expect(decision.wakeInMs).toBeGreaterThanOrEqual(20_000);
  });

  test('has one on trial when it was closed a short while ago, and one more for each that lives', () => {
    const life = open();
    life.at(12.6);
    life.at(0.5, { pilots: [life.pilot('probe', 0.5, 0.5)] });
    expect(spawnsOf(life.at(10, { load: {}, pilots: [life.pilot('probe', 10.5, 10)] }))).toHaveLength(1);
    const held = life.at(1, { load: {}, pilots: [life.pilot('next', 1, 1)] });
    expect(spawnsOf(held)).toHaveLength(0);
    expect(holdText(held)).toBe('pilots have begun to live again (0 of 3); waiting whether the others do');
    expect(held.wakeInMs).toBe(10_000);
    expect(spawnsOf(life.at(10, { load: {}, pilots: [life.pilot('next', 11, 10)] }))).toHaveLength(1);
  });

  /** Closed again by a probe; then come `count` pilots that were started `age` seconds ago when that was so, and live. */
  function reclosed(count: number, age: number) {
    const life = open();
    life.at(12.6);
    life.at(0.5, { pilots: [life.pilot('probe', 0.5, 0.5)] });
    const others = (now: number, after: number) =>
      Array.from({ length: count }, (_, index) => life.pilot(`other${index}`, now, after));
    life.at(10, { pilots: [life.pilot('probe', 10.5, 10)] });
    for (const after of [1, 10]) life.at(after, { pilots: others(age + (after === 1 ? 1 : 11), after) });
    return { life, others: others(age + 12, 1) };
  }

  test('is as patient as ever once three that were started since have lived', () => {
    const { life, others } = reclosed(3, 0);
    const decision = life.at(1, { load: {}, pilots: [...others, life.pilot('next', 1, 1, DEAD)] });
    expect(spawnsOf(decision).length).toBeGreaterThan(0);
    const two = ['b', 'c'].map((name) => life.pilot(name, 1, 1, DEAD));
    const reopened = life.at(1, { load: {}, pilots: [...others, ...two] });
    expect(spawnsOf(reopened)).toHaveLength(0);
    // It has not forgotten for how long it was open.
    expect(reopened.wakeInMs).toBeGreaterThanOrEqual(20_000);
  });

  test.each([
    ['two', 2, 0],
    ['three that were started before', 3, 5],
  ])('is no more patient when %s have lived', (_, count, age) => {
    const { life, others } = reclosed(count, age);

    expect(spawnsOf(life.at(1, { load: {}, pilots: [...others, life.pilot('next', 1, 1, DEAD)] }))).toHaveLength(0);
  });

  test('is no more patient for two whose end tells once more how long they lived', () => {
    const { life, others } = reclosed(2, 0);
    life.at(1, { pilots: others.map((pilot) => ({ ...pilot, ...DEAD })) });
    life.at(1, { outcomes: others.map((pilot) => ended(pilot, 20_000, 20_000)) });

    expect(spawnsOf(life.at(1, { load: {}, pilots: [life.pilot('next', 1, 1, DEAD)] }))).toHaveLength(0);
  });

  test('takes back the starts that still wait when it opens, and not the probe later', () => {
    const life = aLife();
    const opened = fizzle(life, 3);
    expect(opened.withdrawStarts).toBe(true);
    const later = life.at(12.6);

    expect([spawnsOf(later).length, later.withdrawStarts]).toEqual([1, false]);
    expect(life.at(1).withdrawStarts).toBe(false);
  });

  test('has forgotten all that after backoff_max', () => {
    const life = open();
    life.at(12.6);
    life.at(0.5, { pilots: [life.pilot('probe', 0.5, 0.5)] });
    life.at(10, { pilots: [life.pilot('probe', 10.5, 10)] });
    life.at(301, { pilots: [life.pilot('probe', 311.5, 301)] });

    expect(spawnsOf(life.at(1, { load: {}, pilots: [life.pilot('next', 1, 1, DEAD)] }))).toHaveLength(2);
  });

  test.each([
    ['time to back off', { revision: 'r2', config: aConfig({ ...CONFIG, backoff_max: 60 }) }],
    ['configuration of pilots', { revision: 'r2', config: aConfig({ ...CONFIG, docker_cmd: ['/bin/other'] }) }],
    ['image', { image: anImage({ reference: 'busybox', id: 'sha256:other' }) }],
  ])('is closed by another %s', (_, look) => {
    const life = aLife();
    const image = anImage({ reference: 'busybox' });
    life.at(0, { load: {}, image });
    for (const name of ['a', 'b', 'c']) life.at(1, { image, pilots: [life.pilot(name, 0.5, 1, DEAD)] });
    expect(spawnsOf(life.at(1, { load: {}, image }))).toHaveLength(0);

    expect(spawnsOf(life.at(1, { load: {}, image, ...look }))).toHaveLength(1);
  });

  test('is not closed by a revision that changes nothing about pilots, and learns from its pilots', () => {
    const life = aLife();
    fizzle(life, 3);
    expect(spawnsOf(life.at(1, { load: {}, revision: 'r2' }))).toHaveLength(0);

    expect(spawnsOf(life.at(12, { load: {}, revision: 'r2' }))).toHaveLength(1);
    life.at(1, { revision: 'r2', pilots: [life.pilot('probe', 0.5, 1, { ...DEAD, revision: 'r2' })] });
    expect(life.state.breaker.open?.holdMs).toBe(20_000);
  });

  test('changes nothing for policy legacy', () => {
    const life = aLife(aConfig({ ...CONFIG, policy: 'legacy', grace_spawn: 0 }));
    fizzle(life, 4);

    expect(spawnsOf(life.at(1, { load: {} }))).toHaveLength(1);
  });
});

describe('pilots that cannot be started', () => {
  /** Asks for a pilot at each sample, in vain. */
  function inVain(life: Life, kind: EngineFailure['kind'], count: number): Plan<State> {
    let last = life.at(0, { load: {} });
    for (let attempt = 0; attempt < count; attempt += 1) {
      const action = first(spawnsOf(last));
      last = life.at(30, { load: {}, outcomes: [failed(action, kind, 'exec: "nosuch": not found')] });
    }
    return last;
  }

  test.each(['invalid', 'not-found'] as const)('because of what was asked for (%s) are the configuration’s', (kind) => {
    const decision = inVain(aLife(), kind, 3);

    expect(spawnsOf(decision)).toHaveLength(0);
    expect(holdText(decision)).toContain('cannot be started with this configuration: exec: "nosuch": not found');
  });

  test('because of the engine are tried again in every loop, however often', () => {
    const life = aLife(aConfig({ ...CONFIG, backoff_seconds: 40, main_sleep: 30 }));
    const decision = inVain(life, 'refused', 3);
    expect(holdText(decision)).toContain('the engine cannot start pilots');
    expect(spawnsOf(life.at(29.9))).toHaveLength(0);

    expect(spawnsOf(life.at(7.6))).toHaveLength(1);
  });

  test('in time teach nothing: they may run all the same', () => {
    const life = aLife();
    inVain(life, 'timeout', 2);

    expect(life.state.breaker.fizzles).toBe(0);
  });

  test('keep others back no longer than until the engine starts one', () => {
    const life = aLife();
    inVain(life, 'refused', 3);
    const probe = first(spawnsOf(life.at(12.6)));
    const done: Outcome = { action: probe, result: 'done', error: undefined, ended: undefined };
    const decision = life.at(1, { load: {}, outcomes: [done], pilots: [life.pilot(probe.spec.name, 1, 1)] });

    expect(spawnsOf(decision)).toHaveLength(1);
  });
});
