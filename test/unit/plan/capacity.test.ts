import { describe, expect, test } from 'vitest';
import {
  configuredSlack,
  countedCpus,
  foreignCpus,
  isStale,
  peakForeign,
  room,
  slackInForce,
  tolerable,
} from '../../../src/plan/capacity.js';
import type { Config } from '../../../src/config/schema.js';
import { aSample } from '../../support/builders.js';
import { aConfig, aStory, gatesOf, pilotsOf, spawnsOf } from '../../support/plan-builders.js';

describe('the figures', () => {
  test.each([
    { what: 'everything that is busy, without pilots', busy: 3, own: 0, foreign: 3 },
    { what: 'nothing of what the pilots use', busy: 5, own: 4, foreign: 1 },
    { what: 'nothing of what the daemon uses', busy: 5, own: 4, service: 0.4, foreign: 0.6 },
    { what: 'nothing of what starting pilots costs', busy: 5, own: 4, starts: 50, foreign: 0.5 },
    { what: 'more of a start the shorter the span', busy: 5, own: 4, starts: 1, spanMs: 1000, foreign: 0.7 },
    { what: 'never less than nothing', busy: 3, own: 4, foreign: 0 },
  ])('foreign load is $what', ({ busy, own, service = 0, starts = 0, spanMs = 30_000, foreign }) => {
    const sample = aSample({ busy, own, service, spanMs });

    expect(foreignCpus(aConfig(), sample, starts)).toBeCloseTo(foreign, 9);
  });

  test('foreign load is unknown while the share of the pilots is', () => {
    expect(foreignCpus(aConfig(), aSample({ busy: 3, own: undefined }), 0)).toBeUndefined();
  });

  test.each([
    { cpus: 1, slack: 0.5 },
    { cpus: 25, slack: 0.5 },
    { cpus: 100, slack: 2 },
  ])('the slack of $cpus CPUs is $slack by default', ({ cpus, slack }) => {
    expect(configuredSlack(aConfig(), cpus)).toBe(slack);
  });

  test('a configured slack holds on any host', () => {
    expect(configuredSlack(aConfig({ cpu_slack: 3 }), 8)).toBe(3);
  });

  test.each([
    { yields: 'cgroup', slack: 0.5 },
    { yields: 'containers', slack: 0 },
    { yields: 'none', slack: 0 },
  ] as const)('where pilots yield by $yields the slack in force is $slack', ({ yields, slack }) => {
    expect(slackInForce(aConfig(), 8, yields)).toBe(slack);
  });

  test.each([
    { what: 'the whole host beside an idle owner', foreign: 0, expected: 8 },
    { what: 'the whole host up to the slack', foreign: 0.5, expected: 8 },
    { what: 'the host less what is above the slack', foreign: 3, expected: 5.5 },
    { what: 'less by the headroom', foreign: 3, cpu_headroom: 2, expected: 3.5 },
    { what: 'the whole host where it is given to pilots', foreign: 3, evict: 'never', expected: 8 },
    { what: 'less by the headroom there too', foreign: 3, evict: 'never', cpu_headroom: 2, expected: 6 },
  ] as const)('room is $what', ({ foreign, expected, ...row }) => {
    const { cpu_headroom = 0, evict = 'always' } = { ...row } as Partial<Config>;

    expect(room(aConfig({ cpu_headroom, evict }), 8, 0.5, foreign)).toBe(expected);
  });

  test.each([
    { what: 'no more than pilots are given', cpus: 4, foreign: 0, expected: 4 },
    { what: 'that, while others find enough elsewhere', cpus: 4, foreign: 4.5, expected: 4 },
    { what: 'what others leave of the whole host', cpus: 4, foreign: 6.5, expected: 2 },
    {
      what: 'that without the headroom, which is elsewhere at first',
      cpus: 4,
      foreign: 2.5,
      cpu_headroom: 3,
      expected: 3,
    },
    { what: 'more than there is, where pilots are given more', cpus: 12, foreign: 0, expected: 12 },
    { what: 'that less what others take', cpus: 12, foreign: 4.5, expected: 8 },
  ])('where the configuration says how many CPUs are shared, room is $what', ({ foreign, expected, ...keys }) => {
    const { cpus, cpu_headroom = 0 } = { ...keys } as { readonly cpus: number; readonly cpu_headroom?: number };
    expect(room(aConfig({ cpus, cpu_headroom }), 8, 0.5, foreign)).toBe(expected);
  });

  test('what is tolerable is the room and the margin', () => {
    expect(tolerable(aConfig(), 8, 0.5, 3)).toBe(5.75);
    expect(tolerable(aConfig({ evict_margin: 1 }), 8, 0.5, 3)).toBe(6.5);
  });

  test('the host has its online CPUs, or as many as the configuration says', () => {
    expect(countedCpus(aConfig(), 8)).toBe(8);
    expect(countedCpus(aConfig({ cpus: 6 }), 8)).toBe(6);
  });

  test('a sample is stale after three loops', () => {
    const config = aConfig({ main_sleep: 10 });

    expect(isStale(config, 1000, 31_000)).toBe(false);
    expect(isStale(config, 1000, 31_001)).toBe(true);
    expect(isStale(config, undefined, 31_001)).toBe(false);
  });

  test('the peak is the highest of the window, and the newest where the window is empty', () => {
    const config = aConfig({ foreign_window: 60 });
    const notes = [
      { monoMs: 0, foreign: 4, full: true, provisional: false },
      { monoMs: 30_000, foreign: 2, full: true, provisional: false },
      { monoMs: 60_000, foreign: 1, full: true, provisional: false },
    ];

    expect(peakForeign(config, notes, 59_999)).toBe(4);
    expect(peakForeign(config, notes, 60_000)).toBe(2);
    expect(peakForeign(config, notes, 300_000)).toBe(1);
    expect(peakForeign(config, [], 0)).toBeUndefined();
  });
});

describe('the numbers of a plan', () => {
  test('tell what the host has, what others use and what fits', () => {
    const story = aStory(aConfig({ max_docks: 7 }));

    const decision = story.look({ load: { busy: 5.9, own: 2 }, pilots: pilotsOf(2) });

    expect(decision.capacity).toStrictEqual({
      cpus: 8,
      slack: 0.5,
      foreign: expect.closeTo(3.9, 9) as number,
      peakForeign: expect.closeTo(3.9, 9) as number,
      room: expect.closeTo(4.6, 9) as number,
      tolerable: expect.closeTo(4.85, 9) as number,
      promised: 2,
      pilots: 2,
      maxDocks: 7,
      admissible: 4,
    });
  });

  test('are unknown without a sample, but for those that do not need one', () => {
    const decision = aStory(aConfig()).look({ load: null, pilots: pilotsOf(2) });

    expect(decision.capacity).toMatchObject({ cpus: 8, foreign: undefined, room: undefined, admissible: undefined });
    expect(decision.capacity).toMatchObject({ peakForeign: undefined, tolerable: undefined, promised: 2, pilots: 2 });
  });

  test('count as many CPUs as the configuration says', () => {
    expect(aStory(aConfig({ cpus: 4 })).look().capacity).toMatchObject({ cpus: 4, room: 4, admissible: 4 });
    expect(aStory(aConfig({ cpus: 4 })).look({ load: null }).capacity.cpus).toBe(4);
  });

  test('no pilot is admissible where others take it all', () => {
    expect(aStory(aConfig()).look({ load: { busy: 8, own: 0 } }).capacity.admissible).toBe(0);
    expect(aStory(aConfig({ cpu_headroom: 9 })).look().capacity.admissible).toBe(0);
  });

  test('fractions of a CPU add up: 24 pilots of 0.1 CPU fit in 2.4', () => {
    const config = aConfig({ cpus: 2.4, cpus_per_dock: 0.1, max_docks: 100, docks_per_loop: 100 });
    const story = aStory(config);

    expect(story.look().capacity.admissible).toBe(24);
    expect(spawnsOf(story.look({ pilots: pilotsOf(23, { cpus: 0.1 }) }))).toHaveLength(1);
    expect(spawnsOf(story.look({ pilots: pilotsOf(24, { cpus: 0.1 }) }))).toHaveLength(0);
  });

  test('the cap bounds what is admissible', () => {
    expect(aStory(aConfig({ max_docks: 3 })).look().capacity.admissible).toBe(3);
  });
});

describe('samples', () => {
  const config = aConfig({ docks_per_loop: 100, max_docks: 100 });

  test('a burst of the owner holds back new pilots for the whole window', () => {
    const story = aStory(config);
    story.look({ load: { busy: 6.5, own: 0 } });

    for (let look = 1; look < 10; look += 1) expect(story.look().capacity.peakForeign).toBe(6.5);
    expect(story.look().capacity.peakForeign).toBe(0);
  });

  test('the first, short sample counts only until there is a full one', () => {
    const story = aStory(config);

    expect(story.look({ load: { busy: 6.5, short: true } }).capacity.admissible).toBe(2);
    expect(story.look().capacity).toMatchObject({ peakForeign: 0, admissible: 8 });
  });

  test('a sample taken during a pull of ours does not raise the peak', () => {
    const story = aStory(config);
    story.look({ load: { busy: 1 }, mode: 'drain' });

    expect(story.look({ load: { busy: 6, duringPull: true } }).capacity).toMatchObject({ peakForeign: 1, foreign: 6 });
  });

  test('a sample taken during a pull of ours is good enough where there is no other', () => {
    const story = aStory(config);

    expect(spawnsOf(story.look({ load: { busy: 2.5, duringPull: true } }))).toHaveLength(6);
  });

  test('what starting pilots cost is not held against them', () => {
    const story = aStory(aConfig({ docks_per_loop: 4, start_cost: 15 }));
    expect(spawnsOf(story.look())).toHaveLength(4);

    expect(story.look({ load: { busy: 6, own: 4 }, pilots: pilotsOf(4) }).capacity.foreign).toBe(0);
    expect(story.look({ load: { busy: 6, own: 4 }, pilots: pilotsOf(8) }).capacity.foreign).toBe(0);
    expect(story.look({ load: { busy: 6, own: 4 }, pilots: pilotsOf(8) }).capacity.foreign).toBe(2);
  });

  test('pilots started between two samples are reckoned with as well', () => {
    const story = aStory(aConfig({ docks_per_loop: 2, start_cost: 15, max_docks: 4 }));
    story.look({ mode: 'drain' });
    expect(spawnsOf(story.look({ after: 1, load: null, pilots: pilotsOf(3) }))).toHaveLength(1);
    expect(spawnsOf(story.look({ after: 1, load: null, pilots: pilotsOf(3) }))).toHaveLength(1);

    expect(story.look({ load: { busy: 3, own: 2 }, pilots: pilotsOf(4) }).capacity.foreign).toBe(0);
    expect(story.look({ load: { busy: 3, own: 2 }, pilots: pilotsOf(4) }).capacity.foreign).toBe(1);
  });

  test('the same sample seen again changes nothing', () => {
    const story = aStory(config);
    story.look({ load: { busy: 1 } });
    const { samples } = story.state;
    story.look({ after: 1, load: null });

    expect(story.state.samples).toStrictEqual(samples);
  });

  test('are forgotten when no rule looks back at them any more', () => {
    const story = aStory(config);
    for (let look = 0; look < 100; look += 1) story.look();

    expect(story.state.samples).toHaveLength((300 + 3 * 30) / 30 + 1);
  });

  test('are kept for a long grace period too', () => {
    const story = aStory(aConfig({ grace_kill: 600 }));
    for (let look = 0; look < 100; look += 1) story.look();

    expect(story.state.samples).toHaveLength((600 + 3 * 30) / 30 + 1);
  });

  test('none valid for three loops: no starts, whatever the older ones say', () => {
    const story = aStory(config);
    story.look();
    const unknown = { load: { own: undefined } };

    for (let look = 1; look <= 3; look += 1) expect(spawnsOf(story.look(unknown))).toHaveLength(8);
    const held = story.look(unknown);
    expect(spawnsOf(held)).toHaveLength(0);
    expect(gatesOf(held)).toStrictEqual(['stale-sample']);
    expect(spawnsOf(story.look())).toHaveLength(8);
  });

  test('none new for three loops: no starts', () => {
    const story = aStory(config);
    story.look({ mode: 'drain' });

    expect(spawnsOf(story.look({ after: 90, load: null }))).toHaveLength(8);
    expect(gatesOf(story.look({ after: 1, load: null }))).toStrictEqual(['stale-sample']);
  });

  test('none yet: no starts', () => {
    const held = aStory(config).look({ load: null });

    expect(spawnsOf(held)).toHaveLength(0);
    expect(gatesOf(held)).toStrictEqual(['no-sample']);
  });
});
