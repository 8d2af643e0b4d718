import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { runClosedLoop } from '../../src/simulate/closed-loop.js';
import { stepLoad } from '../../src/simulate/foreign-load.js';
import type { SimulationResult } from '../../src/simulate/result.js';
import type { Scenario } from '../../src/simulate/scenario.js';
import type { HostOptions } from '../../src/simulate/simulated-host.js';
import { simulate } from '../../src/simulate/simulate.js';
import { aConfig } from '../support/plan-builders.js';
import { readShipped } from '../support/shipped-scenario.js';
import { originalScenarios } from './original-scenarios.js';

/** What came of a shipped scenario, perhaps with some of its settings changed. */
async function run(name: string, config: Partial<Config> = {}, scenario: Partial<Scenario> = {}) {
  const shipped = await readShipped(name);
  return simulate({ ...shipped.scenario, ...scenario }, { ...shipped.config, ...config });
}

describe('the formulas of the original give the figures of the original', () => {
  test.each(originalScenarios)('$name', async ({ name, original }) => {
    const { completed, evicted, wastedFraction } = await run(name, { policy: 'legacy' });

    expect(within(completed, original.completed)).toBe(true);
    expect(within(evicted, original.evicted)).toBe(true);
    expect(within(wastedFraction, original.wastedFraction)).toBe(true);
  });
});

/** 5 %, which for nothing is nothing. */
function within(figure: number, original: number): boolean {
  return Math.abs(figure - original) <= 0.05 * original;
}

/** 24 CPUs that nobody else wants. */
function host24(pilot: HostOptions['pilot']): HostOptions {
  return {
    ...{ ncpus: 24, pilot, foreign: stepLoad([]), yields: 'cgroup' },
    ...{ startCost: 0.3, slack: 0.5, fizzleSeconds: 10, seed: 1 },
  };
}

describe('a queue of jobs of which a few are short', () => {
  /** Pilots at a time in the last three of five hours, of 64 CPUs; from the first hour on there is no work for ten minutes. */
  function pilotsAfter(quiet: boolean): number {
    const pilot = { seconds: 120, jitter: 0.97, cpu: 1 };
    let sum = 0;
    let [lastSeconds, lastPilots] = [0, 0];
    runClosedLoop({
      config: aConfig({ max_docks: 64 }),
      hours: 5,
      wake: 'events',
      host: {
        ...{ ncpus: 64, pilot, foreign: stepLoad([]), yields: 'cgroup' },
        ...{ startCost: 0.3, slack: 1.28, fizzleSeconds: 10, seed: 1 },
      },
      onCycle: (seconds, _, { capacity }) => {
        if (seconds > 7200) sum += lastPilots * (seconds - Math.max(lastSeconds, 7200));
        [lastSeconds, lastPilots] = [seconds, capacity.pilots];
        Object.assign(
          pilot,
          quiet && seconds > 3600 && seconds < 4200 ? { seconds: 2, jitter: 0 } : { seconds: 120, jitter: 0.97 },
        );
      },
    });
    return sum / 10_800;
  }

  test.each([
    [13, 30],
    [22, 20],
  ])('keeps the host filled with %i %% of jobs that are over at once', (_, seconds) => {
    const pilot = { seconds, jitter: 0.9, cpu: 1 };
    const { pilotsMean } = runClosedLoop({
      ...{ config: aConfig({ max_docks: 22 }), hours: 2, wake: 'events' },
      host: host24(pilot),
    });

    expect(pilotsMean).toBeGreaterThan(0.85 * 22);
  });

  test('costs one short pilot for each pause where there is a job now and then', () => {
    // One job of two minutes every ten; who finds none waits for three seconds.
    let [jobs, shorts, openings, wasOpen, now] = [0, 0, 0, false, 0];
    const pilot = {
      ...{ jitter: 0, cpu: 1 },
      get seconds() {
        const isThere = now >= 600 * jobs;
        if (isThere) jobs += 1;
        else shorts += 1;
        return isThere ? 120 : 3;
      },
    };
    const { spawned } = runClosedLoop({
      ...{ config: aConfig({ max_docks: 22 }), hours: 12, wake: 'events' },
      host: host24(pilot),
      onCycle: (seconds, _, { state: { breaker } }) => {
        now = seconds;
        if (breaker.open !== undefined && !wasOpen) openings += 1;
        wasOpen = breaker.open !== undefined;
      },
    });

    expect(jobs).toBeGreaterThan(70);
    expect(spawned).toBe(jobs + shorts);
    // At most five minutes each; what comes first is not held back yet.
    expect(shorts).toBeLessThan(10 + (12 * 3600) / 300 + openings);
  });

  test('fills the host after a quiet spell as it did before', () => {
    const undisturbed = pilotsAfter(false);

    expect(undisturbed).toBeGreaterThan(0.95 * 64);
    expect(pilotsAfter(true)).toBeGreaterThan(0.99 * undisturbed);
  });
});

describe('a host that others use half of', () => {
  test.each([0.3, 5])('takes no more of a full host than others leave, whatever a start costs: %f', (startCost) => {
    const pilot = { seconds: 20, jitter: 0.1, cpu: 1 };
    const { overcommittedSeconds, admissibleMean } = runClosedLoop({
      ...{ config: aConfig({ max_docks: 24, start_cost: startCost }), hours: 1, wake: 'events' },
      host: { ...host24(pilot), startCost, foreign: stepLoad([{ at: 0, cpus: 12 }]) },
    });

    expect(overcommittedSeconds).toBe(0);
    expect(admissibleMean).toBeLessThanOrEqual(12);
  });
});

describe('the capacity model is no worse than the original in any column, and better in one', () => {
  test.each(originalScenarios)('$name', async ({ name, original }) => {
    const ours = await run(name);

    for (const theirs of [original, await run(name, { policy: 'legacy' })]) {
      expect(ours.completed).toBeGreaterThan(theirs.completed);
      expect(ours.evicted).toBeLessThanOrEqual(theirs.evicted);
      expect(ours.wastedFraction).toBeLessThanOrEqual(theirs.wastedFraction);
    }
  });

  test.each(originalScenarios.filter(({ name }) => !name.startsWith('bursts')))(
    '$name: nobody is evicted, and what is admissible is used',
    async ({ name }) => {
      const ours = await run(name);

      expect(ours.evicted).toBe(0);
      expect(ours.pilotsMean).toBeGreaterThanOrEqual(0.97 * ours.admissibleMean);
    },
  );
});

/** A full host whose owner takes half of it from the first hour on, for four hours. */
function ownerTakesHalf(ncpus: number, changes: Partial<Config>, phase = 0): Promise<SimulationResult> {
  const foreign = [
    { at: 0, cpus: 0 },
    { at: 3600 + phase, cpus: ncpus / 2 },
    { at: 5 * 3600 + phase, cpus: 0 },
  ];
  return run('owner-step-24-cpus', { max_docks: ncpus, docks_per_loop: ncpus, ...changes }, { ncpus, foreign });
}

describe('an owner who takes half of a full host', () => {
  test.each(['owner-step-24-cpus', 'owner-step-64-cpus'])(
    'waits in vain with the formulas of the original (%s)',
    async (name) => {
      const { scenario } = await readShipped(name);
      const cap = scenario.ncpus - 2;
      const { evicted, overcommittedSeconds } = await run(name, { policy: 'legacy', max_docks: cap });

      expect(evicted).toBe(0);
      expect(overcommittedSeconds / 30).toBe(480);
    },
  );

  test.each([
    { name: 'owner-step-24-cpus', fewest: 12 },
    { name: 'owner-step-64-cpus', fewest: 31 },
  ])('gets it soon, and the fewest pilots go ($name)', async ({ name, fewest }) => {
    const { evicted, overcommittedSeconds, ownerSlowdownFraction } = await run(name);

    expect(evicted).toBe(fewest);
    expect(overcommittedSeconds).toBeLessThanOrEqual(120 + 2 * 30);
    expect(ownerSlowdownFraction).toBeCloseTo(0, 9);
  });

  test.each([
    { ncpus: 24, main_sleep: 30, grace_kill: 120 },
    { ncpus: 64, main_sleep: 30, grace_kill: 120 },
    { ncpus: 24, main_sleep: 10, grace_kill: 100 },
    { ncpus: 24, main_sleep: 7, grace_kill: 100 },
    { ncpus: 24, main_sleep: 300, grace_kill: 120 },
    { ncpus: 24, main_sleep: 30, grace_kill: 0 },
    { ncpus: 2, main_sleep: 30, grace_kill: 120 },
  ])('gets it within the grace period and two loops, and no pilot more than needed goes: %o', async (row) => {
    const { ncpus, main_sleep, grace_kill } = row;
    // Nobody is judged by less than two samples, so grace_kill 0 means one loop.
    const bound = (Math.max(1, Math.ceil(grace_kill / main_sleep)) + 2) * main_sleep;
    const slack = Math.max(0.5, 0.02 * ncpus);
    const fewest = Math.ceil(ncpus / 2 - slack - 0.25);
    for (const phase of [0, 0.01, 0.3, 0.6, 0.99]) {
      const result = await ownerTakesHalf(ncpus, { main_sleep, grace_kill }, phase * main_sleep);

      expect(result.evicted).toBe(fewest);
      expect(result.overcommittedSeconds).toBeLessThanOrEqual(bound);
      expect(result.ownerSlowdownFraction).toBeCloseTo(0, 9);
      // One lesson is no reason to leave the host empty once he has gone.
      expect(result.pilotsAtEnd).toBe(ncpus);
    }
  });

  test('has them stand still where that is asked for, and they go on once he has gone', async () => {
    const reclaim: Config['reclaim'] = ['freeze', 'stop'];
    const patient = await ownerTakesHalf(24, { reclaim, freeze_max: 6 * 3600 });
    expect(patient).toMatchObject({ evicted: 0, wastedFraction: 0, pilotsAtEnd: 24 });
    expect(patient.overcommittedSeconds).toBeLessThanOrEqual(120 + 2 * 30);
    expect(patient.pilotsMean).toBeLessThan((await ownerTakesHalf(24, { evict: 'never' })).pilotsMean);

    const impatient = await ownerTakesHalf(24, { reclaim, freeze_max: 600 });
    expect(impatient).toMatchObject({ evicted: 12, pilotsAtEnd: 24 });
  });

  test('gets it as well where pilots do not yield', async () => {
    const foreign = [
      { at: 0, cpus: 0 },
      { at: 3600, cpus: 12 },
    ];
    const result = await run('owner-step-24-cpus', { nice: false }, { hours: 4, foreign });

    expect(result.evicted).toBe(12);
    // Half a share is all he shows at first: each round of evictions shows more of what he wants.
    expect(result.overcommittedSeconds).toBeLessThanOrEqual(120 + 5 * 30);
  });
});

/** A site of nothing but pilots: their helpers cost more with each pilot, and more yet while it is young. */
async function siteWithHelpers(changes: Partial<Config>): Promise<SimulationResult> {
  const { scenario, config } = await readShipped('hlt-site');
  const { ncpus, hours, pilot, seed } = scenario;
  return runClosedLoop({
    config: { ...config, ...changes },
    hours,
    wake: 'timer',
    host: {
      ncpus,
      pilot,
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
      seed,
    },
  });
}

describe('a dedicated site', () => {
  test('is full where the host is given to pilots, whatever works for them', async () => {
    const { evicted, pilotsMean } = await run('hlt-site');

    expect(evicted).toBe(0);
    expect(pilotsMean).toBeGreaterThanOrEqual(0.99 * 24);
  });
});

describe('a dedicated site whose helpers work harder the more pilots there are', () => {
  test('is full where the host is given to pilots (evict: never)', async () => {
    const { evicted, pilotsMean } = await siteWithHelpers({ evict: 'never' });

    expect(evicted).toBe(0);
    expect(pilotsMean).toBeGreaterThanOrEqual(0.99 * 24);
  });

  test('does not start pilots over and over to evict them again with the defaults', async () => {
    const { evicted, evictedAt, pilotsMean } = await siteWithHelpers({ evict: 'always' });

    // Young pilots cost more than old ones, which shows only when they are there: one too many at first, never again.
    expect(evicted).toBeLessThanOrEqual(1);
    expect(Math.max(0, ...evictedAt)).toBeLessThan(600);
    expect(pilotsMean).toBeGreaterThanOrEqual(22);
  });

  test('learns from what it did at first where all pilots are started at once', async () => {
    const { evicted, evictedAt, pilotsMean } = await siteWithHelpers({ evict: 'always', docks_per_loop: 24 });

    expect(evicted).toBeLessThanOrEqual(4);
    expect(Math.max(0, ...evictedAt)).toBeLessThan(600);
    expect(pilotsMean).toBeGreaterThanOrEqual(22);
  });
});

describe('24 dedicated CPUs and pilots of 60 s', () => {
  test('end in three quarters of all that could be where the loop only polls', () => {
    const { completed } = runClosedLoop({
      config: aConfig({ max_docks: 24 }),
      hours: 24,
      wake: 'timer',
      host: {
        ncpus: 24,
        pilot: { seconds: 60, jitter: 0.2, cpu: 1 },
        foreign: { wantedAt: () => 0, changesAfter: () => Infinity },
        yields: 'cgroup',
        startCost: 0,
        slack: 0.5,
        fizzleSeconds: 10,
        seed: 1,
      },
    });

    expect(completed).toBeGreaterThanOrEqual(0.75 * 34_560);
  });

  test('end in all that could be where each end wakes the loop', async () => {
    const { completed } = await run('dedicated-60-second-pilots');

    expect(completed).toBeGreaterThanOrEqual(34_300);
    // Lengths are drawn, so the ceiling holds on average only.
    expect(completed).toBeLessThanOrEqual(1.005 * 34_560);
  });
});

describe('pilots that use a tenth of their CPUs', () => {
  test('are left alone while CPUs are idle, however busy the owner', async () => {
    const { evicted, idleCpusMean } = await run('light-pilots');

    expect(evicted).toBe(0);
    expect(idleCpusMean).toBeGreaterThan(1);
  });
});

test('the same scenario gives the same result, another seed another', async () => {
  const once = await run('bursts-24-cpus');

  expect(await run('bursts-24-cpus')).toStrictEqual(once);
  expect(await run('bursts-24-cpus', {}, { seed: 2 })).not.toStrictEqual(once);
});
