import type { Config } from '../config/schema.js';
import type { Hold, Observation, Pilot, Plan, ReclaimAction, SpawnAction, SpawnReason } from '../model.js';
import { recordSample } from './capacity.js';
import { breakerDueMs, learn } from './breaker.js';
import { takeCensus, type Census } from './census.js';
import { planEviction } from './evict.js';
import { planMemoryEviction } from './evict-memory.js';
import { planFreezing } from './freeze.js';
import { earnPermits } from './growth.js';
import { planImage } from './image.js';
import { planLegacy } from './legacy.js';
import { takeLessons } from './lesson.js';
import { nextSuffix, pilotSpec } from './pilot-spec.js';
import { watchPilots } from './probation.js';
import { nextExpiryMs, planReaps } from './reap.js';
import { hasNewSample, type Situation } from './situation.js';
import { measureCapacity, planSpawns } from './spawn.js';
import type { LastEviction, State } from './state.js';
import { planSupersededImages } from './superseded-images.js';
import { markEvicted } from './track.js';

/** Somebody waits for a force-stop to be over. */
const FORCE_STOP_POLL_MS = 1000;

/** The part of a decision that the two policies take differently. */
interface Load {
  readonly evictions: readonly ReclaimAction[];
  readonly starts: readonly SpawnReason[];
  readonly holds: readonly Hold[];
  readonly wakeInMs: number | undefined;
  readonly state: Pick<
    State,
    'seed' | 'tokens' | 'growth' | 'breaker' | 'eviction' | 'pressure' | 'memoryShortSinceMs' | 'legacy'
  >;
}

function times(count: number, reason: SpawnReason): readonly SpawnReason[] {
  return Array<SpawnReason>(count).fill(reason);
}

/** What experience says now; nothing new while there is no image to have experience with. */
function learnFrom({ observation, state, census, source }: Situation) {
  if (source === undefined) return { breaker: state.breaker, seed: state.seed, fizzled: false };
  const lessons = takeLessons(observation, state, census, source);
  const learnt = learn(source, observation, state.breaker, lessons, state.seed);
  return { ...learnt, fizzled: lessons.some(({ type }) => type === 'fizzled') };
}

function byCapacity(situation: Situation): Load {
  const { config, observation, state, census } = situation;
  const eviction = planMemoryEviction(situation, planFreezing(situation, planEviction(situation)));
  const { breaker, seed, fizzled } = learnFrom(situation);
  const setback = fizzled || eviction.actions.some(({ type }) => type !== 'thaw');
  const permits = earnPermits(situation, setback);
  const spawns = planSpawns(situation, permits, breaker, eviction.last);
  const grown: LastEviction | undefined =
    eviction.last === undefined || spawns.growth === 0 ? eviction.last : { ...eviction.last, grownSince: true };
  return {
    evictions: eviction.actions,
    starts: [
      ...times(spawns.replacement, 'replacement'),
      ...times(spawns.growth, 'growth'),
      ...times(spawns.probe, 'probe'),
    ],
    holds: [...spawns.holds, ...eviction.holds],
    wakeInMs: breakerDueMs(config, breaker, census, observation.at.bootMs),
    state: {
      seed,
      tokens: spawns.tokens,
      growth: permits.growth,
      breaker,
      eviction: grown,
      pressure: eviction.pressure,
      memoryShortSinceMs: eviction.memoryShortSinceMs,
      legacy: state.legacy,
    },
  };
}

function byLegacy(situation: Situation, reaped: number): Load {
  const legacy = planLegacy(situation, reaped);
  return {
    evictions: legacy.evictions,
    starts: times(legacy.launch, 'growth'),
    holds: legacy.holds,
    wakeInMs: undefined,
    state: { ...situation.state, legacy: legacy.memory },
  };
}

function spawnActions(
  { observation, source }: Situation,
  load: Load,
): { readonly actions: readonly SpawnAction[]; readonly seed: number } {
  let { seed } = load.state;
  if (source === undefined || load.starts.length === 0) return { actions: [], seed };
  const taken = new Set([...observation.pilots, ...observation.inFlight.spawning].map(({ name }) => name));
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

/** Whether what the operator asked for has come about. Pilots that only remain to be removed do not keep a drain from ending. */
function finished(observation: Observation, census: Census): Plan<State>['finished'] {
  const { mode, pilots, inFlight } = observation;
  if (inFlight.spawning.length > 0) return undefined;
  if (mode === 'drain-stop' && census.holders.length === 0) return 'drain-stop';
  if (mode === 'force-stop' && pilots.every(isBeyondReach)) return 'force-stop';
  return undefined;
}

/** Whether starts that were asked for would now be one too many: behind a slow engine they may have waited for long. */
function isFull({ config, observation, census }: Situation, evictions: readonly ReclaimAction[]): boolean {
  const crowded = evictions.some(({ type }) => type !== 'thaw');
  const forbidden = observation.mode !== 'active' || observation.policy.refusals.length > 0;
  return forbidden || crowded || census.count > config.max_docks;
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

/**
 * The decision of one cycle. Pure: the same configuration, observation and state always give the same plan. Actions are in
 * the order to begin them: what frees room first, then new pilots, then slow work.
 */
export function plan(config: Config, observation: Observation, state: State): Plan<State> {
  const census = takeCensus(config, observation, state);
  const reaps = planReaps(config, observation, census, state);
  const image = planImage(config, observation, state.image);
  const superseded = planSupersededImages(config, observation, census, state.keptImages);
  const situation: Situation = {
    config,
    observation,
    state,
    census,
    samples: recordSample(config, observation, state),
    leaving: new Set([...observation.inFlight.removing, ...reaps.map(({ pilot }) => pilot.id)]),
    source: image.use,
  };
  const load = config.policy === 'legacy' ? byLegacy(situation, reaps.length) : byCapacity(situation);
  const spawns = spawnActions(situation, load);
  const { probation, memory } = watchPilots(situation);
  const used = spawns.actions.length > 0 ? image.use : state.image.lastUsed;
  return {
    actions: [...reaps, ...load.evictions, ...spawns.actions, ...image.pulls, ...superseded.drops],
    withdrawStarts: isFull(situation, load.evictions),
    holds: load.holds,
    probation,
    capacity: measureCapacity(situation),
    finished: finished(observation, census),
    wakeInMs: soonest(
      nextExpiryMs(config, observation, census),
      coolDownEndMs(load.state.eviction, observation.at.monoMs),
      image.dueInMs,
      load.wakeInMs,
      observation.mode === 'force-stop' ? FORCE_STOP_POLL_MS : undefined,
    ),
    state: {
      // Not spread out: that takes as long as all the rest of a plan, which a simulation makes by the ten thousands.
      tokens: load.state.tokens,
      growth: load.state.growth,
      breaker: load.state.breaker,
      eviction: load.state.eviction,
      pressure: load.state.pressure,
      memoryShortSinceMs: load.state.memoryShortSinceMs,
      legacy: load.state.legacy,
      seed: spawns.seed,
      beganBootMs: state.beganBootMs ?? observation.at.bootMs,
      lastSeq: observation.sample?.seq ?? state.lastSeq,
      samples: situation.samples,
      startsSinceSample: (hasNewSample(situation) ? 0 : state.startsSinceSample) + spawns.actions.length,
      tracked: markEvicted(census.tracked, load.evictions),
      keptImages: superseded.kept,
      // Whatever comes next is not started from what pilots have condemned, not even while its image is being pulled.
      image: { ...image.memory, lastUsed: probation?.verdict === 'condemned' ? undefined : used },
      probation: memory,
    },
  };
}
