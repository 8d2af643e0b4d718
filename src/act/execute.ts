import pLimit from 'p-limit';
import { EngineError, type ContainerEngine, type PullProgress } from '../engine/container-engine.js';
import type {
  Action,
  EngineFailure,
  InFlight,
  Outcome,
  PilotEnd,
  PullAction,
  RemoveAction,
  SpawnAction,
} from '../model.js';

/** Side by side starts gain up to two on the engines measured; more only make each slower. */
const STARTS_AT_ONCE = 2;
const REMOVALS_AT_ONCE = 16;

export interface ExecutorOptions {
  readonly engine: ContainerEngine;
  /** The cgroup new pilots go to; undefined = the engine's own choice. */
  readonly cgroupParent: () => string | undefined;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onProgress: (reference: string, progress: PullProgress) => void;
}

/** Turns actions into effects, beside the loop. */
export interface Executor {
  /** Begins all actions and returns at once; after `close` it begins nothing. */
  begin(actions: readonly Action[]): void;
  inFlight(): InFlight;
  /** What ended since the last call. */
  takeOutcomes(): readonly Outcome[];
  /** Gives up pulls, begins nothing queued any more; resolves when all that was begun has ended. */
  close(): Promise<void>;
}

/** What a failed call means, or a bug passed on. */
function toFailure(error: unknown): EngineFailure {
  if (error instanceof EngineError) return { kind: error.kind, message: error.message };
  throw error;
}

/**
 * Invariants: an action is in `inFlight` from `begin` until its outcome is there; a started pilot's slot is never forgotten in
 * between; one failed start skips the queued starts of the same `begin` (the next cycle tries again), removals are independent
 * of each other and of starts and pulls.
 */
class EngineExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #spawning = new Map<string, number>();
  readonly #removing = new Set<string>();
  readonly #pulling = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #starts = pLimit(STARTS_AT_ONCE);
  readonly #removals = pLimit(REMOVALS_AT_ONCE);
  #outcomes: Outcome[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  begin(actions: readonly Action[]): void {
    if (this.#stop.signal.aborted) return;
    const batch = { failed: false };
    for (const action of actions) {
      switch (action.type) {
        case 'spawn':
          this.#spawning.set(action.spec.name, action.spec.cpus);
          this.#keep(this.#starts(() => this.#spawn(action, batch)));
          break;
        case 'remove':
          this.#removing.add(action.pilot.id);
          this.#keep(this.#removals(() => this.#remove(action)));
          break;
        case 'pull':
          this.#pulling.add(action.reference);
          this.#keep(this.#pull(action));
          break;
      }
    }
  }

  inFlight(): InFlight {
    return {
      spawning: [...this.#spawning].map(([name, cpus]) => ({ name, cpus })),
      removing: [...this.#removing],
      pulling: [...this.#pulling],
    };
  }

  takeOutcomes(): readonly Outcome[] {
    const taken = this.#outcomes;
    this.#outcomes = [];
    return taken;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  #keep(work: Promise<void>): void {
    const kept = work.finally(() => this.#running.delete(kept));
    this.#running.add(kept);
  }

  #end(action: Action, result: Outcome['result'], error?: EngineFailure, ended?: PilotEnd): void {
    const outcome: Outcome = { action, result, error, ended };
    this.#outcomes.push(outcome);
    this.#options.onOutcome(outcome);
  }

  async #spawn(action: SpawnAction, batch: { failed: boolean }): Promise<void> {
    const { engine, cgroupParent } = this.#options;
    const { name } = action.spec;
    if (batch.failed || this.#stop.signal.aborted) {
      this.#spawning.delete(name);
      this.#end(action, 'skipped');
      return;
    }
    let id: string | undefined;
    try {
      id = await engine.createPilot(action.spec, cgroupParent());
      await engine.startPilot(id);
      this.#end(action, 'done');
    } catch (error) {
      batch.failed = true;
      this.#end(action, 'failed', toFailure(error));
      // What was made and does not run would only be in the way; if this fails too, a later cycle reaps it.
      if (id !== undefined) await engine.removePilot(id).catch(toFailure);
    } finally {
      this.#spawning.delete(name);
    }
  }

  async #remove(action: RemoveAction): Promise<void> {
    const { engine } = this.#options;
    const { id, state } = action.pilot;
    try {
      const runs = state === 'running' || state === 'paused' || state === 'restarting';
      if (runs) await engine.stopPilot(id, action.stopSeconds);
      const ended = await engine.pilotEnd(id);
      await engine.removePilot(id);
      this.#end(action, 'done', undefined, ended);
    } catch (error) {
      this.#end(action, 'failed', toFailure(error));
    } finally {
      this.#removing.delete(id);
    }
  }

  async #pull(action: PullAction): Promise<void> {
    const { engine, onProgress } = this.#options;
    const { reference } = action;
    try {
      await engine.pullImage(
        reference,
        (progress) => {
          onProgress(reference, progress);
        },
        this.#stop.signal,
      );
      this.#end(action, 'done');
    } catch (error) {
      this.#end(action, 'failed', toFailure(error));
    } finally {
      this.#pulling.delete(reference);
    }
  }
}

export function createExecutor(options: ExecutorOptions): Executor {
  return new EngineExecutor(options);
}
