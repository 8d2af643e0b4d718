import { keys, type Config } from '../../src/config/schema.js';
import type { Plan } from '../../src/decision.js';
import type {
  Action,
  DropImageAction,
  EngineFailure,
  Observation,
  Outcome,
  Pilot,
  PullAction,
  RemoveAction,
  SpawnAction,
  CpuSample,
  Instant,
} from '../../src/model.js';
import { plan } from '../../src/plan/plan.js';
import { initialState, type State } from '../../src/plan/state.js';
import { anInstant, aPilot, aSample, anObservation } from './builders.js';

function defaults(): Omit<Config, 'max_docks'> {
  const values = Object.entries(keys)
    .filter(([name]) => name !== 'max_docks')
    .map(([name, key]) => [name, key.fallback === undefined ? undefined : key.schema.parse(key.fallback)]);
  return Object.fromEntries(values) as Omit<Config, 'max_docks'>;
}

const DEFAULTS = defaults();

/** The defaults of the schema, for eight pilots at most. */
export function aConfig(overrides: Partial<Config> = {}): Config {
  return { ...DEFAULTS, max_docks: 8, ...overrides };
}

export function spawnsOf({ actions }: Plan<State>): readonly SpawnAction[] {
  return actions.filter((action) => action.type === 'spawn');
}

export function removalsOf({ actions }: Plan<State>): readonly RemoveAction[] {
  return actions.filter((action) => action.type === 'remove');
}

export function pullsOf({ actions }: Plan<State>): readonly PullAction[] {
  return actions.filter((action) => action.type === 'pull');
}

export function dropsOf({ actions }: Plan<State>): readonly DropImageAction[] {
  return actions.filter((action) => action.type === 'drop-image');
}

/** The outcome of an action that went well. */
export function done(action: Action): Outcome {
  return { action, result: 'done', error: undefined, ended: undefined };
}

export function failed(action: Action, kind: EngineFailure['kind'], message = `it was ${kind}`): Outcome {
  return { action, result: 'failed', error: { kind, message }, ended: undefined };
}

/** Names of evicted pilots, in the order of the plan. */
export function evictedBy(decision: Plan<State>): readonly string[] {
  return removalsOf(decision)
    .filter(({ reason }) => reason === 'evicted')
    .map(({ pilot }) => pilot.name);
}

export function gatesOf({ holds }: Plan<State>): readonly string[] {
  return holds.map(({ gate }) => gate);
}

/** `count` running pilots p0, p1, ...; each was started a second after the one before, so the last is the youngest. */
export function pilotsOf(count: number, overrides: Partial<Pilot> = {}): readonly Pilot[] {
  return Array.from({ length: count }, (_, index) =>
    aPilot({
      name: `p${String(index).padStart(3, '0')}`,
      spawnedBootMs: 1_800_000 + 1000 * index,
      createdWallMs: anInstant().wallMs - 1_800_000 + 1000 * index,
      ...overrides,
    }),
  );
}

/** The pilots, with one of them changed. */
export function withPilot(pilots: readonly Pilot[], index: number, changes: Partial<Pilot>): readonly Pilot[] {
  return pilots.map((pilot, at) => (at === index ? { ...pilot, ...changes } : pilot));
}

/** The first of a list that must not be empty. */
export function first<T>(list: readonly T[]): T {
  const [found] = list;
  if (found === undefined) throw new Error('the list is empty');
  return found;
}

/** Makes any write to a value, however deep, throw. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(part);
  }
  return value;
}

export interface Look extends Partial<Omit<Observation, 'sample' | 'at'>> {
  /** Seconds since the look before; `main_sleep` unless given. */
  readonly after?: number;
  /** What the new sample says; null = no new one, the last is seen again. */
  readonly load?: Partial<CpuSample> | null;
  /** Replaces the configuration from here on. */
  readonly config?: Config;
  /** The wall clock stands this much ahead of where it should. */
  readonly wallAheadMs?: number;
}

/** The life of one daemon in a test: a look at a time, the state carried along. */
export interface Story {
  look(look?: Look): Plan<State>;
  readonly state: State;
}

/** Starts at the moment of `anInstant`; each look takes a new sample of `ncpus` CPUs (8), idle unless `load` says otherwise. */
export function aStory(initial: Config, base: Partial<Observation> = {}): Story {
  let config = initial;
  let state = initialState(7);
  let elapsedMs = 0;
  let sample: CpuSample | undefined;
  let looks = 0;
  return {
    get state() {
      return state;
    },
    look({ after = config.main_sleep, load = {}, config: next = config, wallAheadMs = 0, ...seen } = {}) {
      config = next;
      if (looks > 0) elapsedMs += after * 1000;
      looks += 1;
      const start = anInstant();
      const at: Instant = {
        wallMs: start.wallMs + elapsedMs + wallAheadMs,
        monoMs: start.monoMs + elapsedMs,
        bootMs: start.bootMs + elapsedMs,
      };
      const cpus = base.host?.ncpus ?? 8;
      if (load !== null) {
        sample = aSample({ cpus, seq: (sample?.seq ?? 0) + 1, monoMs: at.monoMs, spanMs: after * 1000, ...load });
      }
      const decision = plan(config, anObservation({ ...base, ...seen, at, sample }), state);
      state = decision.state;
      return decision;
    },
  };
}
