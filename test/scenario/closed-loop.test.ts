import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { runClosedLoop } from '../../src/simulate/closed-loop.js';
import { stepLoad } from '../../src/simulate/foreign-load.js';
import type { SimulationResult } from '../../src/simulate/result.js';
import { aConfig } from '../support/plan-builders.js';
import { originalScenarios, type OriginalScenario } from './original-scenarios.js';

/** What the original's figures leave open was chosen once, so that its formulas give its figures; the same for every row. */
const CALIBRATION = { jitter: 0.2, startCost: 0.3 } as const;

function aDay(
  { ncpus, maxDocks, pilotSeconds, foreign }: OriginalScenario,
  policy: Config['policy'],
  seed = 1,
): SimulationResult {
  const { jitter, startCost } = CALIBRATION;
  return runClosedLoop({
    config: aConfig({ policy, max_docks: maxDocks }),
    hours: 24,
    wake: 'timer',
    host: {
      ncpus,
      pilot: { seconds: pilotSeconds, jitter, cpu: 1 },
      foreign,
      // The original never asked for a weight of its own.
      yields: policy === 'legacy' ? 'none' : 'cgroup',
      startCost,
      slack: Math.max(0.5, 0.02 * ncpus),
      fizzleSeconds: 10,
      seed,
    },
  });
}

describe('the formulas of the original give the figures of the original', () => {
  test.each(originalScenarios)('$name', (scenario) => {
    const { completed, evicted, wastedFraction } = aDay(scenario, 'legacy');
    const { original } = scenario;

    expect(within(completed, original.completed)).toBe(true);
    expect(within(evicted, original.evicted)).toBe(true);
    expect(within(wastedFraction, original.wastedFraction)).toBe(true);
  });
});

/** 5 %, which for nothing is nothing. */
function within(figure: number, original: number): boolean {
  return Math.abs(figure - original) <= 0.05 * original;
}

describe('the capacity model is no worse than the original in any column, and better in one', () => {
  test.each(originalScenarios)('$name', (scenario) => {
    const ours = aDay(scenario, 'capacity');

    for (const theirs of [scenario.original, aDay(scenario, 'legacy')]) {
      expect(ours.completed).toBeGreaterThan(theirs.completed);
      expect(ours.evicted).toBeLessThanOrEqual(theirs.evicted);
      expect(ours.wastedFraction).toBeLessThanOrEqual(theirs.wastedFraction);
    }
  });

  test.each(originalScenarios.filter(({ name }) => name.includes('% foreign')))(
    '$name: nobody is evicted, and what is admissible is used',
    (scenario) => {
      const ours = aDay(scenario, 'capacity');
      const admissible = ours.admissibleMean;

      expect(ours.evicted).toBe(0);
      expect(ours.pilotsMean).toBeGreaterThanOrEqual((scenario.pilotSeconds < 3600 ? 0.96 : 0.97) * admissible);
    },
  );
});

/** A full host whose owner takes half of it from the first hour on, for four hours. */
function ownerTakesHalf(ncpus: number, changes: Partial<Config>, phase = 0): SimulationResult {
  const config = aConfig({ max_docks: ncpus, docks_per_loop: ncpus, ...changes });
  const foreign = stepLoad([
    { at: 0, cpus: 0 },
    { at: 3600 + phase, cpus: ncpus / 2 },
    { at: 5 * 3600 + phase, cpus: 0 },
  ]);
  return runClosedLoop({
    config,
    hours: 6,
    wake: 'timer',
    host: {
      ncpus,
      pilot: { seconds: 48 * 3600, jitter: 0, cpu: 1 },
      foreign,
      yields: config.policy === 'legacy' ? 'none' : 'cgroup',
      startCost: 0.3,
      slack: Math.max(0.5, 0.02 * ncpus),
      fizzleSeconds: 10,
      seed: 1,
    },
  });
}

describe('an owner who takes half of a full host', () => {
  test.each([24, 64])('waits in vain with the formulas of the original (%d CPUs)', (ncpus) => {
    const { evicted, overcommittedSeconds } = ownerTakesHalf(ncpus, { policy: 'legacy', max_docks: ncpus - 2 });

    expect(evicted).toBe(0);
    expect(overcommittedSeconds / 30).toBe(480);
  });

  test.each([
    { ncpus: 24, main_sleep: 30, grace_kill: 120 },
    { ncpus: 64, main_sleep: 30, grace_kill: 120 },
    { ncpus: 24, main_sleep: 10, grace_kill: 100 },
    { ncpus: 24, main_sleep: 7, grace_kill: 100 },
    { ncpus: 24, main_sleep: 300, grace_kill: 120 },
    { ncpus: 24, main_sleep: 30, grace_kill: 0 },
    { ncpus: 2, main_sleep: 30, grace_kill: 120 },
  ])('gets it within the grace period and two loops, and no pilot more than needed goes: %o', (row) => {
    const { ncpus, main_sleep, grace_kill } = row;
    // Nobody is judged by less than two samples, so grace_kill 0 means one loop.
    const bound = (Math.max(1, Math.ceil(grace_kill / main_sleep)) + 2) * main_sleep;
    const slack = Math.max(0.5, 0.02 * ncpus);
    const fewest = Math.ceil(ncpus / 2 - slack - 0.25);
    for (const phase of [0, 0.01, 0.3, 0.6, 0.99]) {
      const result = ownerTakesHalf(ncpus, { main_sleep, grace_kill }, phase * main_sleep);

      expect(result.evicted).toBe(fewest);
      expect(result.overcommittedSeconds).toBeLessThanOrEqual(bound);
      expect(result.ownerSlowdownFraction).toBeCloseTo(0, 9);
      // One lesson is no reason to leave the host empty once he has gone.
      expect(result.pilotsAtEnd).toBe(ncpus);
    }
  });

  test('gets it as well where pilots do not yield', () => {
    const config = aConfig({ max_docks: 24, docks_per_loop: 24 });
    const result = runClosedLoop({
      config,
      hours: 4,
      wake: 'timer',
      host: {
        ncpus: 24,
        pilot: { seconds: 48 * 3600, jitter: 0, cpu: 1 },
        foreign: stepLoad([
          { at: 0, cpus: 0 },
          { at: 3600, cpus: 12 },
        ]),
        yields: 'none',
        startCost: 0.3,
        slack: 0.5,
        fizzleSeconds: 10,
        seed: 1,
      },
    });

    expect(result.evicted).toBe(12);
    // Half a share is all he shows at first: each round of evictions shows more of what he wants.
    expect(result.overcommittedSeconds).toBeLessThanOrEqual(120 + 5 * 30);
  });
});

/** A site of nothing but pilots: their helpers cost more with each pilot, and more yet while it is young. */
function hltSite(changes: Partial<Config>): SimulationResult {
  return runClosedLoop({
    config: aConfig({
      main_sleep: 10,
      grace_kill: 100,
      grace_spawn: 100,
      cpus_per_dock: 1,
      max_docks: 24,
      max_ttl: 172_800,
      max_dock_mem: 2_750_000_000,
      max_dock_swap: 1_000_000_000,
      ...changes,
    }),
    hours: 48,
    wake: 'timer',
    host: {
      ncpus: 24,
      pilot: { seconds: 4 * 3600, jitter: 0.2, cpu: 1 },
      foreign: {
        wantedAt: (seconds, pilots) => {
          const young = pilots.filter(({ bornSeconds }) => seconds - bornSeconds < 300);
          return 0.3 + 0.05 * pilots.length + 0.1 * young.length;
        },
        changesAfter: (seconds) => seconds + 10,
      },
      yields: 'cgroup',
      startCost: 0.3,
      slack: 0.5,
      fizzleSeconds: 10,
      seed: 1,
    },
  });
}

describe('a dedicated site whose helpers work harder the more pilots there are', () => {
  test('is full where the host is given to pilots (evict: never)', () => {
    const { evicted, pilotsMean } = hltSite({ evict: 'never' });

    expect(evicted).toBe(0);
    expect(pilotsMean).toBeGreaterThanOrEqual(0.99 * 24);
  });

  test('does not start pilots over and over to evict them again with the defaults', () => {
    const { evicted, evictedAt, pilotsMean } = hltSite({});

    // Young pilots cost more than old ones, which shows only when they are there: one too many at first, never again.
    expect(evicted).toBeLessThanOrEqual(1);
    expect(Math.max(0, ...evictedAt)).toBeLessThan(600);
    expect(pilotsMean).toBeGreaterThanOrEqual(22);
  });

  test('learns from what it did at first where all pilots are started at once', () => {
    const { evicted, evictedAt, pilotsMean } = hltSite({ docks_per_loop: 24 });

    expect(evicted).toBeLessThanOrEqual(3);
    expect(Math.max(0, ...evictedAt)).toBeLessThan(600);
    expect(pilotsMean).toBeGreaterThanOrEqual(22);
  });
});

describe('24 dedicated CPUs and pilots of 60 s', () => {
  function aDayOfShortPilots(wake: 'timer' | 'events'): SimulationResult {
    return runClosedLoop({
      config: aConfig({ max_docks: 24 }),
      hours: 24,
      wake,
      host: {
        ncpus: 24,
        pilot: { seconds: 60, jitter: 0.2, cpu: 1 },
        foreign: stepLoad([]),
        yields: 'cgroup',
        startCost: 0,
        slack: 0.5,
        fizzleSeconds: 10,
        seed: 1,
      },
    });
  }

  test('end in three quarters of all that could be where the loop only polls', () => {
    expect(aDayOfShortPilots('timer').completed).toBeGreaterThanOrEqual(0.75 * 34_560);
  });

  test('end in all that could be where each end wakes the loop', () => {
    const { completed } = aDayOfShortPilots('events');

    expect(completed).toBeGreaterThanOrEqual(34_300);
    expect(completed).toBeLessThanOrEqual(34_560);
  });
});

describe('pilots that use a tenth of their CPUs', () => {
  test('are left alone while CPUs are idle, however busy the owner', () => {
    const result = runClosedLoop({
      config: aConfig({ max_docks: 24, docks_per_loop: 24 }),
      hours: 6,
      wake: 'timer',
      host: {
        ncpus: 24,
        pilot: { seconds: 7200, jitter: 0.2, cpu: 0.1 },
        foreign: stepLoad([
          { at: 0, cpus: 0 },
          { at: 7200, cpus: 20 },
        ]),
        yields: 'cgroup',
        startCost: 0.3,
        slack: 0.5,
        fizzleSeconds: 10,
        seed: 1,
      },
    });

    expect(result.evicted).toBe(0);
  });
});

test('the same scenario gives the same result, another seed another', () => {
  const [burst] = originalScenarios.filter(({ name }) => name.includes('4 CPUs for'));
  if (burst === undefined) throw new Error('no such scenario');

  expect(aDay(burst, 'capacity')).toStrictEqual(aDay(burst, 'capacity'));
  expect(aDay(burst, 'capacity')).not.toStrictEqual(aDay(burst, 'capacity', 2));
});
