import type { Clock } from '../clock.js';
import { EngineError, type ContainerEngine, type PullProgress } from '../engine/container-engine.js';
import type {
  Action,
  AskedContainer,
  ContainerSettings,
  DropImageAction,
  EngineFailure,
  FreezeAction,
  InFlight,
  Outcome,
  PilotEnd,
  PullAction,
  RemoveAction,
  SpawnAction,
  ThawAction,
} from '../model.js';
import { isUnanswered } from '../plan/unanswered.js';
import { endPilot, passOver, runs, toFailure } from './end-pilot.js';
import { createRemovalQueue, type RemovalQueue } from './removal-queue.js';
import { createStartQueue, type StartQueue } from './start-queue.js';

/** What is left of ended pilots is cleared away after the starts of the same moment, but no later than this. */
const LONGEST_WAIT_MS = 5_000;

export interface ExecutorOptions {
  readonly clock: Clock;
  readonly engine: ContainerEngine;
  /** Whose images the pulled ones become. */
  readonly instance: string;
  /** The cgroup new pilots go to; undefined = the engine's own choice. */
  readonly cgroupParent: () => string | undefined;
  /** In what a container that was made is more than this host allows, or less held in than asked for; nothing: it may be started. Never rejects. */
  readonly violations: (settings: ContainerSettings, asked: AskedContainer) => Promise<readonly string[]>;
  /** How this pilot ended, if that was told with its end; known once. */
  readonly takeEnd: (id: string) => PilotEnd | undefined;
  /** Told of a pilot that has ended, before it is removed. Rejects with bugs only. */
  readonly beforeRemoval: (action: RemoveAction, ended: PilotEnd | undefined) => Promise<void>;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onProgress: (reference: string, progress: PullProgress) => void;
}

/** Turns actions into effects, beside the loop. */
export interface Executor {
  /** Begins all actions and returns at once; after `close` it begins nothing. */
  begin(actions: readonly Action[]): void;
  /** Starts that wait for their turn are not begun any more. */
  withdrawStarts(): void;
  inFlight(): InFlight;
  /** What ended since the last call. */
  takeOutcomes(): readonly Outcome[];
  /** Gives up pulls, begins nothing queued any more; resolves when all that was begun has ended. */
  close(): Promise<void>;
}

/** The starts of one `begin`. */
interface Batch {
  readonly number: number;
  failed: boolean;
}

/**
 * Invariants: a start, removal or pull is in `inFlight` from `begin` until its outcome is there; a started pilot's slot is never forgotten in
 * between; one failed start skips the queued starts of the same `begin` (the next cycle tries again), removals are independent
 * of each other and of pulls, and those of running pilots of starts, too.
 */
class EngineExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #spawning = new Map<string, number>();
  readonly #removing = new Set<string>();
  readonly #pulling = new Set<string>();
  /** Ids of pilots that are being frozen or thawed. */
  readonly #moving = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #starts: StartQueue;
  readonly #removals: RemovalQueue;
  #batches = 0;
  /** Number of the last batch whose starts are not wanted any more. */
  #withdrawn = 0;
  #outcomes: Outcome[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#starts = createStartQueue(options.clock);
    this.#removals = createRemovalQueue(options.clock);
  }

  begin(actions: readonly Action[]): void {
    if (this.#stop.signal.aborted) return;
    this.#batches += 1;
    const batch = { number: this.#batches, failed: false };
    const starts = actions.filter((action) => action.type === 'spawn').map((action) => this.#queue(action, batch));
    for (const action of actions) {
      switch (action.type) {
        case 'spawn':
          break;
        case 'remove':
          this.#removing.add(action.pilot.id);
          this.#keep(this.#clear(action, starts));
          break;
        case 'pull':
          this.#pulling.add(action.reference);
          this.#keep(this.#pull(action, starts));
          break;
        case 'drop-image':
          this.#keep(this.#dropImage(action));
          break;
        case 'freeze':
        case 'thaw':
          this.#move(action);
          break;
      }
    }
  }

  withdrawStarts(): void {
    this.#withdrawn = this.#batches;
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

  #queue(action: SpawnAction, batch: Batch): Promise<void> {
    this.#spawning.set(action.spec.name, action.spec.cpus);
    const start = this.#starts.add(() => this.#spawn(action, batch));
    this.#keep(start);
    return start;
  }

  /** Until these starts are over, but not for long: what nobody waits for would cost them some of the engine's time. */
  async #after(starts: readonly Promise<void>[]): Promise<void> {
    if (starts.length === 0) return;
    const started = new AbortController();
    const longest = this.#options.clock.sleep(LONGEST_WAIT_MS, started.signal);
    await Promise.race([Promise.all(starts), longest]);
    started.abort();
  }

  /** Nobody waits for what is left of an ended pilot. */
  async #clear(action: RemoveAction, starts: readonly Promise<void>[]): Promise<void> {
    if (!runs(action.pilot)) await this.#after(starts);
    await this.#removals.add(() => this.#remove(action));
  }

  #end(action: Action, result: Outcome['result'], error?: EngineFailure, ended?: PilotEnd): void {
    this.#tell({ action, result, error, ended });
  }

  #tell(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    this.#options.onOutcome(outcome);
  }

  async #spawn(action: SpawnAction, batch: Batch): Promise<void> {
    const { engine, cgroupParent } = this.#options;
    const { name } = action.spec;
    if (batch.failed || this.#isUnwanted(batch)) {
      this.#spawning.delete(name);
      this.#end(action, 'skipped');
      return;
    }
    let isMade = false;
    /** Known once the engine has shown it to be this pilot: nothing else is removed. */
    let id: string | undefined;
    let isStarting = false;
    try {
      const asked: AskedContainer = { spec: action.spec, cgroupParent: cgroupParent() };
      const made = await engine.createPilot(asked.spec, asked.cgroupParent);
      isMade = true;
      const settings = await engine.settingsOf(made, asked.spec);
      id = made;
      await this.#judge(settings, asked);
      if (this.#isUnwanted(batch)) {
        await engine.removePilot(id).catch(passOver);
        this.#end(action, 'skipped');
        return;
      }
      isStarting = true;
      await engine.startPilot(id);
      this.#end(action, 'done');
    } catch (error) {
      batch.failed = true;
      const failure = toFailure(error);
      const unasked = isMade && !isStarting;
      this.#tell({ action, result: 'failed', error: failure, ended: undefined, unasked });
      // What was made and will not run would only be in the way; if this fails too, or nothing has shown it, a later cycle finds it in the list.
      // What may run yet is left alone.
      if (id !== undefined && !(isStarting && isUnanswered(failure))) await engine.removePilot(id).catch(passOver);
    } finally {
      this.#spawning.delete(name);
    }
  }

  #isUnwanted(batch: Batch): boolean {
    return batch.number <= this.#withdrawn || this.#stop.signal.aborted;
  }

  /** Nothing runs that is more than the owner of the host allows, or less held in than asked for, whatever the engine made of our request. */
  async #judge(settings: ContainerSettings, asked: AskedContainer): Promise<void> {
    const found = await this.#options.violations(settings, asked);
    if (found.length === 0) return;
    const message = `Pilot ${asked.spec.name} was not started: what the engine has made is more than the policy of this host allows, or less held in than asked for: ${found.join('; ')}`;
    throw new EngineError('refused', message, { start: 'not-as-asked' });
  }

  async #remove(action: RemoveAction): Promise<void> {
    const { engine, takeEnd, beforeRemoval } = this.#options;
    const { id } = action.pilot;
    const care = { told: takeEnd(id), beforeRemoval: (ended?: PilotEnd) => beforeRemoval(action, ended) };
    try {
      this.#end(action, 'done', undefined, await endPilot(engine, action, care));
    } catch (error) {
      this.#end(action, 'failed', toFailure(error));
    } finally {
      this.#removing.delete(id);
    }
  }

  /** One at a time for each pilot: a plan that still sees it as it was asks for the same again. */
  #move(action: FreezeAction | ThawAction): void {
    const { id } = action.pilot;
    if (this.#moving.has(id)) return;
    this.#moving.add(id);
    const moved = this.#removals.add(() => this.#freezeOrThaw(action));
    this.#keep(moved.finally(() => this.#moving.delete(id)));
  }

  async #freezeOrThaw(action: FreezeAction | ThawAction): Promise<void> {
    const { engine } = this.#options;
    const { id } = action.pilot;
    try {
      await (action.type === 'freeze' ? engine.pausePilot(id) : engine.unpausePilot(id));
      this.#end(action, 'done');
    } catch (error) {
      this.#end(action, 'failed', toFailure(error));
    }
  }

  /** Starts of the same cycle have an image to start from. */
  async #pull(action: PullAction, starts: readonly Promise<void>[]): Promise<void> {
    const { clock, engine, instance, onProgress } = this.#options;
    const { reference } = action;
    await this.#after(starts);
    const beganMs = clock.now().monoMs;
    const end = (result: Outcome['result'], error?: EngineFailure) => {
      this.#tell({ action, result, error, ended: undefined, tookMs: clock.now().monoMs - beganMs });
    };
    try {
      const before = await engine.listImages(instance).catch(toFailure);
      await engine.pullImage(
        reference,
        (progress) => {
          onProgress(reference, progress);
        },
        this.#stop.signal,
      );
      // Without its mark an image is not ours and stays for ever, which is no reason not to use it.
      if ('length' in before) await engine.markImage(reference, instance, before).catch(toFailure);
      end('done');
    } catch (error) {
      end('failed', toFailure(error));
    } finally {
      this.#pulling.delete(reference);
    }
  }

  async #dropImage(action: DropImageAction): Promise<void> {
    const { engine, instance } = this.#options;
    try {
      this.#end(action, (await engine.dropImage(action.image.id, instance)) ? 'done' : 'skipped');
    } catch (error) {
      this.#end(action, 'failed', toFailure(error));
    }
  }
}

export function createExecutor(options: ExecutorOptions): Executor {
  return new EngineExecutor(options);
}
