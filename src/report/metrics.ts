import { Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import type { Capacity, GateReading } from '../decision.js';
import type { CpuSample, Outcome, SeenMode } from '../model.js';
import type { DaemonEvent, EventSink } from './event.js';
import type { Status } from './status.js';
import { addProcessMetrics, createMetricSet, type MetricSet } from './metric-set.js';

/** Figures for Prometheus, counted since they were first asked for. */
export interface Metrics {
  readonly sink: EventSink;
  readonly contentType: string;
  /** In the text format of Prometheus; `status`: the newest there is, which knows also of what happened before anybody asked. */
  text(status: Status | undefined): Promise<string>;
}

export interface MetricsOptions {
  /** Of this program: `VERSION+REVISION` or `VERSION`. */
  readonly version: string;
  readonly clock: Clock;
  /** When the configuration in force was put there, ms since 1970; undefined: not known. */
  readonly acceptedWallMs?: number | undefined;
}

const STATES = ['active', 'draining', 'stopping', 'waiting_engine', 'no_image', 'unknown'] as const;
type State = (typeof STATES)[number];

const STATE_OF_MODE: Readonly<Record<SeenMode, State>> = {
  active: 'active',
  drain: 'draining',
  'drain-stop': 'stopping',
  'force-stop': 'stopping',
  unknown: 'unknown',
};
const PILOT_STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead', 'unknown'] as const;
/** CPUs: sums of fractions are not exact. */
const ROUNDING = 1e-6;
/** Exit codes above this tell of a signal. */
const SIGNAL_BASE = 128;

type CycleEvent = Extract<DaemonEvent, { type: 'cycle' }>;

/** Which kind of end it was. */
function exitClass({ ended }: Outcome): string | undefined {
  if (ended === undefined) return undefined;
  if (ended.oomKilled) return 'oom';
  if (ended.exitCode === 0) return '0';
  return ended.exitCode > SIGNAL_BASE ? 'signal' : '1-127';
}

function lifeSeconds({ ended }: Outcome): number | undefined {
  if (ended?.startedWallMs === undefined || ended.finishedWallMs === undefined) return undefined;
  return Math.max(0, ended.finishedWallMs - ended.startedWallMs) / 1000;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** What is not known any more has no figure. */
function setOrRemove(gauge: MetricSet['fitting'], value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

/** Turns events into the figures of one daemon. */
class DaemonMetrics implements Metrics {
  readonly #clock: Clock;
  readonly #registry = new Registry();
  readonly #set: MetricSet = createMetricSet(this.#registry);
  #lastSeq: number | undefined;
  /** Since when pilots hold more than others leave them. Monotonic. */
  #overSinceMs: number | undefined;
  #mode: SeenMode = 'unknown';
  #isLost = false;
  #hasImage = true;

  constructor({ version, clock, acceptedWallMs }: MetricsOptions) {
    this.#clock = clock;
    if (acceptedWallMs !== undefined) this.#set.reloadedAt.set(acceptedWallMs / 1000);
    const [release = '', revision = ''] = version.split('+', 2);
    this.#set.buildInfo.set({ version: release, revision, node_version: process.version }, 1);
    this.#set.up.set(1);
    addProcessMetrics(this.#registry, clock);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(status: Status | undefined): Promise<string> {
    if (status !== undefined) this.#noteStatus(status);
    return this.#registry.metrics();
  }

  readonly sink: EventSink = (event) => {
    if (event.type === 'engine-called') this.#noteCall(event);
    else if (event.type === 'cycle') this.#noteCycle(event);
    else if (event.type === 'cycle-held') this.#noteHeld(event);
    else if (event.type === 'action-ended') this.#noteOutcome(event.outcome);
    else if (event.type === 'engine-lost' || event.type === 'engine-found')
      this.#noteEngine(event.type === 'engine-found');
    else if (event.type === 'sink-trouble') this.#set.sinkTroubles.inc({ sink: event.sink });
    else if (event.type === 'mode-changed') this.#noteMode(event.mode);
    else this.#noteConfig(event);
  };

  #noteStatus({ mode, engine, image, config, faults, sinks, nextCycleInSeconds }: Status): void {
    this.#mode = mode;
    this.#hasImage = image.id !== null;
    this.#noteEngine(engine.failure === undefined);
    if (image.id === undefined) this.#set.imagePresent.remove();
    else this.#set.imagePresent.set(image.id === null ? 0 : 1);
    if (image.createdAt === undefined) this.#set.imageAge.remove();
    else this.#set.imageAge.set((this.#clock.now().wallMs - Date.parse(image.createdAt)) / 1000);
    this.#set.reloaded.set(config.refused === undefined ? 1 : 0);
    this.#set.stuck.set(faults.filter(({ code }) => code === 'pilot-stuck').length);
    this.#set.nextCycle.set(nextCycleInSeconds);
    this.#noteSinks(sinks);
  }

  #noteSinks(sinks: Status['sinks']): void {
    for (const figures of [this.#set.sinkUp, this.#set.sinkPoints, this.#set.sinkQueue]) figures.reset();
    for (const { name: sink, trouble, points } of sinks) {
      this.#set.sinkUp.set({ sink }, trouble === undefined ? 1 : 0);
      if (points === undefined) continue;
      this.#set.sinkPoints.inc({ sink, result: 'written' }, points.written);
      this.#set.sinkPoints.inc({ sink, result: 'lost' }, points.lost);
      this.#set.sinkQueue.set({ sink }, points.waiting);
    }
  }

  #noteEngine(isUp: boolean): void {
    this.#isLost = !isUp;
    this.#set.engineUp.set(isUp ? 1 : 0);
    this.#showState();
  }

  #state(): State {
    if (this.#isLost) return 'waiting_engine';
    return this.#mode === 'active' && !this.#hasImage ? 'no_image' : STATE_OF_MODE[this.#mode];
  }

  #showState(): void {
    const now = this.#state();
    for (const state of STATES) this.#set.state.set({ state }, state === now ? 1 : 0);
  }

  #noteCall({ op, code, tookMs }: Extract<DaemonEvent, { type: 'engine-called' }>): void {
    this.#set.engineCalls.inc({ op, code });
    this.#set.engineTimes.observe({ op }, tookMs / 1000);
  }

  #noteHeld({ tookMs }: Extract<DaemonEvent, { type: 'cycle-held' }>): void {
    this.#set.cycles.inc({ result: 'held' });
    this.#set.loopTimes.observe(tookMs / 1000);
  }

  #noteCycle({ observation, plan, tookMs }: CycleEvent): void {
    const { at, mode, pilots, sample, resources } = observation;
    const { maxDocks, admissible, promised } = plan.capacity;
    this.#set.cycles.inc({ result: 'done' });
    this.#set.loopTimes.observe(tookMs / 1000);
    this.#set.cycleAt.set(at.wallMs / 1000);
    this.#mode = mode;
    this.#hasImage = observation.image !== null;
    // A cycle that saw the pilots is proof enough.
    this.#noteEngine(true);
    for (const state of PILOT_STATES) {
      this.#set.pilots.set({ state }, pilots.filter((pilot) => pilot.state === state).length);
    }
    this.#set.most.set(maxDocks);
    setOrRemove(this.#set.fitting, admissible);
    this.#set.promised.set(promised);
    this.#set.limited.reset();
    for (const { gate } of plan.holds) this.#set.limited.set({ gate }, 1);
    this.#noteGates(plan.gates);
    this.#noteOverload(at.monoMs, plan.capacity);
    if (sample !== undefined && sample.seq !== this.#lastSeq) this.#noteSample(sample);
    setOrRemove(this.#set.memory, resources.memory?.availableBytes);
    setOrRemove(this.#set.disk, resources.disk?.freeBytes);
  }

  #noteGates(gates: CycleEvent['plan']['gates']): void {
    this.#set.gate.reset();
    const limits = gates.flatMap(({ gate, most }) => (most === null ? [] : [{ gate, most }]));
    for (const { gate, most } of limits) this.#set.gate.set({ gate }, most);
    setOrRemove(this.#set.launchable, limits.length === 0 ? undefined : Math.min(...limits.map(({ most }) => most)));
    const left = (name: GateReading['gate']) => gates.find(({ gate }) => gate === name)?.leftMs;
    setOrRemove(this.#set.coolDown, seconds(left('cool-down')));
    setOrRemove(this.#set.backOff, seconds(left('back-off')));
  }

  #noteOverload(nowMs: number, { promised, tolerable }: Capacity): void {
    const isOver = tolerable !== undefined && promised > tolerable + ROUNDING;
    this.#overSinceMs = isOver ? (this.#overSinceMs ?? nowMs) : undefined;
    // What others use is not known without a sample.
    setOrRemove(
      this.#set.overload,
      tolerable === undefined ? undefined : (nowMs - (this.#overSinceMs ?? nowMs)) / 1000,
    );
  }

  #noteSample({ seq, spanMs, cpus, busy, idle, own, service }: CpuSample): void {
    this.#lastSeq = seq;
    this.#set.hostCpus.set(cpus);
    this.#set.idle.set(idle / cpus);
    this.#set.used.set(1 - idle / cpus);
    const seconds = spanMs / 1000;
    this.#set.cpuSeconds.inc({ by: 'nobody' }, idle * seconds);
    if (own === undefined) return;
    const foreign = Math.max(0, busy - own - service);
    this.#set.foreign.set(foreign);
    this.#set.cpuSeconds.inc({ by: 'pilots' }, own * seconds);
    this.#set.cpuSeconds.inc({ by: 'others' }, foreign * seconds);
  }

  #noteOutcome(outcome: Outcome): void {
    const { action, result, error } = outcome;
    if (result === 'skipped') return;
    const kind = error?.kind ?? 'unknown';
    if (action.type === 'pull') this.#notePull(outcome);
    if (action.type === 'spawn') {
      if (result === 'done') this.#set.started.inc({ reason: action.reason });
      else this.#set.startFailures.inc({ kind });
    }
    if (action.type === 'remove') {
      if (result === 'done') this.#noteEnd(action.reason, outcome);
      else this.#set.removalFailures.inc({ kind });
    }
  }

  #notePull({ result, tookMs }: Outcome): void {
    this.#set.pulls.inc({ result });
    if (tookMs !== undefined) this.#set.pullTimes.observe(tookMs / 1000);
  }

  #noteEnd(reason: string, outcome: Outcome): void {
    this.#set.removed.inc({ reason });
    const seconds = lifeSeconds(outcome);
    if (seconds !== undefined) this.#set.lifetimes.observe({ reason }, seconds);
    const end = reason === 'exited' ? exitClass(outcome) : undefined;
    if (end !== undefined) this.#set.exits.inc({ class: end });
  }

  #noteMode(mode: SeenMode): void {
    this.#mode = mode;
    this.#showState();
  }

  #noteConfig(event: DaemonEvent): void {
    const { type } = event;
    if (type === 'config-asked') this.#set.syncs.inc({ result: event.answered ? 'done' : 'failed' });
    if (type === 'config-refused') this.#set.reloads.inc({ result: 'refused' });
    if (type === 'config-rolled-back') this.#set.reloads.inc({ result: 'rolled_back' });
    if (type !== 'config-accepted') return;
    this.#set.reloads.inc({ result: 'accepted' });
    this.#set.reloadedAt.set(this.#clock.now().wallMs / 1000);
  }
}

/** Figures that have counted nothing yet. */
export function createMetrics(options: MetricsOptions): Metrics {
  return new DaemonMetrics(options);
}
