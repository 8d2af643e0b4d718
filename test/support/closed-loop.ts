import type { Config } from '../../src/config/schema.js';
import type { Observation, Outcome, Plan } from '../../src/model.js';
import { plan } from '../../src/plan/plan.js';
import { initialState, type State } from '../../src/plan/state.js';
import { SimulatedHost, type HostOptions } from './simulated-host.js';

export interface Scenario {
  readonly config: Config;
  readonly hours: number;
  readonly host: HostOptions;
  /** What wakes the loop beside its timer. */
  readonly wake: 'timer' | 'pilot-end';
  /** Pilots that run when the loop begins. */
  readonly startWith?: number;
  /** Told after each cycle, for those who want to look closer. */
  readonly onCycle?: (seconds: number, observation: Observation, decision: Plan<State>) => void;
}

export interface Result {
  readonly spawned: number;
  readonly completed: number;
  readonly evicted: number;
  /** Seconds at which pilots were evicted. */
  readonly evictedAt: readonly number[];
  /** Pilot time destroyed by eviction / all pilot time. */
  readonly wastedFraction: number;
  readonly pilotsMean: number;
  readonly pilotsAtEnd: number;
  /** How many pilots would have fitted, cycle by cycle; 0 while it was not known. */
  readonly admissibleMean: number;
  readonly idleCpusMean: number;
  readonly overcommittedSeconds: number;
  /** What others wanted and did not get. */
  readonly ownerSlowdownFraction: number;
}

/** The first reading and the next are this far apart, so that pilots need not wait for a whole loop. */
const FIRST_SAMPLE_SECONDS = 1;

/** Drives the real plan against a simulated host. The same scenario always gives the same result. */
export function runClosedLoop(scenario: Scenario): Result {
  const { config, host: options } = scenario;
  const host = new SimulatedHost(options);
  const seconds = scenario.hours * 3600;
  let state = initialState(options.seed);
  let outcomes: readonly Outcome[] = [];
  let sample = undefined as Observation['sample'];
  let spawned = 0;
  let wastedSeconds = 0;
  let admissible = 0;
  let cycles = 0;
  const evictedAt: number[] = [];

  function cycle(): void {
    const observation = observe(config, host, sample, outcomes);
    const decision = plan(config, observation, state);
    state = decision.state;
    cycles += 1;
    admissible += decision.capacity.admissible ?? 0;
    scenario.onCycle?.(host.seconds, observation, decision);
    outcomes = decision.actions.map((action) => ({ action, result: 'done', error: undefined, ended: undefined }));
    for (const action of decision.actions) {
      if (action.type === 'spawn') {
        host.start(action.spec);
        spawned += 1;
      } else if (action.type === 'remove') {
        const lost = host.remove(action.pilot.id);
        if (lost === undefined || action.reason !== 'evicted') continue;
        wastedSeconds += lost;
        evictedAt.push(host.seconds);
      }
    }
  }

  for (let index = 0; index < (scenario.startWith ?? 0); index += 1) {
    host.start({
      name: `plancton-worker-start${index}`,
      image: config.docker_image,
      cpus: config.cpus_per_dock,
      memoryBytes: config.max_dock_mem,
      flavour: 'default',
      revision: 'simulated',
      spawnedBootMs: host.now.bootMs,
      bootId: host.facts.bootId,
    });
  }
  let nextSample = Math.min(FIRST_SAMPLE_SECONDS, config.main_sleep);
  while (host.seconds < seconds - 1e-6) {
    const until = Math.min(nextSample, seconds);
    const ended = host.advance(until - host.seconds, scenario.wake === 'pilot-end');
    if (host.seconds >= nextSample - 1e-6) {
      sample = host.sample(sample === undefined && config.main_sleep > FIRST_SAMPLE_SECONDS);
      nextSample += config.main_sleep;
      cycle();
    } else if (ended) {
      cycle();
    }
  }
  const totals = host.totals;
  return {
    spawned,
    completed: totals.completed,
    evicted: evictedAt.length,
    evictedAt,
    wastedFraction: totals.pilotSeconds === 0 ? 0 : wastedSeconds / totals.pilotSeconds,
    pilotsMean: totals.pilotSeconds / totals.seconds,
    pilotsAtEnd: host.list().filter(({ state }) => state === 'running').length,
    admissibleMean: admissible / cycles,
    idleCpusMean: options.ncpus - totals.busy / totals.seconds,
    overcommittedSeconds: totals.overcommittedSeconds,
    ownerSlowdownFraction: totals.wanted === 0 ? 0 : 1 - totals.given / totals.wanted,
  };
}

function observe(
  config: Config,
  host: SimulatedHost,
  sample: Observation['sample'],
  outcomes: readonly Outcome[],
): Observation {
  return {
    at: host.now,
    host: host.facts,
    instance: 'simulated',
    revision: 'simulated',
    sample,
    // The simulated host has nothing but CPUs.
    resources: { memory: null, disk: null, pressure: null },
    yields: host.yields,
    pilots: host.list(),
    image: { reference: config.docker_image, id: 'sha256:simulated' },
    mode: 'active',
    privateBinds: [],
    inFlight: { spawning: [], removing: [], pulling: [] },
    outcomes,
  };
}
