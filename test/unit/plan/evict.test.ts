import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/decision.js';
import type { State } from '../../../src/plan/state.js';
import { anInFlight } from '../../support/builders.js';
import {
  aConfig,
  aStory,
  evictedBy,
  gatesOf,
  pilotsOf,
  removalsOf,
  spawnsOf,
  withPilot,
  type Look,
  type Story,
} from '../../support/plan-builders.js';

const config = aConfig();

/** Eight busy pilots beside an owner who wants `foreign` of eight CPUs. */
function crowded(foreign: number, look: Look = {}): Look {
  const { load, ...rest } = look;
  return { pilots: pilotsOf(8), ...rest, load: { busy: 8, own: 8 - foreign, ...load } };
}

/** Looks every 30 s until pilots are evicted; how many looks it took, and what was planned then. */
function untilEviction(
  story: Story,
  look: Look,
  most = 20,
): { readonly looks: number; readonly decision: Plan<State> } {
  for (let looks = 1; looks <= most; looks += 1) {
    const decision = story.look(look);
    if (evictedBy(decision).length > 0) return { looks, decision };
  }
  throw new Error(`nobody was evicted in ${most} looks`);
}

describe('where pilots yield', () => {
  test('the surplus goes, youngest first, all at once, when grace_kill has been spanned', () => {
    const story = aStory(config);
    const { looks, decision } = untilEviction(story, crowded(3.5));

    expect(looks).toBe(5);
    expect(evictedBy(decision)).toStrictEqual(['p007', 'p006', 'p005']);
    expect(removalsOf(decision).map(({ stopSeconds }) => stopSeconds)).toStrictEqual([10, 10, 10]);
  });

  test.each([
    { foreign: 0.75, evicted: 0 },
    { foreign: 0.76, evicted: 1 },
    { foreign: 1.75, evicted: 1 },
    { foreign: 1.76, evicted: 2 },
    { foreign: 8, evicted: 8 },
  ])('beside $foreign CPUs of the owner $evicted of eight go', ({ foreign, evicted }) => {
    const story = aStory(config);
    const counts = Array.from({ length: 6 }, () => evictedBy(story.look(crowded(foreign))).length);

    expect(counts).toStrictEqual([0, 0, 0, 0, evicted, evicted]);
  });

  test('the kindest sample of the grace period decides', () => {
    const story = aStory(config);
    for (const foreign of [4, 4, 1.5, 4]) story.look(crowded(foreign));

    expect(evictedBy(story.look(crowded(4)))).toStrictEqual(['p007']);
    expect(evictedBy(story.look(crowded(4)))).toStrictEqual(['p007']);
    expect(evictedBy(story.look(crowded(4)))).toStrictEqual(['p007']);
    expect(evictedBy(story.look(crowded(4)))).toHaveLength(4);
  });

  test('a sample a hair younger than grace_kill spans it', () => {
    const story = aStory(config);
    for (let look = 0; look < 4; look += 1) story.look(crowded(4));

    expect(evictedBy(story.look(crowded(4, { after: 28.5 })))).toHaveLength(4);
  });

  test('a sample more than a hair younger does not', () => {
    const story = aStory(config);
    for (let look = 0; look < 4; look += 1) story.look(crowded(4));

    expect(evictedBy(story.look(crowded(4, { after: 28.4 })))).toHaveLength(0);
  });

  test('with grace_kill 0 two samples in a row decide', () => {
    const story = aStory(aConfig({ grace_kill: 0 }));

    expect(evictedBy(story.look(crowded(4)))).toHaveLength(0);
    expect(evictedBy(story.look(crowded(2)))).toHaveLength(2);
    expect(evictedBy(story.look(crowded(4)))).toHaveLength(2);
    expect(evictedBy(story.look(crowded(4)))).toHaveLength(4);
  });

  test('pilots that are being removed are no surplus any more', () => {
    const story = aStory(config);
    const { decision } = untilEviction(story, crowded(3.5));
    const removing = removalsOf(decision).map(({ pilot }) => pilot.id);

    expect(evictedBy(story.look(crowded(3.5, { inFlight: anInFlight({ removing }) })))).toHaveLength(0);
  });

  test('pilots that expire in the same cycle are no surplus any more', () => {
    const story = aStory(config);
    const pilots = withPilot(pilotsOf(8), 0, { spawnedBootMs: 0 });
    for (let look = 0; look < 4; look += 1) story.look(crowded(3.5, { pilots }));
    const decision = story.look(crowded(3.5, { pilots, config: aConfig({ max_ttl: 3600 }) }));

    expect(removalsOf(decision).map(({ pilot, reason }) => `${pilot.name} ${reason}`)).toStrictEqual([
      'p000 expired',
      'p007 evicted',
      'p006 evicted',
    ]);
  });

  test('larger pilots go only as far as they must', () => {
    const story = aStory(config);
    const pilots = withPilot(pilotsOf(3, { cpus: 3 }), 2, { cpus: 0.5 });
    const { decision } = untilEviction(story, crowded(4, { pilots }));

    expect(evictedBy(decision)).toStrictEqual(['p002', 'p001']);
  });

  test('only running pilots are counted and evicted', () => {
    const story = aStory(config);
    const pilots = withPilot(withPilot(pilotsOf(8), 7, { state: 'paused' }), 6, { state: 'created' });
    const { decision } = untilEviction(story, crowded(3.5, { pilots }));

    expect(evictedBy(decision)).toStrictEqual(['p005']);
  });

  test('pilots of the same age go in the order of their names', () => {
    const story = aStory(config);
    const pilots = pilotsOf(8, { spawnedBootMs: 1_800_000 }).toReversed();

    expect(evictedBy(untilEviction(story, crowded(1.5, { pilots })).decision)).toStrictEqual(['p000']);
  });

  test('nobody goes while the host is not full: nobody is crowded out', () => {
    const story = aStory(config);
    const roomy = { pilots: pilotsOf(8), load: { busy: 7.49, own: 1 } };
    for (let look = 0; look < 9; look += 1) expect(evictedBy(story.look(roomy))).toHaveLength(0);

    expect(gatesOf(story.look(roomy))).toContain('not-crowded');
    // What wakes the loop in between has no opinion, and so the reason does not come and go.
    expect(gatesOf(story.look({ ...roomy, load: null, after: 1 }))).toContain('not-crowded');
  });

  test('who was not crowded out has his grace period from when he is', () => {
    const story = aStory(config);
    const pilots = pilotsOf(8);
    for (let look = 0; look < 9; look += 1) story.look({ pilots, load: { busy: 7.49, own: 1 } });
    const full = { pilots, load: { busy: 7.5, own: 1 } };
    const counts = Array.from({ length: 6 }, () => evictedBy(story.look(full)).length);
    expect(counts).toStrictEqual([0, 0, 0, 0, 6, 6]);
    expect(gatesOf(story.look({ pilots, load: { busy: 7.49, own: 1 } }))).toContain('not-crowded');
    expect(evictedBy(story.look(full))).toHaveLength(0);
  });

  test.each([
    { cpu_slack: 0, busy: 7.5, own: 4, evicted: 4 },
    { cpu_slack: 0, busy: 7.4, own: 4, evicted: 0 },
    { cpu_slack: 3, busy: 5, own: 0, evicted: 2 },
    { cpu_slack: 3, busy: 4.9, own: 0, evicted: 0 },
  ])(
    'with cpu_slack $cpu_slack a host with $busy of 8 CPUs busy loses $evicted',
    ({ cpu_slack, busy, own, evicted }) => {
      const story = aStory({ ...config, cpu_slack });
      const looks = Array.from({ length: 6 }, () =>
        evictedBy(story.look({ pilots: pilotsOf(8), load: { busy, own } })),
      );
      expect(looks.at(-1)).toHaveLength(evicted);
    },
  );

  test('a host of which pilots get a part is full when it is, and not when that part is', () => {
    const part = aStory({ ...config, cpus: 4 });
    const idle = { pilots: pilotsOf(4), load: { cpus: 24, busy: 10, own: 4 } };
    for (let look = 0; look < 9; look += 1) expect(evictedBy(part.look(idle))).toHaveLength(0);
    const more = aStory({ ...config, cpus: 30 });
    const taken = { pilots: pilotsOf(30), load: { cpus: 24, busy: 24, own: 0 } };
    expect(evictedBy(untilEviction(more, taken).decision)).toHaveLength(24);
  });

  test('nobody goes because the cap was lowered', () => {
    const story = aStory(config);
    for (let look = 0; look < 9; look += 1) {
      expect(removalsOf(story.look(crowded(0, { config: aConfig({ max_docks: 1 }) })))).toHaveLength(0);
    }
  });

  test('evict: never evicts nobody, and says so where pilots were promised more than there is', () => {
    const story = aStory(aConfig({ evict: 'never', cpus: 6 }));
    for (let look = 0; look < 9; look += 1) {
      const decision = story.look(crowded(5));
      expect(evictedBy(decision)).toHaveLength(0);
      expect(gatesOf(decision).includes('evict-off')).toBe(look >= 4);
    }
  });

  test('samples taken during a pull of ours do not count', () => {
    const story = aStory(config);
    for (let look = 0; look < 9; look += 1) {
      expect(evictedBy(story.look(crowded(4, { load: { duringPull: true } })))).toHaveLength(0);
    }
    for (let look = 0; look < 4; look += 1) expect(evictedBy(story.look(crowded(4)))).toHaveLength(0);
    expect(evictedBy(story.look(crowded(4)))).toHaveLength(4);
    expect(evictedBy(story.look(crowded(4, { load: { duringPull: true } })))).toHaveLength(0);
  });

  test('the first, short sample does not count', () => {
    const story = aStory(config);
    story.look(crowded(4, { load: { short: true } }));
    for (let look = 0; look < 4; look += 1) expect(evictedBy(story.look(crowded(4)))).toHaveLength(0);

    expect(evictedBy(story.look(crowded(4)))).toHaveLength(4);
  });

  test('nobody is judged twice by the same sample', () => {
    const story = aStory(config);
    untilEviction(story, crowded(3.5));

    expect(evictedBy(story.look({ pilots: pilotsOf(8), load: null, after: 1 }))).toHaveLength(0);
  });

  test('nobody is judged while our own share is unknown', () => {
    const story = aStory(config);
    for (let look = 0; look < 4; look += 1) story.look(crowded(4));

    expect(evictedBy(story.look(crowded(4, { load: { own: undefined } })))).toHaveLength(0);
    expect(evictedBy(story.look(crowded(4)))).toHaveLength(4);
  });

  test('nobody is judged by a sample that is new and yet old', () => {
    for (const { age, evicted } of [
      { age: 90, evicted: 4 },
      { age: 91, evicted: 0 },
    ]) {
      const story = aStory(aConfig({ grace_kill: 0 }));
      story.look(crowded(4));

      const load = { monoMs: 3_600_000 + (100 - age) * 1000 };
      expect(evictedBy(story.look(crowded(4, { after: 100, load })))).toHaveLength(evicted);
    }
  });

  test.each(['drain', 'drain-stop'] as const)('the owner gets room in %s too', (mode) => {
    expect(evictedBy(untilEviction(aStory(config), crowded(3.5, { mode })).decision)).toHaveLength(3);
  });
});

describe('where pilots do not yield', () => {
  const base = { yields: 'none' } as const;

  test('slack is none, and every sample with an excess evicts once grace_kill has run', () => {
    const story = aStory(config, base);
    const counts = [0.26, 0.26, 3, 0.26, 0.26, 3].map((foreign) => evictedBy(story.look(crowded(foreign))).length);

    expect(counts).toStrictEqual([0, 0, 0, 0, 1, 3]);
  });

  test('a sample without an excess does not end the pressure, a whole grace period does', () => {
    const story = aStory(config, base);
    for (let look = 0; look < 5; look += 1) story.look(crowded(2));
    for (let look = 0; look < 4; look += 1) expect(evictedBy(story.look(crowded(0)))).toHaveLength(0);
    expect(story.state.pressure).toBeUndefined();

    expect(evictedBy(story.look(crowded(2)))).toHaveLength(0);
  });

  test('within the grace period the pressure lasts', () => {
    const story = aStory(config, base);
    for (let look = 0; look < 5; look += 1) story.look(crowded(2));
    for (let look = 0; look < 3; look += 1) story.look(crowded(0));

    expect(evictedBy(story.look(crowded(2)))).toHaveLength(2);
  });

  test('nobody goes while the host is not full', () => {
    const story = aStory(config, base);
    for (let look = 0; look < 9; look += 1) {
      expect(evictedBy(story.look({ pilots: pilotsOf(8), load: { busy: 7.4, own: 1 } }))).toHaveLength(0);
    }
  });

  test('what was held against pilots is forgotten once they yield', () => {
    const story = aStory(config, base);
    for (let look = 0; look < 5; look += 1) story.look(crowded(2));
    story.look(crowded(0, { yields: 'cgroup' }));

    expect(story.state.pressure).toBeUndefined();
  });
});

describe('after an eviction', () => {
  /** Evicts by an owner who takes half, then lets him go; the seconds until growth begins. */
  function secondsUntilGrowth(story: Story): number {
    const { decision } = untilEviction(story, crowded(4));
    expect(spawnsOf(decision)).toHaveLength(0);
    for (let seconds = 5; seconds <= 8000; seconds += 5) {
      const look = { after: 5, pilots: pilotsOf(4), load: { busy: 4, own: 4 } };
      if (spawnsOf(story.look(look)).length > 0) return seconds;
    }
    throw new Error('no growth');
  }
  const quick = aConfig({ foreign_window: 0, max_docks: 8 });

  test('growth waits for grace_spawn', () => {
    expect(secondsUntilGrowth(aStory(quick))).toBe(60);
    expect(secondsUntilGrowth(aStory({ ...quick, grace_spawn: 200 }))).toBe(200);
  });

  test('growth goes on at the end of the cool-down, between samples', () => {
    const story = aStory(quick);
    untilEviction(story, crowded(4));
    const held = story.look({ after: 59, pilots: pilotsOf(4) });
    expect(gatesOf(held)).toStrictEqual(['cool-down']);
    expect(held.holds[0]?.text).toBe('no growth for another 1 s after an eviction');
    expect(held.wakeInMs).toBe(1000);

    const decision = story.look({ after: 1, load: null, pilots: pilotsOf(4) });
    expect(spawnsOf(decision)).toHaveLength(4);
    expect(decision.wakeInMs).not.toBe(0);
  });

  test('replacement goes on', () => {
    const story = aStory(quick);
    untilEviction(story, crowded(4));

    const decision = story.look({ after: 5, pilots: pilotsOf(3), load: { busy: 8, own: 4 } });
    expect(spawnsOf(decision).map(({ reason }) => reason)).toStrictEqual(['replacement']);
  });

  test('the slots of the evicted are not refilled', () => {
    const story = aStory(quick);
    untilEviction(story, crowded(4));

    expect(spawnsOf(story.look({ after: 5, pilots: pilotsOf(4), load: { busy: 4, own: 4 } }))).toHaveLength(0);
  });

  test('an evicted pilot that is still listed as exited is no end to replace', () => {
    const story = aStory(quick);
    untilEviction(story, crowded(4));
    const pilots = pilotsOf(8).map((pilot, index) => (index < 4 ? pilot : { ...pilot, state: 'exited' as const }));

    expect(spawnsOf(story.look({ after: 5, pilots, load: { busy: 4, own: 4 } }))).toHaveLength(0);
  });

  test('the wait doubles each time growth led to another one, up to an hour', () => {
    const story = aStory(quick);
    const waits = Array.from({ length: 8 }, () => secondsUntilGrowth(story));

    expect(waits).toStrictEqual([60, 120, 240, 480, 960, 1920, 3600, 3600]);
  });

  test('the doubling begins at a minute where grace_spawn is 0', () => {
    const story = aStory({ ...quick, grace_spawn: 0 });
    const waits = Array.from({ length: 3 }, () => secondsUntilGrowth(story));

    expect(waits).toStrictEqual([5, 60, 120]);
  });

  test('a wait configured to be longer than an hour stays as long', () => {
    const story = aStory({ ...quick, grace_spawn: 5000 });

    expect([secondsUntilGrowth(story), secondsUntilGrowth(story)]).toStrictEqual([5000, 5000]);
  });

  test('a second eviction without growth in between does not double', () => {
    const story = aStory(quick);
    untilEviction(story, crowded(4));
    const { decision } = untilEviction(story, crowded(6, { pilots: pilotsOf(4), load: { own: 2 } }));

    expect(evictedBy(decision)).toHaveLength(2);
    expect(story.state.eviction).toMatchObject({ holdMs: 60_000, grownSince: false });
  });

  test('a second eviction soon after a lesson does not unlearn it', () => {
    const story = aStory(quick);
    secondsUntilGrowth(story);
    untilEviction(story, crowded(4));
    untilEviction(story, crowded(6, { pilots: pilotsOf(4), load: { own: 2 } }));

    expect(story.state.eviction).toMatchObject({ holdMs: 120_000 });
  });

  test('the lesson is forgotten after a quiet hour', () => {
    const story = aStory(quick);
    secondsUntilGrowth(story);
    secondsUntilGrowth(story);
    story.look({ after: 3600, pilots: pilotsOf(8) });

    expect(secondsUntilGrowth(story)).toBe(60);
  });
});
