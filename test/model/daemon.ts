import { createExecutor, type Executor } from '../../src/act/execute.js';
import type { Clock } from '../../src/clock.js';
import { createConfigKeeper, type ConfigKeeper, type Verdict } from '../../src/config/keeper.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { ConfigSource } from '../../src/config/source.js';
import { ControlLoop, type LoopEnd } from '../../src/daemon/control-loop.js';
import { isReasonToLook } from '../../src/plan/reason-to-look.js';
import { PilotEvents } from '../../src/daemon/pilot-events.js';
import { createPolicyGate } from '../../src/daemon/policy-gate.js';
import type { ContainerEngine } from '../../src/engine/container-engine.js';
import type { Action, CpuSample, HostFacts, Outcome, Resources, RunMode } from '../../src/model.js';
import { createObserver } from '../../src/observe/observe.js';
import { PilotUsages } from '../../src/observe/pilot-usage.js';
import type { PolicyState } from '../../src/policy/policy-file.js';
import type { State } from '../../src/plan/state.js';
import { fakeSampler, GROUP } from '../support/loop-stage.js';

/** What is around a daemon, and who looks at what it is told and what it decides. */
export interface Surroundings {
  readonly clock: Clock;
  readonly host: HostFacts;
  readonly instance: string;
  readonly seed: number;
  readonly source: ConfigSource;
  readonly engine: (daemon: number, lives: () => boolean) => ContainerEngine;
  /** CPUs used by others; undefined: cannot be read. */
  readonly foreign: () => number | undefined;
  readonly resources: () => Resources;
  readonly mode: () => Promise<RunMode>;
  readonly rules: () => PolicyState;
  readonly watch: DaemonWatch;
}

/** Called at the moments that count, before anything follows from them. */
export interface DaemonWatch {
  looks(): void;
  sampled(sample: CpuSample): void;
  measured(resources: Resources): void;
  decided(actions: readonly Action[]): void;
  ended(outcome: Outcome): void;
  held(): void;
  cycled(state: State, revision: string): void;
}

const verdicts = new Map<string, Verdict<Config>>();

/** Reading the same text again and again would be most of the work. */
function load(text: string, host: HostFacts): Verdict<Config> {
  const known = verdicts.get(text);
  if (known !== undefined) return known;
  const result = loadConfig([{ file: 'config.yaml', text }], host);
  const verdict: Verdict<Config> = result.ok
    ? { ok: true, config: result.config, warnings: [] }
    : { ok: false, problems: result.problems.map(({ message }) => message) };
  verdicts.set(text, verdict);
  return verdict;
}

/** The real loop with all that decides and acts: keeper, policy gate, observer, plan, executor, events. */
export class ModelDaemon {
  readonly number: number;
  readonly keeper: ConfigKeeper<Config>;
  #lives = true;
  #loop: ControlLoop | undefined;
  readonly #around: Surroundings;
  readonly #events: PilotEvents;
  readonly #clock: Clock;
  readonly #executor: Executor;
  readonly #gate: ReturnType<typeof createPolicyGate>;
  readonly #engine: ContainerEngine;
  /** What the loop ended with, if it has. */
  ended: LoopEnd | undefined;
  /** A bug, if the loop ended with one. */
  broken: Error | undefined;

  constructor(number: number, around: Surroundings) {
    this.number = number;
    this.#around = around;
    const { clock, source, host, rules, watch, instance } = around;
    const lives = () => this.#lives;
    this.#clock = {
      now: () => clock.now(),
      sleep: (ms, signal) =>
        clock.sleep(ms, signal).then(() => (this.#lives ? undefined : new Promise<never>(() => undefined))),
    };
    this.#engine = around.engine(number, lives);
    this.#gate = createPolicyGate({
      hostPolicy: { file: 'policy.yaml', read: () => Promise.resolve(rules()) },
      clock: this.#clock,
      uid: 0,
      remote: true,
      own: () => ({ hidden: [], readOnly: [] }),
    });
    this.keeper = createConfigKeeper<Config>({
      source,
      clock: this.#clock,
      load: (layers) => {
        const verdict = load(layers[0]?.text ?? '', host);
        return this.keeper.state.inForce === undefined ? verdict : this.#gate.judge(verdict);
      },
    });
    const wake = () => this.#loop?.wake();
    const executor = createExecutor({
      clock: this.#clock,
      engine: this.#engine,
      instance,
      cgroupParent: () => GROUP.parent,
      violations: (settings, asked) => this.#gate.violations(settings, asked),
      takeEnd: () => undefined,
      beforeRemoval: () => Promise.resolve(),
      onOutcome: (outcome) => {
        watch.ended(outcome);
        if (isReasonToLook(outcome)) wake();
      },
      onProgress: () => undefined,
    });
    this.#executor = {
      ...bind(executor),
      begin: (actions) => {
        watch.decided(actions);
        executor.begin(actions);
      },
    };
    const engine = this.#engine;
    this.#events = new PilotEvents({
      onLost: () => undefined,
      clock: this.#clock,
      engine,
      instance,
      wake,
      publish: () => undefined,
      random: () => 0.5,
    });
  }

  get lives(): boolean {
    return this.#lives;
  }

  /** Until the first cycle has ended, or waits for something. */
  async start(): Promise<void> {
    await this.#gate.read();
    await this.keeper.start();
    this.#loop = this.#makeLoop();
    this.#loop.run().then(
      (end) => {
        this.kill();
        this.ended = end;
      },
      (error: unknown) => {
        this.kill();
        this.broken = error instanceof Error ? error : new Error('not an error', { cause: error });
      },
    );
  }

  reload(): void {
    this.#loop?.reload();
  }

  /** From now on nothing of it is heard, and it hears nothing. */
  kill(): void {
    this.#lives = false;
    this.#events.close();
  }

  wake(): void {
    this.#loop?.wake();
  }

  #makeLoop(): ControlLoop {
    const { host, instance, watch, seed, mode } = this.#around;
    const engine = this.#engine;
    const executor = this.#executor;
    const sampler = fakeSampler(this.#clock, host.ncpus, () => ({ foreign: this.#around.foreign() }));
    const observer = createObserver({
      clock: this.#clock,
      host,
      instance,
      engine,
      readMode: mode,
      readMounts: () => Promise.resolve(''),
      sampler: {
        read: async (look) => {
          const sample = await sampler.read(look);
          if (sample !== undefined) watch.sampled(sample);
          return sample;
        },
      },
      readResources: () => {
        const resources = this.#around.resources();
        watch.measured(resources);
        return Promise.resolve(resources);
      },
      group: () => GROUP,
      usages: new PilotUsages(
        () => GROUP,
        () => new Map(),
      ),
      inFlight: () => executor.inFlight(),
      takeOutcomes: () => executor.takeOutcomes(),
    });
    let found = false;
    /** In this cycle. What pilots were last started from is narrowed, too, after what is in force. */
    let looked = false;
    return new ControlLoop(
      {
        clock: this.#clock,
        signal: new AbortController().signal,
        keeper: this.keeper,
        executor,
        observer,
        narrow: (config) => {
          if (!looked) watch.looks();
          looked = true;
          return this.#gate.narrow(config);
        },
        connect: async () => {
          looked = false;
          if (!found) await engine.info();
        },
        confirm: () => {
          if (!found) this.#events.engineFound();
          found = true;
        },
        disconnect: () => {
          found = false;
        },
        publish: () => undefined,
        onCycle: (cycle) => {
          if ('failure' in cycle) {
            watch.held();
            return;
          }
          this.#events.compare(cycle.observation.pilots);
          watch.cycled(cycle.plan.state, cycle.observation.revision);
        },
      },
      seed + this.number,
    );
  }
}

function bind(executor: Executor): Executor {
  return {
    begin: (actions) => {
      executor.begin(actions);
    },
    withdrawStarts: () => {
      executor.withdrawStarts();
    },
    inFlight: () => executor.inFlight(),
    takeOutcomes: () => executor.takeOutcomes(),
    close: () => executor.close(),
  };
}
