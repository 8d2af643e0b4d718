import { describe, expect, test } from 'vitest';
import type { EngineFailure, Pilot, SpawnAction } from '../../../src/model.js';
import { aPilot } from '../../support/builders.js';
import { aConfig, aStory, failed, first, removalsOf, spawnsOf, type Story } from '../../support/plan-builders.js';

const config = aConfig({ max_docks: 1, fizzle_seconds: 0 });

/** One start was asked for and has failed like this. */
function afterAStart(kind: EngineFailure['kind']): { readonly story: Story; readonly start: SpawnAction } {
  const story = aStory(config);
  const start = first(spawnsOf(story.look()));
  story.look({ outcomes: [failed(start, kind)], load: null, after: 1 });
  return { story, start };
}

function made({ spec: { name, cpus, spawnedBootMs } }: SpawnAction, state: Pilot['state']): readonly Pilot[] {
  return [aPilot({ name, state, cpus, spawnedBootMs })];
}

describe('a start that was not answered', () => {
  test.each(['timeout', 'unreachable', 'malformed'] as const)(
    'keeps its slot for a minute of an engine that answers (%s)',
    (kind) => {
      const { story } = afterAStart(kind);

      expect(story.look({ after: 59 }).capacity).toMatchObject({ pilots: 1, promised: 1 });
      expect(story.state.unanswered).toHaveLength(1);
      const after = story.look({ after: 1 });
      expect(spawnsOf(after)).toHaveLength(1);
      expect(story.state.unanswered).toEqual([]);
    },
  );

  test.each(['refused', 'not-found', 'invalid', 'conflict', 'forbidden'] as const)(
    'was answered by a refusal: %s',
    (kind) => {
      const { story } = afterAStart(kind);

      expect(story.state.unanswered).toEqual([]);
      expect(story.look().capacity.pilots).toBe(0);
    },
  );

  test('holds no slot where it was made and never asked to start', () => {
    const story = aStory(config);
    const start = first(spawnsOf(story.look()));
    const decision = story.look({ outcomes: [{ ...failed(start, 'timeout'), unasked: true }], after: 1 });

    expect(story.state.unanswered).toEqual([]);
    expect(spawnsOf(decision)).toHaveLength(1);
  });

  test('counts once when the list shows it, and is settled when it runs', () => {
    const { story, start } = afterAStart('timeout');

    expect(story.look({ after: 5, pilots: made(start, 'created') }).capacity).toMatchObject({ pilots: 1, promised: 1 });
    expect(story.state.unanswered).toHaveLength(1);
    expect(story.look({ after: 5, pilots: made(start, 'running') }).capacity.pilots).toBe(1);
    expect(story.state.unanswered).toEqual([]);
  });

  test('is settled too when it is seen to have ended, and its slot is free', () => {
    const { story, start } = afterAStart('timeout');

    expect(spawnsOf(story.look({ after: 5, pilots: made(start, 'exited') }))).toHaveLength(1);
    expect(story.state.unanswered).toEqual([]);
  });

  test('is not taken away while it may yet run, and is in the end', () => {
    const { story, start } = afterAStart('timeout');
    const pilots = made(start, 'created');
    story.look({ after: 1, pilots });

    expect(removalsOf(story.look({ after: 58, pilots }))).toEqual([]);
    expect(removalsOf(story.look({ after: 1, pilots })).map(({ reason }) => reason)).toEqual(['never-started']);
  });

  test('has the loop look again when its time is over', () => {
    const { story } = afterAStart('timeout');

    expect(story.look({ after: 20, load: null }).wakeInMs).toBe(40_000);
  });

  test.each(['drain-stop', 'force-stop'] as const)('is waited for by a %s: it may yet run', (mode) => {
    const { story } = afterAStart('timeout');

    expect(story.look({ after: 59, mode }).finished).toBeUndefined();
    expect(story.look({ after: 1, mode }).finished).toBe(mode);
  });
});
