import type { Config } from '../config/schema.js';
import type { Plan } from '../decision.js';
import type { Action, CpuSample, Observation, Outcome, PilotEnd } from '../model.js';
import { lookSpanMs } from '../observe/look-schedule.js';
import { plan } from '../plan/plan.js';
import { isReasonToLook } from '../plan/reason-to-look.js';
import { initialState, type State } from '../plan/state.js';
import type { SimulationResult } from './result.js';
import { SimulatedHost, type HostOptions } from './simulated-host.js';

export interface LoopOptions {
  readonly config: Config;
  readonly hours: number;
  readonly host: HostOptions;
  /** `timer`: the loop only polls, every `main_sleep`. `events`: ends of pilots, outcomes and the plan's own deadlines wake it too. */
  readonly wake: 'timer' | 'events';
  /** Pilots that run when the loop begins. */
  readonly startWith?: number;
  /** Told after each cycle, for those who want to look closer. */
  readonly onCycle?: (seconds: number, observation: Observation, decision: Plan<State>) => void;
}

/** The shortest rest between two cycles, as the daemon takes it. */
const SHORTEST_PAUSE_SECONDS = 0.1;
const TINY = 1e-6;

/** The real plan and a simulated host, each the other's world. */
class ClosedLoop {
  readonly #options: LoopOptions;
  readonly #host: SimulatedHost;
  #state: State;
  #outcomes: readonly Outcome[] = [];
  #sample: CpuSample | undefined;
  readonly #firstSample: number;
  #nextSample: number;
  /** When the plan wants to be asked again at the latest. */
  #deadline = Infinity;
  #admissible = 0;
  #counts = { spawned: 0, expired: 0, wastedSeconds: 0, admissibleSeconds: 0 };
  readonly #evictedAt: number[] = [];

  constructor(options: LoopOptions) {
    const { config, host } = options;
    this.#options = options;
    this.#host = new SimulatedHost(host);
    this.#state = initialState(host.seed);
    this.#firstSample = lookSpanMs(config, undefined) / 1000;
    this.#nextSample = this.#firstSample;
  }

  run(): SimulationResult {
    this.#startFirst();
    const end = this.#options.hours * 3600;
    const byEvents = this.#options.wake === 'events';
    while (this.#host.seconds < end - TINY) {
      const before = this.#host.seconds;
      const ended = this.#host.advance(Math.min(this.#nextSample, this.#deadline, end) - before, byEvents);
      const { seconds } = this.#host;
      this.#counts.admissibleSeconds += this.#admissible * (seconds - before);
      const sampled = this.#takeSample();
      if (!sampled && !(byEvents && ended) && seconds < this.#deadline - TINY) continue;
      this.#cycle();
      if (byEvents && this.#outcomes.some(isReasonToLook)) this.#cycle();
    }
    return this.#result();
  }

  #startFirst(): void {
    const { config, startWith = 0 } = this.#options;
    for (let index = 0; index < startWith; index += 1) {
      this.#host.start({
        name: `plancton-worker-start${index}`,
        image: config.docker_image,
        cpus: config.cpus_per_dock,
        memoryBytes: config.max_dock_mem,
        flavour: 'default',
        revision: 'simulated',
        spawnedBootMs: this.#host.now.bootMs,
        bootId: this.#host.facts.bootId,
      });
    }
  }

  /** Looks at the host if it is time to. */
  #takeSample(): boolean {
    const { config } = this.#options;
    const { seconds } = this.#host;
    if (seconds < this.#nextSample - TINY) return false;
    this.#sample = this.#host.sample(this.#sample === undefined && this.#firstSample < config.main_sleep);
    this.#nextSample += lookSpanMs(config, (seconds - this.#firstSample) * 1000) / 1000;
    return true;
  }

  #cycle(): void {
    const { config, wake, onCycle } = this.#options;
    const observation = this.#observe();
    const decision = plan(config, observation, this.#state);
    const { seconds } = this.#host;
    this.#state = decision.state;
    this.#admissible = decision.capacity.admissible ?? 0;
    if (wake === 'events') {
      this.#deadline = seconds + Math.max(SHORTEST_PAUSE_SECONDS, (decision.wakeInMs ?? Infinity) / 1000);
    }
    onCycle?.(seconds, observation, decision);
    this.#outcomes = decision.actions.map((action) => {
      return { action, result: 'done', error: undefined, ended: this.#carryOut(action) };
    });
  }

  /** Does it at once; returns how a removed pilot had ended. */
  #carryOut(action: Action): PilotEnd | undefined {
    if (action.type === 'spawn') {
      this.#host.start(action.spec);
      this.#counts.spawned += 1;
    }
    if (action.type === 'freeze') this.#host.freeze(action.pilot.id);
    if (action.type === 'thaw') this.#host.thaw(action.pilot.id);
    if (action.type !== 'remove') return undefined;
    const ended = this.#host.remove(action.pilot.id);
    if (action.reason === 'expired') this.#counts.expired += 1;
    if (action.reason === 'evicted') {
      this.#counts.wastedSeconds += ((ended?.finishedWallMs ?? 0) - (ended?.startedWallMs ?? 0)) / 1000;
      this.#evictedAt.push(this.#host.seconds);
    }
    return ended;
  }

  #observe(): Observation {
    const { config } = this.#options;
    return {
      at: this.#host.now,
      host: this.#host.facts,
      instance: 'simulated',
      revision: 'simulated',
      proof: 'proven',
      sample: this.#sample,
      // The simulated host has nothing but CPUs.
      resources: { memory: null, disk: null, pressure: null, tasks: null },
      yields: this.#host.yields,
      pilots: this.#host.list(),
      image: { reference: config.docker_image, id: 'sha256:simulated', createdWallMs: undefined },
      images: undefined,
      mode: 'active',
      policy: { clamps: [], refusals: [] },
      privateBinds: [],
      inFlight: { spawning: [], removing: [], pulling: [] },
      outcomes: this.#outcomes,
    };
  }

  #result(): SimulationResult {
    const { seconds, pilotSeconds, busy, wanted, given, ...totals } = this.#host.totals;
    const { spawned, expired, wastedSeconds, admissibleSeconds } = this.#counts;
    return {
      spawned,
      completed: totals.completed,
      evicted: this.#evictedAt.length,
      fizzled: totals.fizzled,
      expired,
      pilotsMean: pilotSeconds / seconds,
      pilotsAtEnd: this.#host.list().filter(({ state }) => state === 'running').length,
      admissibleMean: admissibleSeconds / seconds,
      idleCpusMean: Math.max(0, this.#host.facts.ncpus - busy / seconds),
      wastedFraction: pilotSeconds === 0 ? 0 : wastedSeconds / pilotSeconds,
      overcommittedSeconds: totals.overcommittedSeconds,
      ownerSlowdownFraction: wanted === 0 ? 0 : 1 - given / wanted,
      evictedAt: this.#evictedAt,
    };
  }
}

/** Drives the real plan against a simulated host. The same options always give the same result. */
export function runClosedLoop(options: LoopOptions): SimulationResult {
  return new ClosedLoop(options).run();
}
