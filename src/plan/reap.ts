import type { Config } from '../config/schema.js';
import type { Observation, Pilot, RemovalReason, RemoveAction } from '../model.js';
import { ageMs, type Census } from './census.js';
import { rests } from './quarantine.js';
import type { Unanswered } from './state.js';

/** A container that was made but does not start is given this long before it is taken away: its start may still be under way. */
const NEVER_STARTED_AFTER_MS = 30_000;

function reasonToReap(
  config: Config,
  observation: Observation,
  census: Census,
  unanswered: readonly Unanswered[],
  pilot: Pilot,
): RemovalReason | undefined {
  if (pilot.state === 'exited' || pilot.state === 'dead') return 'exited';
  if (observation.mode === 'force-stop') return 'force-stop';
  if (ageMs(observation, census, pilot) > config.max_ttl * 1000) return 'expired';
  if (pilot.state !== 'created') return undefined;
  const startUnderWay = [...observation.inFlight.spawning, ...unanswered].some(({ name }) => name === pilot.name);
  const seenMs = observation.at.bootMs - (census.tracked.get(pilot.id)?.firstSeenBootMs ?? observation.at.bootMs);
  return !startUnderWay && seenMs >= NEVER_STARTED_AFTER_MS ? 'never-started' : undefined;
}

/**
 * Pilots that must go whatever the load is: ended, never started, past their time to live, or all of them on force-stop. Those that could
 * not be removed rest in between.
 */
export function planReaps(
  config: Config,
  observation: Observation,
  census: Census,
  unanswered: readonly Unanswered[],
): readonly RemoveAction[] {
  const underWay = new Set(observation.inFlight.removing);
  const reaps: RemoveAction[] = [];
  for (const pilot of observation.pilots) {
    if (underWay.has(pilot.id) || pilot.state === 'removing') continue;
    const reason = reasonToReap(config, observation, census, unanswered, pilot);
    if (reason === undefined) continue;
    if (rests(census.tracked.get(pilot.id)?.removalTrouble, reason, observation.at.monoMs)) continue;
    const stopSeconds = reason === 'expired' ? config.stop_timeout : 0;
    reaps.push({ type: 'remove', pilot, reason, stopSeconds, ageMs: ageMs(observation, census, pilot) });
  }
  return reaps;
}

/** Ms until the next pilot reaches its time to live; undefined if none is left to. */
export function nextExpiryMs(config: Config, observation: Observation, census: Census): number | undefined {
  const left = census.holders.map((pilot) => config.max_ttl * 1000 - ageMs(observation, census, pilot));
  const ahead = left.filter((ms) => ms >= 0);
  return ahead.length === 0 ? undefined : Math.min(...ahead) + 1;
}
