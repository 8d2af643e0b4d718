import type { Config } from '../config/schema.js';
import type { Observation, Pilot, RemovalReason, RemoveAction } from '../model.js';
import { ageMs, type Census } from './census.js';
import { pilotName } from './pilot-spec.js';
import { isGoingTooLong, rests } from './quarantine.js';
import type { State, Tracked } from './state.js';

/** A container that a daemon before this one has made is given this long to start before it is taken away: its start may still be under way. */
const NEVER_STARTED_AFTER_MS = 30_000;
/**
 * Whoever asked for it so long ago has given up. By its age, and not since it was seen first: a daemon that is killed again and again sees
 * it for the first time each time, and its slot would be taken for ever.
 */
const GIVEN_UP_AFTER_MS = 60_000;

/** Made by this daemon: if it does not start it now, it has given it up, and nobody else will. */
function isOurMaking(
  { host }: Observation,
  beganBootMs: State['beganBootMs'],
  { name, spawnedBootMs, bootId }: Pilot,
): boolean {
  if (beganBootMs === undefined || spawnedBootMs === undefined) return false;
  // What is under way is known by its name: of one that somebody renamed it cannot be told.
  if (!name.startsWith(pilotName(''))) return false;
  return bootId === host.bootId && spawnedBootMs > Math.round(beganBootMs);
}

function reasonToReap(
  config: Config,
  observation: Observation,
  census: Census,
  { beganBootMs, unanswered }: Pick<State, 'beganBootMs' | 'unanswered'>,
  pilot: Pilot,
): RemovalReason | undefined {
  if (pilot.state === 'exited' || pilot.state === 'dead') return 'exited';
  if (observation.mode === 'force-stop') return 'force-stop';
  if (ageMs(observation, census, pilot) > config.max_ttl * 1000) return 'expired';
  if (pilot.state !== 'created') return undefined;
  if ([...observation.inFlight.spawning, ...unanswered].some(({ name }) => name === pilot.name)) return undefined;
  // Its slot would be empty meanwhile.
  if (isOurMaking(observation, beganBootMs, pilot)) return 'never-started';
  const seenMs = observation.at.bootMs - (census.tracked.get(pilot.id)?.firstSeenBootMs ?? observation.at.bootMs);
  const isOld = seenMs >= NEVER_STARTED_AFTER_MS || ageMs(observation, census, pilot) >= GIVEN_UP_AFTER_MS;
  return isOld ? 'never-started' : undefined;
}

function isBeingRemoved({ state }: Pilot): boolean {
  return state === 'removing';
}

/** Who is being removed is gone soon; but an engine may go on saying so for ever, once it has refused it or something else kept it from it. */
function reasonToGoOn(tracked: Tracked | undefined, nowMs: number): RemovalReason | undefined {
  const trouble = tracked?.removalTrouble;
  if (trouble?.refused !== true && !isGoingTooLong(tracked, nowMs)) return undefined;
  return trouble?.reason ?? 'exited';
}

/** Why it goes now. Who wants everything to go has what resisted until now tried anew, at once. */
function reasonToGo(
  config: Config,
  observation: Observation,
  census: Census,
  memory: Pick<State, 'beganBootMs' | 'unanswered'>,
  pilot: Pilot,
): RemovalReason | undefined {
  const tracked = census.tracked.get(pilot.id);
  const reason = isBeingRemoved(pilot)
    ? reasonToGoOn(tracked, observation.at.monoMs)
    : reasonToReap(config, observation, census, memory, pilot);
  const resisted = reason !== undefined && tracked?.removalTrouble !== undefined;
  return resisted && observation.mode === 'force-stop' ? 'force-stop' : reason;
}

/**
 * Pilots that must go whatever the load is: ended, never started, past their time to live, or all of them on force-stop. Those that could
 * not be removed rest in between.
 */
export function planReaps(
  config: Config,
  observation: Observation,
  census: Census,
  memory: Pick<State, 'beganBootMs' | 'unanswered'>,
): readonly RemoveAction[] {
  const underWay = new Set(observation.inFlight.removing);
  const reaps: RemoveAction[] = [];
  for (const pilot of observation.pilots) {
    if (underWay.has(pilot.id)) continue;
    const reason = reasonToGo(config, observation, census, memory, pilot);
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
