import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/decision.js';
import type { Outcome, PilotState, RemoveAction, SpawnAction } from '../../../src/model.js';
import type { State } from '../../../src/plan/state.js';
import { aPilot, anInFlight, aSpec } from '../../support/builders.js';
import {
  aConfig,
  aStory,
  done,
  failed,
  first,
  gatesOf,
  spawnsOf,
  type Look,
  type Story,
} from '../../support/plan-builders.js';

const config = aConfig({ max_docks: 20, docks_per_loop: 4, growth: 'fixed', fizzle_seconds: 0, main_sleep: 10 });

function removal(name: string, state: PilotState = 'running'): RemoveAction {
  return { type: 'remove', pilot: aPilot({ name, state }), reason: 'expired', stopSeconds: 0, ageMs: 0 };
}

/** Those that the tests are about; they take next to nothing of the host. */
const names = [...'abcdefgh'.split(''), ...Array.from({ length: 5 }, (_, index) => `probe${index}`)];
const there = names.map((name) => aPilot({ name, cpus: 0.01 }));

/** Removals of these pilots got no answer in time. */
function hung(...names: readonly string[]): readonly Outcome[] {
  return names.map((name) => failed(removal(name), 'timeout'));
}

function afterHanging(names: readonly string[] = ['a', 'b', 'c']): { readonly story: Story; readonly at: Plan<State> } {
  const story = aStory(config, { pilots: there });
  story.look();
  return { story, at: story.look({ outcomes: hung(...names) }) };
}

describe('an engine that lists pilots and does nothing in time', () => {
  test('starts none after three of them, and says so in numbers', () => {
    const { at } = afterHanging();

    expect(spawnsOf(at)).toEqual([]);
    expect(gatesOf(at)).toEqual(['engine-effects']);
    expect(first(at.holds).text).toMatch(/in time, 3 times; one start is tried in 30 s/);
    expect(at.hanging).toMatchObject({ inVain: 3 });
    expect(at.withdrawStarts).toBe(true);
    const readings = Object.fromEntries(at.gates.map(({ gate, most }) => [gate, most]));
    expect(readings).toMatchObject({ 'engine-effects': 0, 'back-off': null });
  });

  test.each([
    ['two of them', ['a', 'b']],
    ['the same one again and again', ['a', 'a', 'b', 'a']],
  ])('is not thought of after %s', (_what, names) => {
    const { at } = afterHanging(names);

    expect(spawnsOf(at).length).toBeGreaterThan(0);
    expect(at.hanging).toBeUndefined();
    expect(at.withdrawStarts).toBe(false);
  });

  test('is not thought of when they are more than five minutes apart', () => {
    const story = aStory(config, { pilots: there });
    story.look({ outcomes: hung('a', 'b') });

    expect(story.look({ after: 300.001, outcomes: hung('c') }).hanging).toBeUndefined();
    expect(story.look({ after: 0, outcomes: hung('d', 'e') }).hanging).toBeDefined();
  });

  test.each(['refused', 'not-found', 'conflict', 'unreachable'] as const)('is no matter of answers: %s', (kind) => {
    const story = aStory(config, { pilots: there });

    expect(
      story.look({ outcomes: ['a', 'b', 'c'].map((name) => failed(removal(name), kind)) }).hanging,
    ).toBeUndefined();
  });

  test('counts starts, freezes and thaws too, and no pull', () => {
    const spawn: SpawnAction = { type: 'spawn', spec: aSpec({ name: 'new' }), reason: 'growth' };
    const effects = [
      failed(spawn, 'timeout'),
      failed({ type: 'freeze', pilot: aPilot({ name: 'b' }) }, 'timeout'),
      failed({ type: 'thaw', pilot: aPilot({ name: 'c' }) }, 'timeout'),
    ];
    const pull = failed({ type: 'pull', reference: 'x', reason: 'missing' }, 'timeout');

    expect(aStory(config, { pilots: there }).look({ outcomes: effects }).hanging).toBeDefined();
    expect(aStory(config, { pilots: there }).look({ outcomes: [pull, ...effects.slice(1)] }).hanging).toBeUndefined();
  });

  test('is tried with one start when its time has come, and with no other before that has ended', () => {
    const { story } = afterHanging();
    expect(story.look({ after: 29, load: null }).wakeInMs).toBe(1000);
    const spawns = spawnsOf(story.look({ after: 1 }));
    const probe = first(spawns);
    expect(spawns.map(({ reason }) => reason)).toEqual(['probe']);

    const inFlight = anInFlight({ spawning: [{ name: probe.spec.name, cpus: 1 }] });
    const during = story.look({ after: 10, inFlight });
    expect(spawnsOf(during)).toEqual([]);
    expect(first(during.holds).text).toContain('one start is being tried');
    expect(during.withdrawStarts).toBe(false);
  });

  test('waits twice as long after a try in vain, up to a minute', () => {
    const { story } = afterHanging();
    const pauses = Array.from({ length: 5 }, (_, index) => {
      story.look({ after: 600 });
      story.look({ after: 0, load: null, outcomes: hung(`probe${index}`) });
      return story.state.effects.hold?.pauseMs;
    });

    expect(pauses).toEqual([60_000, 60_000, 60_000, 60_000, 60_000]);
  });

  test('counts what fails meanwhile and waits no longer for it', () => {
    const { story, at } = afterHanging();
    const more = story.look({ after: 10, outcomes: hung('d') });

    expect(more.hanging).toEqual({ ...at.hanging, inVain: 4 });
  });

  test.each([
    ['is gone', []],
    ['has ended', [aPilot({ name: 'a', state: 'exited' as const })]],
  ])('is well again when a pilot that was to go %s after all', (_, left) => {
    const { story } = afterHanging();
    expect(story.look({ load: null, after: 1 }).hanging).toBeDefined();
    const others = there.filter(({ name }) => name !== 'a');
    expect(story.look({ pilots: [...left, ...others], load: null, after: 1 }).hanging).toBeUndefined();
  });

  test('is not thought of where those that were to go are gone, answer or not', () => {
    const story = aStory(config);
    story.look();
    expect(story.look({ outcomes: hung('a', 'b', 'c') }).hanging).toBeUndefined();
  });

  test('is well again with the first thing that works', () => {
    const { story } = afterHanging();
    const after = story.look({ after: 10, outcomes: [...hung('d'), done(removal('a'))] });

    expect(after.hanging).toBeUndefined();
    expect(spawnsOf(after)).toHaveLength(4);
    expect(story.look({ after: 10, outcomes: hung('e', 'f') }).hanging).toBeUndefined();
  });

  test.each([
    ['running', true],
    ['paused', true],
    ['exited', false],
    ['created', false],
  ] as const)('removing one that is %s proves it: %s', (state, proves) => {
    const { story } = afterHanging();

    expect(story.look({ outcomes: [done(removal('a', state))] }).hanging === undefined).toBe(proves);
  });

  test('holds the legacy policy too', () => {
    const story = aStory({ ...config, policy: 'legacy' }, { pilots: there });
    story.look({ outcomes: hung('a', 'b', 'c') });

    expect(gatesOf(story.look())).toEqual(['engine-effects']);
    expect(spawnsOf(story.look({ after: 10 }))).toEqual([]);
    expect(spawnsOf(story.look({ after: 10 }))).toHaveLength(1);
  });

  test('is no matter of pilots that are known not to go, however many', () => {
    const story = aStory(config, { pilots: there });
    const names = ['a', 'b', 'c'];
    const pilots = names.map((name) => aPilot({ name }));
    for (const name of names) story.look({ pilots, after: 301, outcomes: hung(name) });

    expect(story.look({ pilots, after: 301, outcomes: hung(...names) }).hanging).toBeUndefined();
  });

  describe('and in the end starts one that it did not answer for', () => {
    /** Two removals in vain, then a start. */
    function afterAStart(others: readonly string[]) {
      const story = aStory(config, { pilots: there });
      const start = first(spawnsOf(story.look()));
      const { name } = start.spec;
      story.look({ outcomes: hung(...others) });
      return {
        story,
        name,
        at: (look: Look) => story.look({ after: 1, outcomes: [failed(start, 'timeout')], ...look }),
      };
    }

    test.each(['running', 'exited'] as const)('is well again: %s', (state) => {
      const { story, name, at } = afterAStart(['a', 'b']);
      expect(at({}).hanging).toBeDefined();

      expect(story.look({ pilots: [...there, aPilot({ name, state: 'created' })] }).hanging).toBeDefined();
      expect(story.look({ pilots: [...there, aPilot({ name, state })] }).hanging).toBeUndefined();
    });

    test('counts that no more, and what else was in vain still', () => {
      const { story, name, at } = afterAStart(['a']);
      at({});
      const pilots = [...there, aPilot({ name })];
      story.look({ pilots });

      expect(story.look({ pilots, outcomes: hung('b') }).hanging).toBeUndefined();
      expect(story.look({ pilots, outcomes: hung('c') }).hanging).toBeDefined();
    });

    test('has not failed to when that is seen in the same look', () => {
      const { name, at } = afterAStart(['a', 'b']);

      expect(at({ pilots: [...there, aPilot({ name })] }).hanging).toBeUndefined();
    });

    test('still hangs when it did nothing that was asked later', () => {
      const story = aStory(config, { pilots: there });
      const start = first(spawnsOf(story.look()));
      story.look({ outcomes: [failed(start, 'timeout')] });
      story.look({ outcomes: hung('a', 'b') });

      expect(story.look({ pilots: [...there, aPilot({ name: start.spec.name })] }).hanging).toBeDefined();
    });
  });

  test('keeps removals going', () => {
    const { story } = afterHanging();
    const pilots = [...there, aPilot({ state: 'exited' })];

    expect(story.look({ pilots }).actions.map(({ type }) => type)).toContain('remove');
  });
});
