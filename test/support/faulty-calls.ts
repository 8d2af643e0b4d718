import type { Clock } from '../../src/clock.js';
import { EngineError, type ContainerEngine } from '../../src/engine/container-engine.js';
import type { EngineFailure } from '../../src/model.js';

export type Method = keyof ContainerEngine;
export type Calls = Record<Method, number>;

/** Ways to make the calls of an engine go wrong. */
export interface Faults {
  /** The next call fails; with `effectHappens` only its reply is lost. Repeat for several in a row. */
  failNext(method: Method, kind: EngineFailure['kind'], options?: { readonly effectHappens?: boolean }): void;
  /**
   * Calls get no answer and end by their deadline. Their effect comes late, when the returned function ends the hang; calls
   * still waiting then are answered.
   */
  hang(method: Method): () => void;
  /** Every call is `unreachable` while true. */
  away: boolean;
  /** How long calls take; nothing if not set. */
  readonly latencyMs: Partial<Record<Method, number>>;
}

interface FaultyCalls extends Faults {
  readonly calls: Calls;
  /** Counts and runs one call, with what was staged for it. */
  readonly call: <T>(method: Method, effect: () => T | Promise<T>) => Promise<T>;
}

interface Failure {
  readonly kind: EngineFailure['kind'];
  readonly effectHappens: boolean;
}

export function createFaultyCalls(clock: Clock, deadlineMs: number): FaultyCalls {
  const failures = new Map<Method, Failure[]>();
  const hangs = new Map<Method, Promise<void>>();

  async function call<T>(method: Method, effect: () => T | Promise<T>): Promise<T> {
    faulty.calls[method] += 1;
    if (faulty.away) throw new EngineError('unreachable', 'The engine is away');
    const failure = failures.get(method)?.shift();
    if (failure !== undefined) {
      if (failure.effectHappens) await effect();
      throw new EngineError(failure.kind, `${method} was told to fail: ${failure.kind}`);
    }
    const released = hangs.get(method);
    if (released !== undefined) return outwait(method, released.then(effect));
    const latencyMs = faulty.latencyMs[method] ?? 0;
    if (latencyMs > 0) await clock.sleep(latencyMs);
    return effect();
  }

  async function outwait<T>(method: Method, late: Promise<T>): Promise<T> {
    const answered = new AbortController();
    const deadline = clock.sleep(deadlineMs, answered.signal).then(() => {
      throw new EngineError('timeout', `${method} got no answer within ${deadlineMs} ms`);
    });
    deadline.catch(() => undefined);
    late.catch(() => undefined);
    try {
      return await Promise.race([late, deadline]);
    } finally {
      answered.abort();
    }
  }

  function hang(method: Method): () => void {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = () => {
        hangs.delete(method);
        resolve();
      };
    });
    hangs.set(method, released);
    return release;
  }

  const faulty: FaultyCalls = {
    calls: noCalls(),
    call,
    away: false,
    latencyMs: {},
    failNext: (method, kind, { effectHappens = false } = {}) => {
      failures.set(method, [...(failures.get(method) ?? []), { kind, effectHappens }]);
    },
    hang,
  };
  return faulty;
}

function noCalls(): Calls {
  return {
    info: 0,
    listPilots: 0,
    createPilot: 0,
    settingsOf: 0,
    startPilot: 0,
    stopPilot: 0,
    pausePilot: 0,
    unpausePilot: 0,
    removePilot: 0,
    pilotEnd: 0,
    logTail: 0,
    followLog: 0,
    followEnds: 0,
    pilotCpuNs: 0,
    findImage: 0,
    pullImage: 0,
    listImages: 0,
    markImage: 0,
    dropImage: 0,
  };
}
