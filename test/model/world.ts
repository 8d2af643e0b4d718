import type { ConfigSource } from '../../src/config/source.js';
import { ConfigSourceError, type ConfigRevision } from '../../src/config/source.js';
import { pilotLabels } from '../../src/engine/pilot-container.js';
import type { Resources, RunMode, SeenMode } from '../../src/model.js';
import { loadPolicy } from '../../src/policy/load-policy.js';
import type { PolicyState } from '../../src/policy/policy-file.js';
import { aHost, someResources } from '../support/builders.js';
import { createFakeClock, type FakeClock } from '../support/fake-clock.js';
import { createFakeEngine, type FakeEngine } from '../support/fake-engine.js';
import { BAD_CONFIGS, configText, HOST_CPUS, IMAGES, RULES } from './configurations.js';
import { ModelDaemon, type Surroundings } from './daemon.js';
import { INSTANCE } from './containers.js';
import { Oracle } from './oracle.js';
import { Requests } from './requests.js';
import { applyStep } from './apply-step.js';
import type { OperatorAct, Step } from './schedule.js';

const HOST = aHost({ ncpus: HOST_CPUS });
const PULL_MS = 4_000;

const rulesStates: readonly PolicyState[] = RULES.map(({ text }) => {
  if (text === undefined) return { ok: false, why: 'the policy is broken' };
  const verdict = loadPolicy({ file: 'policy.yaml', text });
  if (!verdict.ok) throw new Error(verdict.problems.map(({ message }) => message).join());
  return verdict;
});

/** A host, its engine, its owner and its operators; one daemon at a time. All that happens to it is a step. */
export class World {
  readonly clock: FakeClock = createFakeClock(1);
  readonly engine: FakeEngine;
  readonly requests: Requests;
  readonly oracle: Oracle;
  daemon: ModelDaemon | undefined;
  foreign: number | undefined = 0;
  mode: SeenMode = 'active';
  memory: 'plenty' | 'short' | 'unknown' = 'plenty';
  /** How long pilots live; undefined: for ever. Ms. */
  lifetimeMs: number | undefined;
  rules = 0;
  readonly #seed: number;
  #daemons = 0;
  #names = 0;
  #revisions = 0;
  /** What is checked out on the host, and what the git server has. */
  #disk: ConfigRevision;
  #pushed: ConfigRevision;
  /** The git server does not answer. */
  sourceAway = false;

  constructor(seed: number, firstNumber: number) {
    this.#seed = seed;
    this.engine = createFakeEngine({
      clock: this.clock,
      images: IMAGES,
      behave: () => ({ lifetimeMs: this.lifetimeMs }),
    });
    this.engine.pullMs = PULL_MS;
    this.oracle = new Oracle(this.engine, this.clock, {
      foreign: () => this.foreign ?? 0,
      revisionInForce: () => this.daemon?.keeper.state.inForce?.revision.id ?? '',
    });
    this.requests = new Requests(this.clock, this.oracle);
    this.#disk = this.#revision(firstNumber, configText(firstNumber));
    this.#pushed = this.#disk;
    for (const kind of [0, 1, 2, 3, 4, 5]) this.addForeign(kind);
  }

  /** Starts a daemon if none runs. */
  async startDaemon(): Promise<void> {
    if (this.daemon?.lives === true) return;
    // An operator who starts it again after a stop means it to work.
    if (this.daemon?.ended?.startsWith('force-stop') === true) this.mode = 'active';
    if (this.daemon?.ended === 'drain-stop') this.mode = 'drain';
    this.#daemons += 1;
    this.oracle.daemonStarts(this.#daemons);
    this.daemon = new ModelDaemon(this.#daemons, this.#surroundings());
    await this.daemon.start();
    await this.clock.settle();
  }

  killDaemon(): void {
    this.daemon?.kill();
  }

  /** Everything works again; what is under way still takes its time. */
  heal(): void {
    this.requests.heal();
    this.engine.events.lost = false;
    this.sourceAway = false;
  }

  /** Does one thing, lets all that follows at once happen, and looks at what others own. */
  async step(step: Step): Promise<void> {
    await applyStep(this, step);
    await this.clock.settle();
    this.oracle.checkDecoys();
    const broken = this.daemon?.broken;
    if (broken !== undefined) this.oracle.fail('P0', `the loop broke: ${broken.stack ?? broken.message}`);
  }

  pushBad(number: number): void {
    this.#pushed = this.#revision(undefined, BAD_CONFIGS[number] ?? '');
    this.daemon?.reload();
  }

  push(number: number): void {
    this.#pushed = this.#revision(number, configText(number));
    this.daemon?.reload();
  }

  setMode(mode: SeenMode): void {
    this.mode = mode;
    this.daemon?.wake();
  }

  setImages(here: boolean): void {
    for (const image of IMAGES) {
      if (here) this.engine.images.set(image, `sha256:${image}`);
      else this.engine.images.delete(image);
    }
  }

  setRegistry(has: boolean): void {
    for (const image of IMAGES) {
      if (has) this.engine.registry.set(image, `sha256:${image}`);
      else this.engine.registry.delete(image);
    }
  }

  /** Images and registry as they should be. */
  restoreImages(): void {
    this.setImages(true);
    this.setRegistry(true);
  }

  addForeign(kind: number): void {
    this.#names += 1;
    const name = `plancton-worker-f${String(this.#names).padStart(5, '0')}`;
    const managed = { [pilotLabels.managed]: 'true' };
    const ours = { ...managed, [pilotLabels.instance]: INSTANCE };
    const labels = [
      {},
      { ...ours, [pilotLabels.name]: 'another', [pilotLabels.image]: 'site/a:1' },
      { ...managed, [pilotLabels.instance]: 'another', [pilotLabels.name]: name },
      managed,
      { ...ours, [pilotLabels.image]: 'foreign' },
    ][kind];
    const imageLabels = kind === 5 ? { ...ours, [pilotLabels.name]: name } : {};
    this.oracle.addDecoy(this.engine.addForeign(name, labels, imageLabels));
  }

  async restartEngine(liveRestore: boolean, awayMs: number): Promise<void> {
    this.requests.breakOff();
    this.engine.events.cut();
    if (!liveRestore)
      for (const { id, name, state } of this.oracle.own()) {
        if (state !== 'running') continue;
        this.requests.stuck.delete(id);
        this.engine.exit(name, 137);
      }
    this.requests.away = true;
    await this.clock.advance(awayMs);
    this.requests.away = false;
  }

  withOne(which: number, act: (one: { id: string; name: string; state: string }) => void): void {
    const own = this.oracle.own();
    const one = own[which % own.length];
    if (one !== undefined) act(one);
  }

  exit(which: number, code: number): void {
    this.withOne(which, ({ id, name, state }) => {
      if (state === 'running' && !this.requests.stuck.has(id)) this.engine.exit(name, code);
    });
  }

  async operate(act: OperatorAct, which: number): Promise<void> {
    const own = this.oracle.own();
    const one = own[which % own.length];
    if (one === undefined || this.requests.stuck.has(one.id)) return;
    switch (act) {
      case 'kill':
        if (one.state === 'running') this.engine.exit(one.name, 137);
        return;
      case 'remove':
        await this.engine.removePilot(one.id);
        return;
      case 'rename':
        this.#names += 1;
        one.name = `kept-${this.#names}`;
        return;
      case 'pause':
        if (one.state === 'running') this.engine.pause(one.name);
        return;
      case 'unpause':
        if (one.state === 'paused') this.engine.unpause(one.name);
    }
  }

  #revision(number: number | undefined, text: string): ConfigRevision {
    this.#revisions += 1;
    const id = `r${this.#revisions}`;
    this.oracle.revisions.set(id, number);
    return { id, layers: [{ file: 'config.yaml', text }] };
  }

  #source(): ConfigSource {
    return {
      describe: () => 'the model',
      current: () => Promise.resolve(this.#disk),
      unedited: () => Promise.resolve(undefined),
      candidate: () => {
        if (this.sourceAway) return Promise.reject(new ConfigSourceError('unreachable', 'the git server is away'));
        return Promise.resolve(this.#pushed.id === this.#disk.id ? undefined : this.#pushed);
      },
      accept: (revision) => {
        this.#disk = revision;
        return Promise.resolve();
      },
    };
  }

  #surroundings(): Surroundings {
    const { clock, oracle } = this;
    return {
      clock,
      host: HOST,
      instance: INSTANCE,
      seed: this.#seed,
      source: this.#source(),
      engine: (daemon, lives) => this.requests.port(this.engine, daemon, lives),
      foreign: () => this.foreign,
      resources: () => this.#resources(),
      mode: () => this.#readMode(),
      rules: () => {
        oracle.readRules(this.rules);
        return rulesStates[this.rules] ?? { ok: false, why: 'no such rules' };
      },
      watch: oracle,
    };
  }

  #readMode(): Promise<RunMode> {
    this.oracle.readMode(this.mode);
    return this.mode === 'unknown'
      ? Promise.reject(new Error('the run directory cannot be read'))
      : Promise.resolve(this.mode);
  }

  #resources(): Resources {
    if (this.memory === 'unknown') return someResources({ memory: undefined });
    if (this.memory === 'plenty') return someResources();
    return someResources({
      memory: { availableBytes: 1e6, pilotsBytes: 0 },
      pressure: { memorySome10: 50, memorySome60: 50, ioFull60: 0 },
    });
  }
}
