import type { Hold } from '../decision.js';
import type { Pilot, ThawAction } from '../model.js';
import { EPSILON, isStale, room, slackInForce } from './capacity.js';
import { ageMs, cpusOf } from './census.js';
import { eviction, noteEviction, type Eviction } from './evict.js';
import { hasNewSample, type Situation } from './situation.js';

/** Pilots that we froze and that are not going anyway, oldest first: the oldest has most to lose. */
export function frozenPilots({ observation, census, leaving }: Situation): readonly Pilot[] {
  return census.holders
    .filter(
      ({ id, state }) => state === 'paused' && census.tracked.get(id)?.frozenAtMs !== undefined && !leaving.has(id),
    )
    .map((pilot) => ({ pilot, age: ageMs(observation, census, pilot) }))
    .sort((a, b) => b.age - a.age || (a.pilot.name < b.pilot.name ? -1 : 1))
    .map(({ pilot }) => pilot);
}

/** All that we froze may go on: nobody makes room by standing still any more. */
export function thawAll(situation: Situation): readonly ThawAction[] {
  return frozenPilots(situation).map((pilot) => ({ type: 'thaw', pilot }));
}

/**
 * Those that the present load leaves room for beside the running ones; all, where nobody makes room any more. Without the margin by which pilots may exceed their room,
 * so that who is thawed is not frozen again at the next breath.
 */
function planThaws(situation: Situation, frozen: readonly Pilot[]): readonly ThawAction[] {
  const { config, observation, census, samples } = situation;
  if (config.evict === 'never') return thawAll(situation);
  const newest = samples.at(-1);
  if (newest === undefined || isStale(config, newest.monoMs, observation.at.monoMs)) return [];
  const online = observation.sample?.cpus ?? observation.host.ncpus;
  const slack = slackInForce(config, online, observation.yields);
  const still = frozen.reduce((sum, pilot) => sum + cpusOf(config, pilot), 0);
  let left = room(config, online, slack, newest.foreign) - (census.promised - still);
  const thaws: ThawAction[] = [];
  for (const pilot of frozen) {
    left -= cpusOf(config, pilot);
    if (left < -EPSILON) break;
    thaws.push({ type: 'thaw', pilot });
  }
  return thaws;
}

/** Those who would have to go stand still instead, but for those that cannot be made to. */
function freezeInstead({ config, observation, census, state }: Situation, byCpu: Eviction): Eviction {
  // Crowded-out pilots may hardly get the little CPU that it takes to stand still.
  const canFreeze = ({ id }: Pilot) => {
    const { sinceMs } = census.tracked.get(id)?.freezeTrouble ?? {};
    return sinceMs === undefined || observation.at.monoMs - sinceMs < config.freeze_max * 1000;
  };
  const actions = byCpu.actions.map((action) =>
    canFreeze(action.pilot) ? ({ type: 'freeze', pilot: action.pilot } as const) : action,
  );
  const last = actions.some(({ type }) => type === 'remove') ? byCpu.last : state.eviction;
  return { ...byCpu, actions, last };
}

/**
 * `reclaim: [freeze, stop]`: who would have to go for CPUs stands still instead, keeps its slot and its work, and goes on when there is room.
 * It is stopped when that takes longer than `freeze_max`. Those frozen under an earlier configuration are seen to their end too.
 */
export function planFreezing(situation: Situation, byCpu: Eviction): Eviction {
  const { config, observation, census, state } = situation;
  const crowded = config.reclaim.includes('freeze') && byCpu.actions.length > 0;
  const made = crowded ? freezeInstead(situation, byCpu) : byCpu;
  const frozen = frozenPilots(situation);
  const thaws = crowded ? [] : planThaws(situation, frozen);
  const nowMs = observation.at.monoMs;
  const judged = hasNewSample(situation) ? frozen.slice(thaws.length) : [];
  const overdue = judged.filter(
    ({ id }) => nowMs - (census.tracked.get(id)?.frozenAtMs ?? nowMs) >= config.freeze_max * 1000,
  );
  const stops = overdue.map((pilot) => eviction(situation, pilot));
  const last = stops.length === 0 ? made.last : noteEviction(config, state.eviction, nowMs);
  const still = frozen.length - thaws.length - stops.length;
  const text = `${still} pilot(s) frozen until others leave room for them`;
  const holds: readonly Hold[] = crowded || still === 0 ? [] : [{ gate: 'foreign-cpu', text }];
  return { ...made, actions: [...made.actions, ...stops, ...thaws], holds: [...made.holds, ...holds], last };
}
