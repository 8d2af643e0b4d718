import type { Clock } from '../../src/clock.js';
import type { EngineError } from '../../src/engine/container-engine.js';
import type { Action, CpuSample, Outcome, PilotState, Resources, SeenMode } from '../../src/model.js';
import type { State } from '../../src/plan/state.js';
import type { FakeContainer } from '../support/fake-container.js';
import type { FakeEngine } from '../support/fake-engine.js';
import { RULES, SETTINGS } from './configurations.js';
import { firstName, isAlive, isOwn } from './containers.js';
import type { DaemonWatch } from './daemon.js';
import { judgeActions } from './judge-actions.js';
import { freshKnowledge, type Knowledge } from './knowledge.js';
import type { EngineRequest, RequestWatch } from './requests.js';

/** Calls that change something. */
const MUTATING = ['startPilot', 'stopPilot', 'pausePilot', 'unpausePilot', 'removePilot'];

/** After such an error nobody knows what the engine has done, or will do yet. */
const UNANSWERED: readonly EngineError['kind'][] = ['timeout', 'unreachable', 'malformed'];

/**
 * Watches what a daemon is told, what it decides and what reaches the engine, and says which promise is broken. It shares no code with what
 * decides: it knows the truth, which the daemon does not.
 */
export class Oracle implements RequestWatch, DaemonWatch {
  readonly engine: FakeEngine;
  readonly clock: Clock;
  violation: string | undefined;
  known: Knowledge;
  /** The highest cap under which each pilot was, from the decision to its start. */
  readonly caps = new Map<string, number>();
  /** Number of the configuration of each revision; undefined: a bad one. */
  readonly revisions = new Map<string, number | undefined>();
  /** Those that were asked to start, by whomever, and may yet do so: by id, since when; monotonic. */
  readonly asked = new Map<string, number>();
  readonly #decoys = new Map<string, FakeContainer>();
  readonly #touches = new Map<string, { readonly sinceMs: number; count: number }>();
  readonly #truth: Truth;
  /** How often what was decided, and what became of starts. */
  readonly counts = new Map<string, number>();

  constructor(engine: FakeEngine, clock: Clock, truth: Truth) {
    this.engine = engine;
    this.clock = clock;
    this.#truth = truth;
    this.known = freshKnowledge(0, 0);
  }

  fail(rule: string, text: string): void {
    this.violation ??= `${rule}: ${text}`;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  own(): FakeContainer[] {
    return this.engine.pilots().filter(isOwn);
  }

  find(id: string): FakeContainer | undefined {
    return this.engine.containers().find((container) => container.id === id);
  }

  daemonStarts(daemon: number): void {
    this.known = freshKnowledge(daemon, this.clock.now().monoMs);
  }

  addDecoy(id: string): void {
    const container = this.find(id);
    if (container !== undefined) this.#decoys.set(id, container);
  }

  /** What others own is as it was. */
  checkDecoys(): void {
    if (this.#decoys.size === 0) return;
    const there = new Set(this.engine.containers().map(({ id }) => id));
    for (const [id, decoy] of this.#decoys) {
      if (!there.has(id) || decoy.state !== 'running') this.fail('P1', `${decoy.name} of others was touched`);
    }
  }

  arrived({ method, id, spec, daemon }: EngineRequest): void {
    const { known } = this;
    if (daemon !== known.daemon) this.fail('P8', `daemon ${daemon} is dead and sends ${method}`);
    if (method === 'listPilots') this.#countList();
    if (method === 'createPilot' && spec !== undefined) this.#judgeCreate(spec.name);
    if (id === undefined || !MUTATING.includes(method)) return;
    this.#judgeTouch(method, id);
    if (method === 'startPilot') this.#judgeStart(id);
    if (method === 'pausePilot') known.frozen.add(id);
  }

  #countList(): void {
    const { known } = this;
    known.lists += 1;
    if (known.lists > 1) this.fail('P12', 'two lists are in flight');
  }

  #judgeCreate(name: string): void {
    const { known } = this;
    if (!known.starting.has(name)) this.fail('P3', `${name} is made and no cycle has decided it`);
    if (!known.stopped) return;
    if (known.mode === 'active') this.fail('P3', `${name} is made after a cycle without a list`);
    else this.fail('P6', `${name} is made after a cycle has seen mode ${known.mode ?? '?'}`);
  }

  #judgeTouch(method: string, id: string): void {
    const container = this.find(id);
    if (container === undefined) return;
    const { monoMs } = this.clock.now();
    if (!isOwn(container)) this.fail('P1', `${method} of ${container.name}, which is not ours`);
    const touches = this.#touches.get(id) ?? { sinceMs: monoMs, count: 0 };
    touches.count += 1;
    this.#touches.set(id, touches);
    if (touches.count > 20 + (3 * (monoMs - touches.sinceMs)) / 1000) {
      this.fail('P7', `${container.name} was touched ${touches.count} times: ${method}`);
    }
    if (method === 'stopPilot' || method === 'removePilot') this.#judgeEnd(method, container);
  }

  #judgeEnd(method: string, container: FakeContainer): void {
    const { known } = this;
    const { id } = container;
    if (!known.leaving.has(id) && !known.made.has(id)) {
      this.fail('P4', `${method} of ${container.name} without a decision`);
    }
    // What could not be started is taken away again.
    if (isAlive(container) && !known.leaving.has(id) && !known.givenUp.has(firstName(container))) {
      this.fail('P4', `${method} of ${container.name}, which runs, without a decision`);
    }
  }

  #judgeStart(id: string): void {
    const { known } = this;
    const container = this.find(id);
    this.asked.set(id, this.clock.now().monoMs);
    if (!known.made.has(id)) this.fail('P3', `start of ${id}, which this daemon has not made`);
    const image = container?.spec?.image;
    if (image !== undefined && !known.rules.images.includes(image)) {
      this.fail('P5', `${image} is started and not allowed`);
    }
  }

  executed(request: EngineRequest): void {
    const { method, spec, id, daemon } = request;
    const { known } = this;
    if (method === 'listPilots' && daemon === known.daemon) {
      this.#snapshots.set(request, new Map(this.own().map((pilot) => [pilot.id, pilot.state])));
    }
    if (method === 'createPilot' && spec !== undefined && daemon === known.daemon) {
      const made = this.own().find((one) => firstName(one) === spec.name);
      if (made !== undefined) known.made.set(made.id, spec.name);
    }
    if (method === 'startPilot' && id !== undefined) this.#judgeAlive(id);
  }

  readonly #snapshots = new WeakMap<EngineRequest, ReadonlyMap<string, PilotState>>();

  #judgeAlive(id: string): void {
    const container = this.find(id);
    if (container === undefined || !isAlive(container)) return;
    const alive = this.own().filter(isAlive).length;
    const cap = this.caps.get(firstName(container)) ?? 0;
    if (alive > cap)
      this.fail('P2', `${alive} pilots are alive after the start of ${container.name}, the cap is ${cap}`);
  }

  replied(request: EngineRequest, error: EngineError | undefined): void {
    const { known } = this;
    if (request.method === 'findImage') known.imageKnown = error === undefined;
    this.#forgetStart(request, error);
    if (request.method !== 'listPilots') return;
    known.lists -= 1;
    known.list = error === undefined ? this.#snapshots.get(request) : undefined;
    for (const id of known.list?.keys() ?? []) known.seen.add(id);
  }

  /** What the engine has refused without doing it will not be done, nor will what it calls gone be started. */
  #forgetStart({ method, id, executed }: EngineRequest, error: EngineError | undefined): void {
    if (id === undefined || error === undefined) return;
    const refused = method === 'startPilot' && !executed && !UNANSWERED.includes(error.kind);
    const gone = method === 'removePilot' && error.kind === 'not-found';
    if (refused || gone) this.asked.delete(id);
  }

  looks(): void {
    const { known } = this;
    known.list = undefined;
    const revision = this.#truth.revisionInForce();
    const number = this.revisions.get(revision);
    if (number === undefined) this.fail('P10', `revision ${revision} is in force`);
    known.number = number ?? 0;
    const { image } = known.settings;
    known.settings = SETTINGS[known.number] ?? known.settings;
    // Another image in between makes it a new wish.
    if (known.settings.image !== image) known.pulls.clear();
  }

  readRules(number: number): void {
    const { known } = this;
    known.rules = RULES[number] ?? known.rules;
    if (known.rules.text !== undefined) known.validRules = known.rules;
  }

  readMode(mode: SeenMode): void {
    this.known.mode = mode;
  }

  /** The cap that this cycle goes by. */
  get cap(): number {
    return Math.min(this.known.settings.cap, this.known.validRules?.mostDocks ?? Infinity);
  }

  sampled(sample: CpuSample): void {
    const { known } = this;
    known.samples.push({ ...sample, foreign: this.#truth.foreign(), starts: known.startsSinceSample });
    if (known.samples.length > 30) known.samples.shift();
    known.startsSinceSample = 0;
    const first = known.settings.pace;
    known.step = known.settings.growth === 'doubling' ? Math.max(first, 2 * known.grown) : first;
    known.grown = 0;
  }

  measured(resources: Resources): void {
    const { known } = this;
    known.resources = resources;
    const short = (resources.pressure?.memorySome10 ?? 0) > 0;
    known.memoryShortSinceMs = short ? (known.memoryShortSinceMs ?? this.clock.now().monoMs) : undefined;
  }

  decided(actions: readonly Action[]): void {
    const { known } = this;
    known.stopped = known.mode !== 'active';
    for (const [name, cap] of this.caps) if (cap < this.cap) this.caps.set(name, this.cap);
    this.count('cycle');
    for (const action of actions) this.count('reason' in action ? `${action.type} ${action.reason}` : action.type);
    judgeActions(this, actions);
  }

  ended({ action, result }: Outcome): void {
    this.count(`${action.type} ${result}`);
    // Where that has failed it has to be decided anew.
    if (action.type === 'remove' && result === 'failed') {
      this.known.leaving.delete(action.pilot.id);
      this.known.resisting.add(action.pilot.id);
    }
    if (action.type !== 'spawn') return;
    this.known.starting.delete(action.spec.name);
    if (result !== 'done') this.known.givenUp.add(action.spec.name);
    // Who was not even tried has replaced nobody.
    if (result === 'skipped' && action.reason === 'replacement') this.known.replacements -= 1;
  }

  held(): void {
    this.count('cycle held');
    this.known.stopped = true;
  }

  cycled({ samples, tracked }: State): void {
    const listed = this.known.list?.size ?? 0;
    if (samples.length > 16) this.fail('P12', `${samples.length} samples are kept`);
    if (tracked.size > listed) this.fail('P12', `${tracked.size} pilots are tracked and ${listed} listed`);
    const { monoMs } = this.clock.now();
    const seconds = (monoMs - this.known.sinceMs) / 1000;
    this.known.cycles += 1;
    if (this.known.cycles > 20 + 10 * seconds) this.fail('P12', `${this.known.cycles} cycles in ${seconds} s`);
  }
}

/** What the oracle asks the world. */
export interface Truth {
  foreign(): number;
  revisionInForce(): string;
}
