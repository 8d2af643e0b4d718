import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import type {
  CpuSample,
  Observation,
  Outcome,
  Pilot,
  PilotState,
  Proof,
  SeenMode,
  YieldMode,
} from '../../src/model.js';
import { cpusOf } from '../../src/plan/census.js';
import { plan } from '../../src/plan/plan.js';
import { initialState, type State } from '../../src/plan/state.js';
import { runClosedLoop } from '../../src/simulate/closed-loop.js';
import { stepLoad } from '../../src/simulate/foreign-load.js';
import { anyResources } from '../support/any-resources.js';
import { aHost, anImage, anInstant, someResources } from '../support/builders.js';
import { aConfig, deepFreeze, evictedBy, pullsOf, removalsOf, spawnsOf } from '../support/plan-builders.js';

/** PLANCTON_PROPERTY_RUNS multiplies the cases, PLANCTON_PROPERTY_SEED chooses others. */
const FACTOR = Number(process.env['PLANCTON_PROPERTY_RUNS'] ?? 1);
const SEED = Number(process.env['PLANCTON_PROPERTY_SEED'] ?? 20_160_901);

function runs(count: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Math.ceil(count * FACTOR), seed: SEED };
}

const IMAGES = ['site/pilot:1', 'site/pilot:2', `site/pilot@sha256:${'a'.repeat(64)}`];
const NAMES = Array.from({ length: 12 }, (_, index) => `plancton-worker-${'p'.repeat(5)}${index.toString(36)}`);

const anyConfig: fc.Arbitrary<Config> = fc
  .record({
    policy: fc.constantFrom<Config['policy'][]>('capacity', 'capacity', 'legacy'),
    max_docks: fc.integer({ min: 0, max: 20 }),
    cpus_per_dock: fc.constantFrom(0.08, 0.5, 1, 1.5, 4),
    docks_per_loop: fc.integer({ min: 0, max: 30 }),
    docker_image: fc.constantFrom(...IMAGES),
    max_ttl: fc.constantFrom(1, 60, 7200),
    main_sleep: fc.constantFrom(1, 30, 300),
    grace_kill: fc.constantFrom(0, 100),
    grace_spawn: fc.constantFrom(0, 60),
    foreign_window: fc.constantFrom(0, 300),
    cpu_headroom: fc.constantFrom(0, 2, 100),
    cpu_slack: fc.constantFrom<Config['cpu_slack'][]>('auto', 0, 3),
    cpus: fc.constantFrom<Config['cpus'][]>('auto', 4),
    evict: fc.constantFrom<Config['evict'][]>('always', 'never'),
    growth: fc.constantFrom<Config['growth'][]>('doubling', 'fixed'),
    fizzle_seconds: fc.constantFrom(0, 10, 3600),
    backoff_seconds: fc.constantFrom(1, 10),
    backoff_max: fc.constantFrom(1, 300),
    reclaim: fc.constantFrom<Config['reclaim'][]>(['stop'], ['freeze', 'stop']),
    max_dock_mem: fc.constantFrom(0, 2e9, 8e9),
    min_free_mem: fc.constantFrom(0, 256e6, 4e9),
    min_free_disk: fc.constantFrom(0, 1e9),
  })
  .map((changes) => aConfig(changes));

/** What is fixed about a pilot for all its life. */
type Born = Omit<Pilot, 'state'>;

const anyBorn = (name: string): fc.Arbitrary<Born> =>
  fc.record({
    id: fc.constant(`id-${name}`),
    name: fc.constant(name),
    image: fc.constantFrom(...IMAGES),
    cpus: fc.constantFrom(undefined, 0.08, 1, 4),
    memoryBytes: fc.constantFrom(undefined, 0, 1e9, 4e9),
    flavour: fc.constant('default'),
    revision: fc.constant('r1'),
    spawnedBootMs: fc.option(fc.integer({ min: 0, max: 8_000_000 }), { nil: undefined }),
    bootId: fc.constantFrom(undefined, aHost().bootId, 'another-boot'),
    createdWallMs: fc.integer({ min: 0, max: 2 * anInstant().wallMs }),
    exitCode: fc.constant(undefined),
    adopted: fc.boolean(),
  });

const anyRoster = fc.tuple(...NAMES.map(anyBorn));

const anyState = fc.constantFrom<PilotState[]>(
  'created',
  'running',
  'running',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
  'unknown',
);

/** One look: what is there, however unlikely, and how long after the look before. */
interface AnyLook {
  readonly afterMs: number;
  readonly wallJumpMs: number;
  readonly fresh: boolean;
  readonly sample: Omit<CpuSample, 'seq' | 'monoMs'> | undefined;
  /** In what state each pilot of the roster is; undefined = it is not listed. */
  readonly states: readonly (PilotState | undefined)[];
  readonly seen: Pick<Observation, 'resources' | 'yields' | 'image' | 'mode' | 'inFlight'>;
  readonly refusals: readonly string[];
  readonly proof: Proof;
}

const anyLook: fc.Arbitrary<AnyLook> = fc.record({
  afterMs: fc.constantFrom(0, 1, 1000, 30_000, 200_000),
  wallJumpMs: fc.constantFrom(0, 0, 0, 3 * 86_400_000, -3 * 86_400_000),
  fresh: fc.boolean(),
  sample: fc.option(
    fc
      .record({
        spanMs: fc.constantFrom(1000, 30_000),
        cpus: fc.constantFrom(8, 16),
        busyPart: fc.double({ min: 0, max: 1, noNaN: true }),
        ownPart: fc.double({ min: 0, max: 1, noNaN: true }),
        ownKnown: fc.boolean(),
        short: fc.boolean(),
        duringPull: fc.boolean(),
      })
      .map(({ spanMs, cpus, busyPart, ownPart, ownKnown, short, duringPull }) => ({
        spanMs,
        cpus,
        busy: busyPart * cpus,
        idle: (1 - busyPart) * cpus,
        own: ownKnown ? ownPart * busyPart * cpus : undefined,
        service: 0,
        short,
        duringPull,
      })),
    { nil: undefined, freq: 8 },
  ),
  states: fc.tuple(...NAMES.map(() => fc.option(anyState, { nil: undefined, freq: 1 }))),
  refusals: fc.constantFrom<string[][]>([], [], [], ['the policy does not allow it']),
  proof: fc.constantFrom<Proof[]>('proven', 'on-probation', 'first'),
  seen: fc.record({
    resources: anyResources,
    yields: fc.constantFrom<YieldMode[]>('cgroup', 'cgroup', 'containers', 'none'),
    image: fc.constantFrom(anImage(), anImage(), anImage(), null, undefined),
    mode: fc.constantFrom<SeenMode[]>('active', 'active', 'active', 'drain', 'drain-stop', 'force-stop', 'unknown'),
    inFlight: fc.record({
      spawning: fc
        .subarray([...NAMES, 'plancton-worker-asked1', 'plancton-worker-asked2'], { maxLength: 4 })
        .map((names) => names.map((name) => ({ name, cpus: 1 }))),
      removing: fc.subarray(NAMES, { maxLength: 4 }).map((names) => names.map((name) => `id-${name}`)),
      pulling: fc.subarray(IMAGES),
    }),
  }),
});

interface Step {
  readonly config: Config;
  readonly observation: Observation;
  readonly before: State;
  readonly decision: ReturnType<typeof plan>;
}

/** Lets a daemon live through the looks; every input is frozen. */
function live(configs: readonly Config[], roster: readonly Born[], looks: readonly AnyLook[]): Step[] {
  let before = initialState(5);
  let at = anInstant();
  let sample: CpuSample | undefined;
  let outcomes: readonly Outcome[] = [];
  return looks.map((look, index) => {
    const config = configs[index % configs.length] ?? aConfig();
    const wallMs = at.wallMs + look.afterMs + look.wallJumpMs;
    at = { wallMs, monoMs: at.monoMs + look.afterMs, bootMs: at.bootMs + look.afterMs };
    if (look.sample === undefined) sample = undefined;
    else if (look.fresh || sample === undefined) {
      sample = { ...look.sample, seq: (sample?.seq ?? index * 100) + 1, monoMs: at.monoMs };
    }
    const observation: Observation = deepFreeze({
      ...look.seen,
      pilots: roster.flatMap((born, pilot) => {
        const state = look.states[pilot];
        return state === undefined ? [] : [{ ...born, state }];
      }),
      at,
      host: aHost(),
      instance: 'test',
      revision: 'r1',
      images: undefined,
      proof: look.proof,
      privateBinds: [],
      policy: { clamps: [], refusals: look.refusals },
      sample,
      outcomes,
    });
    deepFreeze(config);
    deepFreeze(before);
    const step = { config, observation, before, decision: plan(config, observation, before) };
    before = step.decision.state;
    outcomes = step.decision.actions
      .filter(({ type }) => type === 'freeze')
      .map((action) => ({ action, result: 'done', error: undefined, ended: undefined }));
    return step;
  });
}

/** Holds for every step of every life. */
function always(count: number, check: (step: Step) => void): void {
  fc.assert(
    fc.property(
      fc.array(anyConfig, { minLength: 1, maxLength: 2 }),
      anyRoster,
      fc.array(anyLook, { minLength: 1, maxLength: 12 }),
      (configs, roster, looks) => {
        live(configs, roster, looks).forEach(check);
      },
    ),
    runs(count),
  );
}

function growsByModel(config: Config, decision: Step['decision']): boolean {
  return config.policy === 'capacity' && spawnsOf(decision).some(({ reason }) => reason === 'growth');
}

describe('whatever is observed', () => {
  test('only pilots of the list are removed, each once, and none that is being removed', () => {
    always(300, ({ observation, decision }) => {
      const removals = removalsOf(decision);
      const ids = removals.map(({ pilot }) => pilot.id);

      expect(new Set(ids).size).toBe(ids.length);
      for (const { pilot } of removals) {
        expect(observation.pilots).toContain(pilot);
        expect(observation.inFlight.removing).not.toContain(pilot.id);
        expect(pilot.state).not.toBe('removing');
      }
    });
  });

  test('pilots started and those that hold a slot never exceed the cap, nor their CPUs the room', () => {
    always(300, ({ config, observation, decision }) => {
      const spawns = spawnsOf(decision);
      if (spawns.length === 0) return;
      const { pilots, inFlight } = observation;
      const holding = pilots.filter(({ state }) => !['exited', 'dead', 'removing'].includes(state));
      const listed = new Set(pilots.map(({ name }) => name));
      const asked = inFlight.spawning.filter(({ name }) => !listed.has(name));

      expect(holding.length + asked.length + spawns.length).toBeLessThanOrEqual(config.max_docks);
      if (config.policy === 'legacy') return;
      const held = [...holding.map((pilot) => cpusOf(config, pilot)), ...asked.map(({ cpus }) => cpus)];
      const taken = [...held, ...spawns.map(({ spec }) => spec.cpus)].reduce((sum, cpus) => sum + cpus, 0);
      expect(taken).toBeLessThanOrEqual((decision.capacity.room ?? -1) + 1e-6);
    });
  });

  test('growth stays within docks_per_loop per sample, or twice what it was before', () => {
    always(200, ({ config, before, decision, observation }) => {
      const growth = spawnsOf(decision).filter(({ reason }) => reason === 'growth').length;
      const isNew = observation.sample !== undefined && observation.sample.seq !== before.lastSeq;
      const doubles = config.growth === 'doubling' && config.policy === 'capacity' && !before.growth.spoiled;
      const step = Math.max(config.docks_per_loop, doubles ? 2 * before.growth.step : 0);
      const permitted = isNew ? step : before.tokens.growth;

      expect(growth).toBeLessThanOrEqual(config.policy === 'legacy' && !isNew ? 0 : permitted);
    });
  });

  test('of pilots that end too soon at most one is tried at a time, once three have in a row', () => {
    always(300, ({ config, decision }) => {
      if (config.policy === 'legacy' || decision.state.breaker.open === undefined) return;
      const spawns = spawnsOf(decision);

      expect(spawns.length).toBeLessThanOrEqual(1);
      expect(spawns.every(({ reason }) => reason === 'probe')).toBe(true);
    });
  });

  test('growth leaves min_free_mem when all pilots have taken what they may', () => {
    always(400, ({ config, observation, decision }) => {
      const { memory } = observation.resources;
      if (!growsByModel(config, decision) || config.min_free_mem === 0 || memory === null) return;
      const { pilots, inFlight } = observation;
      const holding = pilots.filter(({ state }) => !['exited', 'dead', 'removing'].includes(state));
      const asked = inFlight.spawning.filter(({ name }) => !pilots.some((pilot) => pilot.name === name)).length;
      const held = holding.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? config.max_dock_mem), 0);
      const owed = Math.max(0, held + asked * config.max_dock_mem - (memory?.pilotsBytes ?? 0));
      const spawns = spawnsOf(decision);
      const isFirst = holding.length + asked + spawns.length === 1;
      const started = isFirst ? 0 : spawns.reduce((sum, { spec }) => sum + spec.memoryBytes, 0);

      expect((memory?.availableBytes ?? 0) - owed - started).toBeGreaterThanOrEqual(config.min_free_mem);
    });
  });

  test('growth and a pull find room on the disk', () => {
    always(300, ({ config, observation, decision }) => {
      const { disk } = observation.resources;
      const takesRoom = growsByModel(config, decision) || pullsOf(decision).length > 0;
      if (!takesRoom || config.min_free_disk === 0 || disk === null) return;
      expect(disk?.freeBytes).toBeGreaterThanOrEqual(config.min_free_disk);
      expect(disk?.freeInodes).toBeGreaterThanOrEqual((disk?.totalInodes ?? 0) / 100);
    });
  });

  test('growth finds no sustained pressure, and leaves a tenth of the processes that there can be', () => {
    always(400, ({ config, observation, decision }) => {
      const { pressure, tasks } = observation.resources;
      if (!growsByModel(config, decision)) return;
      if (pressure !== null) expect(pressure?.memorySome60).toBeLessThan(10);
      if (pressure !== null) expect(pressure?.ioFull60).toBeLessThan(40);
      if (tasks !== null) expect(tasks?.count).toBeLessThan(0.9 * (tasks?.most ?? 0));
    });
  });

  test('replacement does not ask for memory, disk, calm or processes', () => {
    always(300, ({ config, observation, before, decision }) => {
      const resources = someResources();
      const roomy = plan(config, { ...observation, resources }, before);
      const replaced = (of: typeof decision) => spawnsOf(of).filter(({ reason }) => reason === 'replacement').length;

      expect(replaced(decision)).toBe(replaced(roomy));
    });
  });

  test('the legacy policy does not look at memory, pressure or processes, nor at the disk but for images', () => {
    always(100, ({ config, observation, before, decision }) => {
      if (config.policy !== 'legacy') return;
      const { disk } = observation.resources;
      const sameDisk = plan(config, { ...observation, resources: someResources({ disk }) }, before);
      const roomy = plan(config, { ...observation, resources: someResources() }, before);

      expect(sameDisk).toEqual(decision);
      expect(spawnsOf(roomy)).toEqual(spawnsOf(decision));
      expect(removalsOf(roomy)).toEqual(removalsOf(decision));
    });
  });

  test('nothing is started in any other mode than active, against the policy, without an image, or on an old or no sample', () => {
    always(300, ({ config, observation, decision }) => {
      if (spawnsOf(decision).length === 0) return;
      const newest = config.policy === 'legacy' ? observation.sample : decision.state.samples.at(-1);

      expect(observation.mode).toBe('active');
      expect(observation.policy.refusals).toEqual([]);
      expect(observation.image).not.toBeUndefined();
      expect(newest).toBeDefined();
      expect(observation.at.monoMs - (newest?.monoMs ?? 0)).toBeLessThanOrEqual(3000 * config.main_sleep);
    });
  });

  test('nobody is evicted but on a new sample, and by the capacity model only when the host is full', () => {
    always(300, ({ config, observation, before, decision }) => {
      if (evictedBy(decision).length === 0) return;
      const { sample } = observation;

      expect(sample).toBeDefined();
      expect(sample?.seq).not.toBe(before.lastSeq);
      if (config.policy === 'legacy') return;
      expect(config.evict).toBe('always');
      expect(sample?.own).toBeDefined();
      expect(sample?.duringPull).toBe(false);
    });
  });

  test('every pilot past its time to live goes, unless it is going already', () => {
    always(300, ({ config, observation, decision }) => {
      const { at, host, inFlight, pilots } = observation;
      const removed = new Set(removalsOf(decision).map(({ pilot }) => pilot.id));
      for (const { id, state, spawnedBootMs, bootId } of pilots) {
        const labelled = spawnedBootMs !== undefined && bootId === host.bootId;
        const sinceMs = labelled ? spawnedBootMs : (decision.state.tracked.get(id)?.firstSeenBootMs ?? Infinity);
        const late = at.bootMs - sinceMs > config.max_ttl * 1000;
        if (late && !inFlight.removing.includes(id) && state !== 'removing') expect(removed).toContain(id);
      }
    });
  });

  test('force-stop removes all that is not going already and begins nothing', () => {
    always(200, ({ observation, decision }) => {
      if (observation.mode !== 'force-stop') return;
      const removed = new Set(removalsOf(decision).map(({ pilot }) => pilot.id));
      const left = observation.pilots.filter(
        ({ id, state }) => !removed.has(id) && state !== 'removing' && !observation.inFlight.removing.includes(id),
      );

      expect(left).toStrictEqual([]);
      expect(spawnsOf(decision)).toHaveLength(0);
      expect(pullsOf(decision)).toHaveLength(0);
    });
  });

  test('names of new pilots are new, images are pulled one at a time', () => {
    always(200, ({ observation, decision }) => {
      const names = spawnsOf(decision).map(({ spec }) => spec.name);
      const taken = [...observation.pilots, ...observation.inFlight.spawning].map(({ name }) => name);

      expect(new Set([...names, ...taken]).size).toBe(names.length + new Set(taken).size);
      for (const { reference } of pullsOf(decision)) expect(observation.inFlight.pulling).not.toContain(reference);
    });
  });

  test('the same input gives the same plan, and no input is changed', () => {
    always(200, ({ config, observation, before, decision }) => {
      expect(plan(structuredClone(config), structuredClone(observation), structuredClone(before))).toEqual(decision);
    });
  });

  test('what is remembered does not grow', () => {
    always(100, ({ observation, decision }) => {
      const listed = observation.pilots.map(({ id }) => id);

      expect([...decision.state.tracked.keys()].every((id) => listed.includes(id))).toBe(true);
    });
  });
});

interface ConstantCase {
  readonly ncpus: number;
  readonly size: number;
  readonly foreignPart: number;
  readonly startPart: number;
  readonly mainSleep: number;
  readonly graceKill: number;
  readonly docksPerLoop: number;
  readonly pilotSeconds: number;
  readonly seed: number;
}

const constantCase: fc.Arbitrary<ConstantCase> = fc.record({
  ncpus: fc.integer({ min: 1, max: 128 }),
  size: fc.constantFrom(0.08, 0.1, 0.25, 0.3, 0.5, 1, 1.5, 2, 3, 4),
  foreignPart: fc.double({ min: 0, max: 1, noNaN: true }),
  startPart: fc.double({ min: 0, max: 1.5, noNaN: true }),
  mainSleep: fc.constantFrom(10, 30, 60),
  graceKill: fc.constantFrom(0, 30, 120),
  docksPerLoop: fc.constantFrom(1, 4, 24),
  pilotSeconds: fc.constantFrom(45, 600, 86_400),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

/** An hour under a load that never changes, from any number of pilots. */
function underConstantLoad(given: ConstantCase) {
  const { ncpus, size, mainSleep } = given;
  // Hundreds of small pilots say no more than a few dozen of them.
  const cpus = Math.max(1, Math.min(ncpus, Math.floor(size * 60)));
  const foreign = given.foreignPart * cpus;
  const slack = Math.max(0.5, 0.02 * cpus);
  const room = cpus - Math.max(0, foreign - slack);
  const startWith = Math.floor((given.startPart * room) / size);
  const config = aConfig({
    max_docks: 10_000,
    cpus_per_dock: size,
    main_sleep: mainSleep,
    grace_kill: given.graceKill,
    docks_per_loop: given.docksPerLoop,
  });
  const result = runClosedLoop({
    config,
    hours: 1,
    wake: 'timer',
    startWith,
    host: {
      ncpus: cpus,
      pilot: { seconds: given.pilotSeconds, jitter: 0.3, cpu: 1 },
      foreign: stepLoad([{ at: 0, cpus: foreign }]),
      yields: 'cgroup',
      startCost: config.start_cost,
      slack,
      fizzleSeconds: 10,
      seed: given.seed,
    },
  });
  return { result, tolerable: room + config.evict_margin, held: startWith * size, size, cpus, foreign, slack };
}

describe('under a constant foreign load', () => {
  test('nobody is ever evicted from within what is tolerable', () => {
    fc.assert(
      fc.property(constantCase, (given) => {
        const { result, held, tolerable } = underConstantLoad(given);
        if (held <= tolerable) expect(result.evicted).toBe(0);
      }),
      runs(250),
    );
  });

  test('from above it exactly the surplus goes, once', () => {
    fc.assert(
      fc.property(
        constantCase.map((given) => ({ ...given, pilotSeconds: 86_400, startPart: 1 + given.startPart })),
        (given) => {
          const { result, held, tolerable, size, cpus, foreign, slack } = underConstantLoad(given);
          const crowded = Math.min(cpus, held + foreign) >= cpus - slack;
          const surplus = Math.max(0, Math.ceil((held - tolerable) / size - 1e-6));

          expect(result.evicted).toBe(crowded ? Math.min(surplus, Math.round(held / size)) : 0);
          expect(new Set(result.evictedAt).size).toBeLessThanOrEqual(1);
        },
      ),
      runs(150),
    );
  });
});
