import type { Executor } from '../act/execute.js';
import type { Clock } from '../clock.js';
import type { ConfigKeeper, InForce } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import { EngineError } from '../engine/container-engine.js';
import type { Plan, Probation } from '../decision.js';
import type { EngineFailure, Instant, SeenMode } from '../model.js';
import type { Observer } from '../observe/observe.js';
import type { Narrowed } from '../policy/narrow.js';
import { initialState, type State } from '../plan/state.js';
import { reconcile, type Cycle } from './reconcile.js';
import { newsEvents } from './config-news.js';
import { endTrial } from './end-trial.js';
import { vouchForLastUsed } from './last-used.js';
import type { EventSink } from '../report/event.js';

/** Cycles never begin closer together than this, however many wakes there are; the first wake after a quiet time waits for nothing. */
const SHORTEST_PAUSE_MS = 100;
/** While the engine does not answer it is asked again after this at the latest. */
const ENGINE_RETRY_MS = 10_000;
/** Clocks that drift apart by more than this were apart because the host slept. */
const SUSPENDED_MS = 5_000;
/** A host that wakes up is looked at within this: while it slept no timer ran. */
const WAKE_LOOK_MS = 30_000;
/** How long a stopping daemon waits for what it has begun. */
const CLOSE_MS = 10_000;

export interface LoopPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Has a configuration in force already. */
  readonly keeper: ConfigKeeper<Config>;
  readonly executor: Executor;
  readonly observer: Observer;
  /** What a configuration becomes under the policy of this host. Never rejects. */
  readonly narrow: (config: Config) => Promise<Narrowed>;
  /** Makes sure the engine is there and prepared for this configuration. Rejects with an EngineError. */
  readonly connect: (config: Config) => Promise<void>;
  /** The pilots could be listed: the engine is there. */
  readonly confirm: () => void;
  /** The engine was lost: `connect` has to look again. */
  readonly disconnect: () => void;
  readonly publish: EventSink;
  /** Told after every cycle, also where the pilots could not be listed. */
  readonly onCycle: (cycle: Cycle | HeldCycle, nextInMs: number) => void;
}

/** All there is to know of a cycle in which the pilots could not be listed. */
export interface HeldCycle {
  readonly failure: EngineFailure;
  readonly mode: SeenMode;
}

/** Whether the host was suspended in between: timers stand still then, and pilots grow older. */
function hasSlept(before: Instant, now: Instant): boolean {
  return now.bootMs - before.bootMs - (now.monoMs - before.monoMs) > SUSPENDED_MS;
}

/** Why the loop ended. */
export type LoopEnd = 'stopped' | NonNullable<Plan<State>['finished']>;

/**
 * Wakes, runs a cycle, sleeps. Invariants: cycles never overlap; a wake during a cycle leads to exactly one more; reading the
 * configuration runs beside the loop and shows up in the next cycle; aborting the signal ends it whatever it waits for.
 */
export class ControlLoop {
  readonly #ports: LoopPorts;
  readonly #startedMs: number;
  #state: State;
  /** What became of the configuration `of` in the last cycle. */
  #allowed: { readonly of: Config; readonly config: Config } | undefined;
  #cycles = 0;
  #cycleBeganMs = -Infinity;
  #woken = false;
  #sleeping: AbortController | undefined;
  /** Ends the wait for the cycle at hand. */
  #abandon: () => void = () => undefined;
  #refreshAtMs: number;
  #refreshing: Promise<void> | undefined;
  #forceRefresh = false;
  #endingTrial = false;
  #mode: SeenMode | undefined;
  #gates = '';
  #privateBinds = '';
  #failure: EngineFailure | undefined;
  #distrust: string | undefined;
  /** Ms from the last cycle to the next deadline its plan knew of. */
  #planDueMs: number | undefined;

  constructor(ports: LoopPorts, seed: number) {
    this.#ports = ports;
    this.#startedMs = ports.clock.now().monoMs;
    this.#refreshAtMs = this.#startedMs;
    this.#state = initialState(seed);
  }

  /** Brings the next cycle forward. */
  wake(): void {
    this.#woken = true;
    this.#sleeping?.abort();
  }

  /** Reads the configuration again at once. */
  reload(): void {
    this.#forceRefresh = true;
    this.wake();
  }

  /** Loops until the signal, a drain-stop or a force-stop ends it. */
  async run(): Promise<LoopEnd> {
    const { signal, executor, clock } = this.#ports;
    signal.addEventListener('abort', () => {
      this.#abandon();
      this.wake();
    });
    let end: LoopEnd | undefined;
    while (end === undefined) {
      this.#woken = false;
      this.#beginRefresh();
      end = await this.#cycleUnlessStopped();
      if (end === undefined) await this.#sleep();
      if (signal.aborted) end = 'stopped';
    }
    // A git that goes on without us would hold its lock against the next daemon.
    await Promise.race([Promise.all([executor.close(), this.#refreshing]), clock.sleep(CLOSE_MS)]);
    return end;
  }

  /** A cycle, or `stopped` as soon as the signal aborts. No race with one promise for all cycles: it would remember each of them. */
  #cycleUnlessStopped(): Promise<LoopEnd | undefined> {
    return new Promise((resolve, reject) => {
      this.#abandon = () => {
        resolve('stopped');
      };
      if (this.#ports.signal.aborted) this.#abandon();
      this.#cycle().then(resolve, reject);
    });
  }

  /** Asks for a newer configuration when it is time to, without waiting for the answer. */
  #beginRefresh(): void {
    const { clock } = this.#ports;
    const force = this.#forceRefresh;
    const nowMs = clock.now().monoMs;
    if (this.#refreshing !== undefined || (!force && nowMs < this.#refreshAtMs)) return;
    this.#forceRefresh = false;
    this.#refreshAtMs = nowMs + this.#config().updateconfig * 1000;
    this.#refreshing = this.#refresh(force);
  }

  async #refresh(force: boolean): Promise<void> {
    const { keeper, signal } = this.#ports;
    const news = await keeper.refresh({ force, signal });
    this.#refreshing = undefined;
    // That it was told to stop is no news.
    if (signal.aborted) return;
    const { publish } = this.#ports;
    publish({ type: 'config-asked', answered: keeper.state.unreachable === undefined });
    for (const event of newsEvents(news, this.#inForce().revision.id)) publish(event);
    if (news.type === 'accepted' || this.#forceRefresh) this.wake();
  }

  /** Has what the first pilots have shown acted on, without waiting for it. */
  #beginEndOfTrial(tried: InForce<Config>, probation: Probation | undefined): void {
    const { keeper, clock, publish } = this.#ports;
    if (this.#endingTrial || probation?.verdict === undefined) return;
    this.#endingTrial = true;
    void endTrial(keeper, tried, probation, clock.now().wallMs).then((events) => {
      this.#endingTrial = false;
      for (const event of events) publish(event);
      if (events.length > 0) this.wake();
    });
  }

  #inForce(): InForce<Config> {
    const { inForce } = this.#ports.keeper.state;
    if (inForce === undefined) throw new Error('the loop was started without a configuration');
    return inForce;
  }

  /** As the policy of the host last allowed it: what it caps, it caps everywhere. */
  #config(): Config {
    const { config } = this.#inForce();
    return this.#allowed?.of === config ? this.#allowed.config : config;
  }

  /** No pilot is started from a configuration that nobody vouches for, and once that turns out the keeper looks again. */
  async #withTrust(narrowed: Narrowed): Promise<Narrowed> {
    const { keeper, clock } = this.#ports;
    const distrust = await keeper.distrust();
    if (distrust !== undefined && distrust !== this.#distrust) this.#refreshAtMs = clock.now().monoMs;
    this.#distrust = distrust;
    return distrust === undefined ? narrowed : { ...narrowed, refusals: [...narrowed.refusals, distrust] };
  }

  async #cycle(): Promise<LoopEnd | undefined> {
    const { connect, narrow, publish, executor, observer, onCycle } = this.#ports;
    const inForce = this.#inForce();
    const { config, revision } = inForce;
    this.#cycles += 1;
    this.#cycleBeganMs = this.#ports.clock.now().monoMs;
    try {
      const narrowed = await this.#withTrust(await narrow(config));
      this.#allowed = { of: config, config: narrowed.config };
      this.#state = await vouchForLastUsed(this.#state, narrowed, this.#ports);
      await connect(narrowed.config);
      const note = { revision: revision.id, proof: this.#ports.keeper.proof };
      const cycle = await reconcile(narrowed, note, this.#state, this.#ports);
      this.#state = cycle.plan.state;
      this.#planDueMs = cycle.plan.wakeInMs;
      this.#failure = undefined;
      this.#tell(cycle);
      this.#beginEndOfTrial(inForce, cycle.plan.probation);
      const { finished, stuck } = cycle.plan;
      if (finished !== undefined && stuck.length > 0) publish({ type: 'pilots-left', stuck });
      onCycle(cycle, this.#dueInMs());
      return finished;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // Without a list nothing is started, also not what an earlier cycle has asked for: a drain or a smaller cap may have come since.
      executor.withdrawStarts();
      const failure = this.#loseEngine(error);
      const mode = await observer.mode();
      this.#tellMode(mode);
      const { wallMs, monoMs } = this.#ports.clock.now();
      const uptimeMs = monoMs - this.#startedMs;
      publish({ type: 'cycle-held', number: this.#cycles, atWallMs: wallMs, uptimeMs, tookMs: this.#tookMs() });
      onCycle({ failure, mode }, this.#dueInMs());
      return undefined;
    }
  }

  #loseEngine(error: EngineError): EngineFailure {
    const failure: EngineFailure = { kind: error.kind, message: error.message };
    // Said once for each kind of trouble, not at every try.
    if (this.#failure?.kind !== failure.kind) this.#ports.publish({ type: 'engine-lost', failure });
    this.#failure = failure;
    this.#ports.disconnect();
    return failure;
  }

  #tell({ observation, plan }: Cycle): void {
    const { publish } = this.#ports;
    this.#tellMode(observation.mode);
    if (observation.privateBinds.join() !== this.#privateBinds) {
      publish({ type: 'private-binds', paths: observation.privateBinds });
    }
    this.#privateBinds = observation.privateBinds.join();
    const gates = plan.holds.map((hold) => hold.gate).join();
    if (gates !== this.#gates) publish({ type: 'limit-changed', holds: plan.holds });
    this.#gates = gates;
    const uptimeMs = observation.at.monoMs - this.#startedMs;
    publish({ type: 'cycle', number: this.#cycles, observation, plan, uptimeMs, tookMs: this.#tookMs() });
  }

  /** Since the cycle at hand began. */
  #tookMs(): number {
    return this.#ports.clock.now().monoMs - this.#cycleBeganMs;
  }

  #tellMode(mode: SeenMode): void {
    if (mode !== this.#mode && !(this.#mode === undefined && mode === 'active')) {
      this.#ports.publish({ type: 'mode-changed', mode });
    }
    this.#mode = mode;
  }

  /** Ms until the next cycle has a reason to run, wakes aside. */
  #dueInMs(): number {
    const { observer } = this.#ports;
    const config = this.#config();
    const dueMs =
      this.#failure === undefined
        ? Math.min(observer.nextSampleInMs(config), this.#planDueMs ?? Infinity)
        : Math.min(config.main_sleep * 1000, ENGINE_RETRY_MS);
    return Math.max(SHORTEST_PAUSE_MS, dueMs);
  }

  /** Until the next cycle is due, a wake comes or the host has slept. Looking for a new configuration meanwhile needs no cycle. */
  async #sleep(): Promise<void> {
    const { clock, signal } = this.#ports;
    const began = clock.now();
    const dueAtMs = began.monoMs + this.#dueInMs();
    while (!this.#interrupted() && clock.now().monoMs < dueAtMs && !hasSlept(began, clock.now())) {
      this.#beginRefresh();
      const nowMs = clock.now().monoMs;
      const refreshMs = this.#refreshing === undefined ? this.#refreshAtMs - nowMs : Infinity;
      this.#sleeping = new AbortController();
      await clock.sleep(Math.min(dueAtMs - nowMs, refreshMs, WAKE_LOOK_MS), this.#sleeping.signal);
      this.#sleeping = undefined;
    }
    await clock.sleep(this.#cycleBeganMs + SHORTEST_PAUSE_MS - clock.now().monoMs, signal);
  }

  #interrupted(): boolean {
    return this.#woken || this.#ports.signal.aborted;
  }
}
