import type { Config } from '../config/schema.js';
import type { GateReading, Hold, Plan } from '../decision.js';
import type { Observation, Pilot, ReclaimAction, SpawnAction, SpawnReason } from '../model.js';
import { EPSILON, recordSample } from './capacity.js';
import { breakerDueMs, isNewlyOpen, learn, recall } from './breaker.js';
import { takeCensus } from './census.js';
import { effectsDueMs, hangingEffects, isHeld, judgeEffects } from './effects.js';
import { planEviction } from './evict.js';
import { planMemoryEviction } from './evict-memory.js';
import { planFreezing, thawAll } from './freeze.js';
import { earnPermits } from './growth.js';
import { planImage, type ImagePlan } from './image.js';
import { planLegacy } from './legacy.js';
import { takeLessons } from './lesson.js';
import { nextSuffix, pilotSpec } from './pilot-spec.js';
import { watchPilots } from './probation.js';
import { quarantineDueMs, resists, runsOn, stuckPilots } from './quarantine.js';
import { nextExpiryMs, planReaps } from './reap.js';
import { hasNewSample, type Situation } from './situation.js';
import { measureCapacity, planSpawns } from './spawn.js';
import type { LastEviction, State } from './state.js';
import { planSupersededImages } from './superseded-images.js';
import { markEvicted } from './track.js';
import { recallUnanswered, unansweredDueMs } from './unanswered.js';

/** Somebody waits for a force-stop to be over. */
const FORCE_STOP_POLL_MS = 1000;

/** The part of a decision that the two policies take differently. */
interface Load {
  readonly evictions: readonly ReclaimAction[];
  readonly starts: readonly SpawnReason[];
  readonly holds: readonly Hold[];
  readonly gates: readonly GateReading[];
  readonly failing: Plan<State>['failing'];
  readonly wakeInMs: number | undefined;
  readonly state: Pick<
    State,
    'seed' | 'tokens' | 'growth' | 'breaker' | 'eviction' | 'pressure' | 'memoryShortSinceMs' | 'judged' | 'legacy'
  >;
}

function times(count: number, reason: SpawnReason): readonly SpawnReason[] {
  return Array<SpawnReason>(count).fill(reason);
}

/** What experience says now; nothing new while there is no image to have experience with. */
function learnFrom({ observation, state, census, source }: Situation) {
  if (source === undefined) return { breaker: state.breaker, seed: state.seed, fizzled: false };
  const known = recall(source, observation, state.breaker);
  const lessons = takeLessons(observation, state, census, { config: source.config, revisions: known.revisions });
  const learnt = learn({ config: source.config, census, nowBootMs: observation.at.bootMs }, known, lessons, state.seed);
  return { ...learnt, fizzled: lessons.some(({ type }) => type === 'fizzled') };
}

function byCapacity(situation: Situation): Load {
  const { config, observation, state, census } = situation;
  const forCpus = planEviction(situation);
  const reclaimed = planFreezing(situation, forCpus);
  const forMemory = planMemoryEviction(situation, reclaimed);
  const evictions = [...reclaimed.actions, ...forMemory.actions];
  const { last } = forMemory;
  const { breaker, seed, fizzled } = learnFrom(situation);
  const failed = observation.outcomes.some(({ action, result }) => action.type === 'spawn' && result === 'failed');
  const setback = fizzled || failed || evictions.some(({ type }) => type !== 'thaw');
  const permits = earnPermits(situation, setback);
  const spawns = planSpawns(situation, permits, breaker, last);
  const grown: LastEviction | undefined =
    last === undefined || spawns.growth === 0 ? last : { ...last, grownSince: true };
  return {
    evictions,
    starts: [
      ...times(spawns.replacement, 'replacement'),
      ...times(spawns.growth, 'growth'),
      ...times(spawns.probe, 'probe'),
    ],
    holds: [...spawns.holds, ...reclaimed.holds, ...forMemory.holds],
    gates: spawns.gates,
    failing: spawns.failing,
    wakeInMs: breakerDueMs(config, breaker, census, observation.at.bootMs),
    state: {
      seed,
      tokens: spawns.tokens,
      growth: permits.growth,
      breaker,
      eviction: grown,
      pressure: reclaimed.pressure,
      memoryShortSinceMs: forMemory.memoryShortSinceMs,
      judged: { byCpu: forCpus.holds, byMemory: forMemory.holds },
      legacy: state.legacy,
    },
  };
}

function byLegacy(situation: Situation, reaped: number): Load {
  const legacy = planLegacy(situation, reaped);
  return {
    // It freezes nobody, and does not know of those that were frozen before it came into force.
    evictions: [...legacy.evictions, ...thawAll(situation)],
    starts: times(legacy.launch, 'growth'),
    holds: legacy.holds,
    gates: legacy.holds.map(({ gate, text }) => ({ gate, most: legacy.launch, text })),
    failing: undefined,
    wakeInMs: undefined,
    state: { ...situation.state, legacy: legacy.memory },
  };
}

function spawnActions(
  { observation, source, unanswered }: Situation,
  load: Load,
): { readonly actions: readonly SpawnAction[]; readonly seed: number } {
  let { seed } = load.state;
  if (source === undefined || load.starts.length === 0) return { actions: [], seed };
  const taken = new Set(
    [...observation.pilots, ...observation.inFlight.spawning, ...unanswered].map(({ name }) => name),
  );
  const actions = load.starts.map((reason): SpawnAction => {
    const next = nextSuffix(seed, taken);
    seed = next.seed;
    const spec = pilotSpec(source, observation, next.suffix);
    taken.add(spec.name);
    return { type: 'spawn', spec, reason };
  });
  return { actions, seed };
}

/** Its process is gone, and what is left of it is the engine's own affair: waiting for it could last for ever. */
function isBeyondReach(pilot: Pilot): boolean {
  return pilot.state === 'removing' || pilot.state === 'dead';
}

/**
 * Whether what the operator asked for has come about. Pilots that only remain to be removed do not keep a drain from ending, nor do those
 * that cannot be: they would keep it for ever.
 */
function finished({ observation, census, unanswered }: Situation): Plan<State>['finished'] {
  const { holders, tracked } = census;
  const { mode, pilots, inFlight } = observation;
  if (inFlight.spawning.length + unanswered.length > 0) return undefined;
  const isStuck = ({ id }: Pilot) => resists(tracked.get(id)?.removalTrouble, mode);
  if (mode === 'drain-stop' && holders.every(isStuck)) return 'drain-stop';
  if (mode !== 'force-stop') return undefined;
  const left = pilots.filter((pilot) => !isBeyondReach(pilot));
  if (!left.every(isStuck)) return undefined;
  return left.length === 0 ? 'force-stop' : 'force-stop-unfinished';
}

/** Whether starts that were asked for would now be one too many: behind a slow engine they may have waited for long. */
function isFull(situation: Situation, load: Load): boolean {
  const { config, observation, state, census, effects } = situation;
  const crowded = load.evictions.some(({ type }) => type !== 'thaw');
  const forbidden = observation.mode !== 'active' || observation.policy.refusals.length > 0;
  const hangs = isHeld(effects, observation.at.monoMs);
  const inVain = isNewlyOpen(state.breaker, load.state.breaker);
  // By the newest look others want what was free when they were asked for. Those that fit are asked for again.
  const { room, promised } = measureCapacity(situation);
  const tooMany = config.policy !== 'legacy' && room !== undefined && promised > room + EPSILON;
  return forbidden || crowded || hangs || inVain || tooMany || census.count > config.max_docks;
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.max(0, Math.min(...known));
}

function coolDownEndMs(state: State['eviction'], nowMs: number): number | undefined {
  if (state === undefined) return undefined;
  const left = state.atMs + state.holdMs - nowMs;
  return left > 0 ? left : undefined;
}

/** What the rules look at, and who goes whatever they say. */
function assess(config: Config, observation: Observation, state: State, source: Situation['source']) {
  const unanswered = recallUnanswered(observation, state.unanswered);
  const census = takeCensus(config, observation, state, unanswered);
  const reaps = planReaps(config, observation, census, { ...state, unanswered });
  const stuck = stuckPilots(observation, census.tracked, census.holders);
  const going = new Set([...observation.inFlight.removing, ...reaps.map(({ pilot }) => pilot.id)]);
  const resting = stuck
    .filter(({ pilot, nextTryMs }) => !going.has(pilot.id) && observation.at.monoMs < nextTryMs)
    .map(({ pilot }) => pilot);
  const situation: Situation = {
    config,
    observation,
    state,
    census,
    unanswered,
    stuck,
    effects: judgeEffects(observation, state),
    samples: recordSample(config, observation, state),
    leaving: new Set([...going, ...resting.map(({ id }) => id)]),
    unmoved: resting.filter(
      ({ id, state: now }) => now === 'running' && runsOn(census.tracked.get(id)?.removalTrouble),
    ),
    source,
  };
  return { situation, reaps };
}

/** Ms until time alone may change the plan; undefined = it will not. */
function dueInMs({ config, observation, census, unanswered, stuck, effects }: Situation, load: Load, image: ImagePlan) {
  const nowMs = observation.at.monoMs;
  return soonest(
    nextExpiryMs(config, observation, census),
    coolDownEndMs(load.state.eviction, nowMs),
    unansweredDueMs(unanswered, nowMs),
    quarantineDueMs(stuck, nowMs),
    effectsDueMs(effects, nowMs),
    image.dueInMs,
    load.wakeInMs,
    observation.mode === 'force-stop' ? FORCE_STOP_POLL_MS : undefined,
  );
}

/**
 * The decision of one cycle. Pure: the same configuration, observation and state always give the same plan. Actions are in
 * the order to begin them: what frees room first, then new pilots, then slow work.
 */
export function plan(config: Config, observation: Observation, state: State): Plan<State> {
  const image = planImage(config, observation, state.image);
  const { situation, reaps } = assess(config, observation, state, image.use);
  const { census, effects, unanswered, stuck } = situation;
  const newReaps = reaps.filter(({ pilot }) => census.tracked.get(pilot.id)?.removalTrouble === undefined);
  const superseded = planSupersededImages(config, observation, census, state.keptImages);
  const load = config.policy === 'legacy' ? byLegacy(situation, newReaps.length) : byCapacity(situation);
  const spawns = spawnActions(situation, load);
  const { probation, memory } = watchPilots(situation);
  const used = spawns.actions.length > 0 ? image.use : state.image.lastUsed;
  // What is forbidden now is the revision in force, and not one before it that its image is waited for with.
  const isRefused = observation.policy.refusals.length > 0 && used?.revision === observation.revision;
  const isForbidden = probation?.verdict === 'condemned' || isRefused;
  return {
    actions: [...reaps, ...load.evictions, ...spawns.actions, ...image.pulls, ...superseded.drops],
    withdrawStarts: isFull(situation, load),
    holds: load.holds,
    gates: load.gates,
    probation,
    capacity: measureCapacity(situation),
    stuck,
    hanging: hangingEffects(effects),
    failing: load.failing,
    finished: finished(situation),
    wakeInMs: dueInMs(situation, load, image),
    state: {
      // Not spread out: that takes as long as all the rest of a plan, which a simulation makes by the ten thousands.
      tokens: load.state.tokens,
      growth: load.state.growth,
      breaker: load.state.breaker,
      eviction: load.state.eviction,
      pressure: load.state.pressure,
      memoryShortSinceMs: load.state.memoryShortSinceMs,
      judged: load.state.judged,
      legacy: load.state.legacy,
      seed: spawns.seed,
      beganBootMs: state.beganBootMs ?? observation.at.bootMs,
      lastSeq: observation.sample?.seq ?? state.lastSeq,
      samples: situation.samples,
      startsSinceSample: (hasNewSample(situation) ? 0 : state.startsSinceSample) + spawns.actions.length,
      tracked: markEvicted(census.tracked, load.evictions),
      unanswered,
      effects,
      keptImages: superseded.kept,
      // Whatever comes next is not started from what pilots have condemned or the host forbids, not even while its image is being pulled.
      image: { ...image.memory, lastUsed: isForbidden ? undefined : used },
      probation: memory,
    },
  };
}
