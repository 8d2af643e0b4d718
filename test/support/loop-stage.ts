import { createExecutor } from '../../src/act/execute.js';
import type { Clock } from '../../src/clock.js';
import { createConfigKeeper, type Verdict } from '../../src/config/keeper.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { ConfigRevision, ConfigSource } from '../../src/config/source.js';
import { ControlLoop, type LoopEnd } from '../../src/daemon/control-loop.js';
import { isReasonToLook } from '../../src/plan/reason-to-look.js';
import { PilotEvents } from '../../src/daemon/pilot-events.js';
import type { HostFacts, Resources, SeenMode } from '../../src/model.js';
import type { HostSampler } from '../../src/observe/host-sampler.js';
import { createObserver } from '../../src/observe/observe.js';
import { PilotUsages } from '../../src/observe/pilot-usage.js';
import type { PilotCgroup } from '../../src/observe/pilot-cgroup.js';
import type { DaemonEvent } from '../../src/report/event.js';
import { aHost, someResources } from './builders.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';
import { createFakeEngine, type Behaviour, type FakeEngine } from './fake-engine.js';

export interface StageOptions {
  /** YAML of the configuration. */
  readonly config?: string;
  readonly host?: Partial<HostFacts>;
  readonly behave?: () => Behaviour;
  readonly images?: readonly string[];
  /** The loop is woken by the engine's events; else it is deaf to them. */
  readonly hears?: boolean;
}

/** The real loop, observer, plan and executor on a stage: fake engine, fake clock, a host whose load the test sets. */
export interface LoopStage {
  readonly clock: FakeClock;
  readonly engine: FakeEngine;
  readonly events: DaemonEvent[];
  /** CPUs used by others; undefined: the host cannot be read. */
  foreign: number | undefined;
  /** `unknown`: the run directory cannot be read. */
  mode: SeenMode;
  /** What the policy of the host does not allow. */
  refusals: readonly string[];
  /** Revisions that nobody vouches for any more. */
  distrusted: readonly string[];
  /** What it caps. */
  caps: Partial<Config>;
  /** What the host has beside CPUs. */
  resources: Resources;
  /** The configuration at the source; looked at every `updateconfig`. */
  revision: ConfigRevision;
  readonly loop: ControlLoop;
  /** Starts the loop and lets the first cycle run. */
  start(): Promise<void>;
  /** Stops the loop as SIGTERM does. */
  stop(): Promise<LoopEnd | undefined>;
  /** What the loop ended with, if it has. */
  readonly ended: LoopEnd | undefined;
  /** Names of pilots in this state. */
  names(state?: string): string[];
  cycles(): number;
}

/** A group that lets its pilots yield. */
export const GROUP: PilotCgroup = {
  parent: '/plancton/test',
  yields: 'cgroup',
  readCpuNs: () => 0,
  readMemoryBytes: () => 0,
  usageOf: () => undefined,
  holds: () => true,
  state: () => 'as prepared',
  describe: () => 'a stage',
};

export function aRevision(id: string, text: string): ConfigRevision {
  return { id, layers: [{ file: 'config.yaml', text }] };
}

/** A loop on `stage.engine`; another one on the same engine and clock is a daemon that was restarted. */
export function setStage(options: StageOptions = {}, before?: LoopStage): LoopStage {
  const clock = before?.clock ?? createFakeClock();
  const images = options.images === undefined ? {} : { images: options.images };
  const behave = options.behave === undefined ? {} : { behave: options.behave };
  const engine = before?.engine ?? createFakeEngine({ clock, ...images, ...behave });
  const host = aHost(options.host);
  const stop = new AbortController();
  const events: DaemonEvent[] = [];
  let running: Promise<LoopEnd> | undefined;
  let ended: LoopEnd | undefined;
  let found = false;

  const source: ConfigSource = {
    describe: () => 'the stage',
    current: () => Promise.resolve(inForce),
    unedited: () => Promise.resolve(undefined),
    candidate: () => Promise.resolve(stage.revision.id === inForce.id ? undefined : stage.revision),
    accept: (revision) => {
      inForce = revision;
      return Promise.resolve();
    },
    distrust: (id) => Promise.resolve(stage.distrusted.includes(id) ? `nobody vouches for ${id}` : undefined),
  };
  let inForce = aRevision('r1', options.config ?? '');
  const load = (layers: ConfigRevision['layers']): Verdict<Config> => {
    const result = loadConfig(layers, host);
    return result.ok
      ? { ok: true, config: result.config, warnings: [] }
      : { ok: false, problems: result.problems.map((problem) => problem.message) };
  };
  const keeper = createConfigKeeper<Config>({ source, load, clock });
  const executor = createExecutor({
    clock,
    engine,
    instance: 'stage',
    cgroupParent: () => GROUP.parent,
    violations: () => Promise.resolve([]),
    takeEnd: (id) => pilotEvents.takeEnd(id),
    beforeRemoval: () => Promise.resolve(),
    onOutcome: (outcome) => {
      events.push({ type: 'action-ended', outcome, atWallMs: clock.now().wallMs });
      if (isReasonToLook(outcome)) loop.wake();
    },
    onProgress: () => undefined,
  });
  const pilotEvents = new PilotEvents({
    onLost: () => undefined,
    clock,
    engine,
    instance: 'stage',
    wake: () => {
      loop.wake();
    },
    publish: (event) => events.push(event),
    random: () => 0.5,
  });
  const observer = createObserver({
    clock,
    host,
    instance: 'stage',
    engine,
    readMode: () =>
      stage.mode === 'unknown' ? Promise.reject(new Error('no run directory')) : Promise.resolve(stage.mode),
    readMounts: () => Promise.resolve(''),
    sampler: fakeSampler(clock, host.ncpus, () => stage),
    readResources: () => Promise.resolve(stage.resources),
    group: () => GROUP,
    usages: new PilotUsages(
      () => GROUP,
      () => new Map(),
    ),
    inFlight: () => executor.inFlight(),
    takeOutcomes: () => executor.takeOutcomes(),
  });
  const loop = new ControlLoop(
    {
      clock,
      signal: stop.signal,
      keeper,
      executor,
      observer,
      narrow: (wanted) =>
        Promise.resolve({ config: { ...wanted, ...stage.caps }, clamps: [], refusals: stage.refusals }),
      connect: async () => {
        await engine.info();
      },
      confirm: () => {
        if (!found && options.hears === true) pilotEvents.engineFound();
        found = true;
      },
      disconnect: () => {
        found = false;
      },
      publish: (event) => events.push(event),
      onCycle: (cycle) => {
        if (!('failure' in cycle)) pilotEvents.compare(cycle.observation.pilots);
      },
    },
    7,
  );
  const stage: LoopStage = {
    clock,
    engine,
    events,
    foreign: 0,
    mode: 'active',
    refusals: [],
    distrusted: [],
    caps: {},
    resources: someResources(),
    revision: inForce,
    loop,
    async start() {
      await keeper.start();
      running = loop.run();
      void running.then((end) => (ended = end));
      await clock.settle();
    },
    async stop() {
      stop.abort();
      pilotEvents.close();
      // What was begun may have to wait for the clock.
      await clock.advance(20_000);
      return running;
    },
    get ended() {
      return ended;
    },
    names: (state = 'running') =>
      engine
        .pilots()
        .filter((pilot) => pilot.state === state)
        .map((pilot) => pilot.name),
    cycles: () => events.filter((event) => event.type === 'cycle').length,
  };
  return stage;
}

/** Pilots use what they were promised; others what the test says. */
export function fakeSampler(clock: Clock, cpus: number, stage: () => Pick<LoopStage, 'foreign'>): HostSampler {
  let last: number | undefined;
  let seq = 0;
  return {
    read: ({ pilots, duringPull, short }) => {
      const { foreign } = stage();
      if (foreign === undefined) return Promise.reject(new Error('the host cannot be read'));
      const { monoMs } = clock.now();
      const before = last;
      last = monoMs;
      if (before === undefined) return Promise.resolve(undefined);
      const asked = pilots
        .filter(({ state }) => state === 'running')
        .reduce((sum, { cpus: size }) => sum + (size ?? 1), 0);
      const own = Math.max(0, Math.min(asked, cpus - foreign));
      const busy = Math.min(cpus, own + foreign);
      seq += 1;
      const spanMs = monoMs - before;
      return Promise.resolve({
        seq,
        monoMs,
        spanMs,
        cpus,
        busy,
        idle: cpus - busy,
        own,
        service: 0,
        short,
        duringPull,
      });
    },
  };
}
