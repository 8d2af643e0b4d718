import { describe, expect, test } from 'vitest';
import { aHost, anInstant, aSample } from '../../support/builders.js';
import { aConfig, aStory, done, pilotsOf, spawnsOf, type Story } from '../../support/plan-builders.js';

const host = aHost({ ncpus: 200 });
const sample = aSample({ cpus: 200 });

/** How many more are started at each of `looks` samples, when all that were asked for run. */
function steps(story: Story, looks: number, running = 0): readonly number[] {
  const counts: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    const started = spawnsOf(story.look({ pilots: pilotsOf(running) })).length;
    counts.push(started);
    running += started;
  }
  return counts;
}

describe('growth', () => {
  test('doubles after each sample while all that was permitted was started and lives', () => {
    expect(steps(aStory(aConfig({ max_docks: 200, docks_per_loop: 4 }), { host, sample }), 5)).toStrictEqual([
      4, 8, 16, 32, 64,
    ]);
  });

  test('stays as it is where that is asked for', () => {
    const story = aStory(aConfig({ max_docks: 200, docks_per_loop: 4, growth: 'fixed' }), { host, sample });

    expect(steps(story, 3)).toStrictEqual([4, 4, 4]);
  });

  test('waits where fizzle_seconds is longer than a few looks: the pilots started last have to live', () => {
    const config = aConfig({ max_docks: 200, docks_per_loop: 4, fizzle_seconds: 70 });
    expect(steps(aStory(config, { host, sample }), 6)).toStrictEqual([4, 8, 16, 16, 16, 16]);
    // Who stands still shows nothing, and holds up nobody.
    const story = aStory(config, { host, sample });
    for (const count of [0, 4, 12]) story.look({ pilots: pilotsOf(count, { state: 'paused' }) });
    expect(spawnsOf(story.look({ pilots: pilotsOf(28, { state: 'paused' }) }))).toHaveLength(32);
  });

  test('is no matter of replacements that were permitted and not tried: they are permitted again', () => {
    const config = aConfig({ max_docks: 8, docks_per_loop: 1, growth: 'fixed' });
    const story = aStory(config, { host, sample });
    story.look({ pilots: pilotsOf(8) });
    const pilots = pilotsOf(8).map((pilot, index) => (index < 3 ? { ...pilot, state: 'exited' as const } : pilot));
    const starts = spawnsOf(story.look({ load: null, pilots }));
    expect(starts.map(({ reason }) => reason)).toStrictEqual(['replacement', 'replacement', 'replacement']);

    const outcomes = starts.map((action) => ({ ...done(action), result: 'skipped' as const }));
    expect(spawnsOf(story.look({ load: null, after: 1, pilots: pilots.slice(3), outcomes }))).toHaveLength(3);
    const probe = starts.map((action) => ({ ...done({ ...action, reason: 'probe' }), result: 'skipped' as const }));
    const others = spawnsOf(story.look({ load: null, after: 1, pilots: pilots.slice(3), outcomes: probe }));
    expect(others.map(({ reason }) => reason)).toStrictEqual(['growth']);
  });

  test('begins again when there was no room for all that was permitted', () => {
    const story = aStory(aConfig({ max_docks: 20, docks_per_loop: 4 }), { host, sample });
    expect(steps(story, 3)).toStrictEqual([4, 8, 8]);

    const wider = aConfig({ max_docks: 40, docks_per_loop: 4 });
    expect(spawnsOf(story.look({ config: wider, pilots: pilotsOf(20) }))).toHaveLength(4);
    expect(steps(story, 1, 24)).toStrictEqual([8]);
  });

  test('begins again after a fizzle, at whatever moment that is seen', () => {
    const story = aStory(aConfig({ max_docks: 200, docks_per_loop: 4 }), { host, sample });
    expect(steps(story, 2)).toStrictEqual([4, 8]);
    const spawnedBootMs = anInstant().bootMs + 30_000;
    const fizzled = pilotsOf(1, { name: 'x', id: 'x', spawnedBootMs, state: 'exited', exitCode: 0 });
    story.look({ after: 1, load: null, pilots: [...pilotsOf(11), ...fizzled] });

    // One that lives meanwhile closes the matter, but for the pace.
    const living = pilotsOf(1, { name: 'y', id: 'y', spawnedBootMs });
    expect(spawnsOf(story.look({ pilots: [...pilotsOf(11), ...living] }))).toHaveLength(4);
  });

  test('begins again after an eviction', () => {
    const config = aConfig({ max_docks: 200, docks_per_loop: 4, grace_kill: 0, grace_spawn: 0, foreign_window: 0 });
    const story = aStory(config, { host, sample });
    expect(steps(story, 3)).toStrictEqual([4, 8, 16]);
    const crowded = { busy: 200, own: 20 };
    story.look({ load: crowded, pilots: pilotsOf(28) });
    story.look({ load: crowded, pilots: pilotsOf(28) });

    expect(spawnsOf(story.look({ pilots: pilotsOf(24) }))).toHaveLength(4);
  });

  test('is none with docks_per_loop 0', () => {
    expect(steps(aStory(aConfig({ max_docks: 200, docks_per_loop: 0 }), { host, sample }), 3)).toStrictEqual([0, 0, 0]);
  });
});
