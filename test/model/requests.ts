import type { Clock } from '../../src/clock.js';
import { EngineError, type ContainerEngine } from '../../src/engine/container-engine.js';
import type { PilotSpec } from '../../src/model.js';
import type { Method } from '../support/faulty-calls.js';
import type { Fate } from './schedule.js';

/** One request on its way. Which of its three moments have come is all there is to know of it. */
export interface EngineRequest {
  readonly method: Method;
  /** Of the container it names. */
  readonly id: string | undefined;
  /** Of the pilot it asks for. */
  readonly spec: PilotSpec | undefined;
  /** Number of the daemon that sent it. */
  readonly daemon: number;
  executed: boolean;
  replied: boolean;
}

/** Told of the moments of every request. */
export interface RequestWatch {
  arrived(request: EngineRequest): void;
  executed(request: EngineRequest): void;
  replied(request: EngineRequest, error: EngineError | undefined): void;
}

interface Rule {
  readonly method: Method | 'any';
  skip: number;
  times: number;
  readonly fate: Fate;
}

/** As those of the real engine; ms. */
const DEADLINES: Partial<Record<Method, number>> = {
  createPilot: 60_000,
  startPilot: 60_000,
  stopPilot: 20_000,
  removePilot: 30_000,
  pullImage: 600_000,
};
const DEADLINE_MS = 10_000;
/** The engine gives up killing what cannot be killed after so long. */
const STUCK_MS = 12_000;
/** These wait for more than an answer. */
const WITHOUT_FATE: readonly Method[] = ['followEnds'];

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** The road between daemons and an engine: each request arrives, is executed and answered at moments of its own, or not at all. */
export class Requests {
  readonly #clock: Clock;
  readonly #watch: RequestWatch;
  #rules: Rule[] = [];
  /** Engines so far: a request to the one before is lost. */
  #generation = 0;
  #breaks = new Set<() => void>();
  /** Requests that have arrived and will yet be executed or answered. */
  outstanding = 0;
  away = false;
  /** Ids of containers whose processes cannot be killed. */
  readonly stuck = new Set<string>();

  constructor(clock: Clock, watch: RequestWatch) {
    this.#clock = clock;
    this.#watch = watch;
  }

  addRule(method: Method | 'any', skip: number, times: number, fate: Fate): void {
    this.#rules.push({ method, skip, times, fate });
  }

  heal(): void {
    this.#rules = [];
    this.stuck.clear();
    this.away = false;
  }

  get faulty(): boolean {
    return this.#rules.length > 0 || this.away || this.stuck.size > 0 || this.outstanding > 0;
  }

  /** The engine ends: whoever waits for an answer is told so, and nothing that waits is executed. */
  breakOff(): void {
    this.#generation += 1;
    const breaks = [...this.#breaks];
    this.#breaks.clear();
    for (const tell of breaks) tell();
  }

  /** The engine as one daemon sees it, as long as that lives. */
  port(engine: ContainerEngine, daemon: number, lives: () => boolean): ContainerEngine {
    const call = <T>(
      method: Method,
      effect: () => Promise<T>,
      about: { readonly id?: string; readonly spec?: PilotSpec } = {},
    ): Promise<T> => {
      if (!lives()) return never();
      const request: EngineRequest = {
        method,
        id: about.id,
        spec: about.spec,
        daemon,
        executed: false,
        replied: false,
      };
      return this.#send(request, effect).then(
        (value) => (lives() ? this.#reply(request, value) : never()),
        (error: unknown) => (lives() ? this.#fail(request, error) : never()),
      );
    };
    return {
      info: () => call('info', () => engine.info()),
      listPilots: (ownership) => call('listPilots', () => engine.listPilots(ownership)),
      createPilot: (spec, parent) => call('createPilot', () => engine.createPilot(spec, parent), { spec }),
      settingsOf: (id, pilot) => call('settingsOf', () => engine.settingsOf(id, pilot), { id }),
      startPilot: (id) => call('startPilot', () => engine.startPilot(id), { id }),
      stopPilot: (id, seconds) => call('stopPilot', () => engine.stopPilot(id, seconds), { id }),
      pausePilot: (id) => call('pausePilot', () => engine.pausePilot(id), { id }),
      unpausePilot: (id) => call('unpausePilot', () => engine.unpausePilot(id), { id }),
      removePilot: (id) => call('removePilot', () => engine.removePilot(id), { id }),
      pilotEnd: (id) => call('pilotEnd', () => engine.pilotEnd(id), { id }),
      logTail: (id, tail) => call('logTail', () => engine.logTail(id, tail), { id }),
      followLog: (id, listener) => call('followLog', () => engine.followLog(id, listener), { id }),
      followEnds: (listener) => call('followEnds', () => engine.followEnds(listener)),
      pilotCpuNs: (id) => call('pilotCpuNs', () => engine.pilotCpuNs(id), { id }),
      findImage: (reference) => call('findImage', () => engine.findImage(reference)),
      listImages: (instance) => call('listImages', () => engine.listImages(instance)),
      markImage: (reference, instance, before) =>
        call('markImage', () => engine.markImage(reference, instance, before)),
      dropImage: (id, instance) => call('dropImage', () => engine.dropImage(id, instance)),
      pullImage: (reference, onProgress, signal) =>
        call('pullImage', () => engine.pullImage(reference, onProgress, signal)),
    };
  }

  #reply<T>(request: EngineRequest, value: T): T {
    request.replied = true;
    this.#watch.replied(request, undefined);
    return value;
  }

  #fail(request: EngineRequest, error: unknown): never {
    request.replied = true;
    if (error instanceof EngineError) this.#watch.replied(request, error);
    throw error;
  }

  #send<T>(request: EngineRequest, effect: () => Promise<T>): Promise<T> {
    this.#watch.arrived(request);
    if (this.away) return Promise.reject(new EngineError('unreachable', 'the engine is away'));
    const fate = this.#takeFate(request);
    return fate === undefined ? this.#execute(request, effect) : this.#wait(request, fate, effect);
  }

  #takeFate({ method, id }: EngineRequest): Fate | undefined {
    if (WITHOUT_FATE.includes(method)) return undefined;
    if (id !== undefined && this.stuck.has(id) && (method === 'stopPilot' || method === 'removePilot')) {
      return { executeMs: undefined, replyMs: STUCK_MS, error: 'refused' };
    }
    const rule = this.#rules.find((candidate) => candidate.method === 'any' || candidate.method === method);
    if (rule === undefined) return undefined;
    if (rule.skip > 0) {
      rule.skip -= 1;
      return undefined;
    }
    rule.times -= 1;
    if (rule.times === 0) this.#rules.splice(this.#rules.indexOf(rule), 1);
    return rule.fate;
  }

  #execute<T>(request: EngineRequest, effect: () => Promise<T>): Promise<T> {
    const result = effect();
    request.executed = true;
    this.#watch.executed(request);
    return result;
  }

  /** The answer, if it comes before the client gives up and before the engine ends. */
  async #wait<T>(request: EngineRequest, fate: Fate, effect: () => Promise<T>): Promise<T> {
    const { method } = request;
    const answered = new AbortController();
    const deadlineMs = DEADLINES[method] ?? DEADLINE_MS;
    const deadline = this.#clock.sleep(deadlineMs, answered.signal).then(() => {
      throw new EngineError('timeout', `${method}: no answer within ${deadlineMs / 1000} s`);
    });
    let tell: () => void = () => undefined;
    const broken = new Promise<never>((_, reject) => {
      tell = () => {
        reject(new EngineError('unreachable', 'the engine has ended'));
      };
    });
    this.#breaks.add(tell);
    const answer = this.#answer(request, fate, effect);
    for (const settled of [deadline, broken, answer]) settled.catch(() => undefined);
    try {
      return await Promise.race([answer, deadline, broken]);
    } finally {
      this.#breaks.delete(tell);
      answered.abort();
    }
  }

  /** What happens at the engine, whether or not anybody still waits for it. */
  async #answer<T>(request: EngineRequest, fate: Fate, effect: () => Promise<T>): Promise<T> {
    const { executeMs, replyMs, error } = fate;
    const generation = this.#generation;
    const isGone = () => this.#generation !== generation;
    if (executeMs === undefined && error === undefined) return never();
    this.outstanding += 1;
    try {
      if (executeMs !== undefined && executeMs > 0) await this.#clock.sleep(executeMs);
      if (isGone()) throw new EngineError('unreachable', 'the engine has ended');
      const result = executeMs === undefined ? undefined : this.#execute(request, effect);
      result?.catch(() => undefined);
      if (replyMs > 0) await this.#clock.sleep(replyMs);
      if (result === undefined || error !== undefined) {
        throw new EngineError(error ?? 'refused', `${request.method} was told to fail`);
      }
      return await result;
    } finally {
      this.outstanding -= 1;
    }
  }
}
