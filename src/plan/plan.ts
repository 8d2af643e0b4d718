import type { Config } from '../config/schema.js';
import type { Hold, Observation, Plan, RemoveAction, SpawnAction, SpawnReason } from '../model.js';
import { recordSample } from './capacity.js';
import { takeCensus, type Census } from './census.js';
import { planEviction } from './evict.js';
import { planImage } from './image.js';
import { planLegacy } from './legacy.js';
import { nextSuffix, pilotSpec } from './pilot-spec.js';
import { nextExpiryMs, planReaps } from './reap.js';
import { earnTokens, measureCapacity, planSpawns } from './spawn.js';
import type { LastEviction, State, Tracked } from './state.js';

/** The part of a decision that the two policies take differently. */
interface Load {
  readonly evictions: readonly RemoveAction[];
  readonly growth: number;
  readonly replacement: number;
  readonly holds: readonly Hold[];
  readonly state: Pick<State, 'tokens' | 'eviction' | 'pressure' | 'legacy'>;
}

interface Draft {
  readonly config: Config;
  readonly observation: Observation;
  readonly state: State;
  readonly census: Census;
  readonly samples: State['samples'];
  readonly reaps: readonly RemoveAction[];
  readonly image: string | undefined;
}

function byCapacity(draft: Draft): Load {
  const { config, observation, state, census, samples, image } = draft;
  const eviction = planEviction(config, observation, state, samples, census);
  const capacity = measureCapacity(config, observation, samples, census);
  const tokens = earnTokens(config, observation, state, census);
  const spawns = planSpawns(config, observation, capacity, tokens, image, eviction.last);
  const grown: LastEviction | undefined =
    eviction.last === undefined || spawns.growth === 0 ? eviction.last : { ...eviction.last, grownSince: true };
  return {
    evictions: eviction.actions,
    growth: spawns.growth,
    replacement: spawns.replacement,
    holds: [...spawns.holds, ...eviction.holds],
    state: { tokens: spawns.tokens, eviction: grown, pressure: eviction.pressure, legacy: state.legacy },
  };
}

function byLegacy(draft: Draft): Load {
  const { config, observation, state, census, reaps, image } = draft;
  const legacy = planLegacy(config, observation, state, census, reaps, image);
  const { tokens, eviction, pressure } = state;
  return {
    evictions: legacy.evictions,
    growth: legacy.launch,
    replacement: 0,
    holds: legacy.holds,
    state: { tokens, eviction, pressure, legacy: legacy.memory },
  };
}

function spawnActions(draft: Draft, load: Load): { readonly actions: readonly SpawnAction[]; readonly seed: number } {
  const { config, observation, state, image } = draft;
  if (image === undefined) return { actions: [], seed: state.seed };
  const taken = new Set([...observation.pilots, ...observation.inFlight.spawning].map(({ name }) => name));
  const reasons: SpawnReason[] = [
    ...Array<SpawnReason>(load.replacement).fill('replacement'),
    ...Array<SpawnReason>(load.growth).fill('growth'),
  ];
  let { seed } = state;
  const actions = reasons.map((reason): SpawnAction => {
    const next = nextSuffix(seed, taken);
    seed = next.seed;
    const spec = pilotSpec(config, observation, image, next.suffix);
    taken.add(spec.name);
    return { type: 'spawn', spec, reason };
  });
  return { actions, seed };
}

function markEvicted(tracked: Readonly<Record<string, Tracked>>, evictions: readonly RemoveAction[]) {
  const marked = { ...tracked };
  for (const { pilot } of evictions) {
    const before = marked[pilot.id];
    if (before !== undefined) marked[pilot.id] = { ...before, evicted: true };
  }
  return marked;
}

/** Whether what the operator asked for has come about. Pilots that only remain to be removed do not keep a drain from ending. */
function finished(observation: Observation, census: Census): Plan<State>['finished'] {
  const { mode, pilots, inFlight } = observation;
  if (inFlight.spawning.length > 0) return undefined;
  if (mode === 'drain-stop' && census.holders.length === 0) return 'drain-stop';
  if (mode === 'force-stop' && pilots.length === 0) return 'force-stop';
  return undefined;
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
  const samples = recordSample(config, observation, state);
  const reaps = planReaps(config, observation, census);
  const image = planImage(config, observation, state.image);
  const draft: Draft = { config, observation, state, census, samples, reaps, image: image.use };
  const load = config.policy === 'legacy' ? byLegacy(draft) : byCapacity(draft);
  const reaped = new Set(reaps.map(({ pilot }) => pilot.id));
  const evictions = load.evictions.filter(({ pilot }) => !reaped.has(pilot.id));
  const spawns = spawnActions(draft, load);
  const isNewSample = observation.sample !== undefined && observation.sample.seq !== state.lastSeq;
  const used = spawns.actions.length > 0 ? image.use : state.image.lastUsed;
  const nowMs = observation.at.monoMs;
  return {
    actions: [...reaps, ...evictions, ...spawns.actions, ...image.pulls],
    holds: load.holds,
    capacity: measureCapacity(config, observation, samples, census),
    finished: finished(observation, census),
    wakeInMs: soonest(
      nextExpiryMs(config, observation, census),
      coolDownEndMs(load.state.eviction, nowMs),
      image.dueInMs,
    ),
    state: {
      ...load.state,
      seed: spawns.seed,
      lastSeq: observation.sample?.seq ?? state.lastSeq,
      samples,
      startsSinceSample: (isNewSample ? 0 : state.startsSinceSample) + spawns.actions.length,
      tracked: markEvicted(census.tracked, evictions),
      image: { ...image.memory, lastUsed: used },
    },
  };
}
