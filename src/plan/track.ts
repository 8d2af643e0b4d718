import type { Config } from '../config/schema.js';
import type { Observation, Pilot, ReclaimAction } from '../model.js';
import { removalTrouble } from './quarantine.js';
import type { Tracked } from './state.js';

/** An engine may carry out so much later what it has not answered in time. */
const LATE_MS = 60_000;
/** A pause that gets no answer takes a good part of this; it is not tried again meanwhile. */
const LONGEST_TRY_MS = 60_000;

function hasEnded(pilot: Pilot): boolean {
  return pilot.state === 'exited' || pilot.state === 'dead';
}

/**
 * When a pilot was started, on the boot clock of now. By its label where that is of this boot; else by the wall clock, when it
 * is seen for the first time. Never later than that, so that nothing lives for ever.
 */
export function bornBootMs({ at, host }: Pick<Observation, 'at' | 'host'>, pilot: Pilot): number {
  if (pilot.spawnedBootMs !== undefined && pilot.bootId === host.bootId) {
    return Math.min(pilot.spawnedBootMs, at.bootMs);
  }
  return at.bootMs - Math.max(0, at.wallMs - pilot.createdWallMs);
}

/** Freezing is tried at each sample as long as a pilot is crowded out: a longer pause is the beginning of another story. */
function isRecent(
  config: Config,
  nowMs: number,
  trouble: Tracked['freezeTrouble'],
  lateMs = 0,
): trouble is NonNullable<Tracked['freezeTrouble']> {
  const spanMs = Math.max(3000 * config.main_sleep, LONGEST_TRY_MS);
  return trouble !== undefined && nowMs - trouble.lastMs < spanMs + lateMs;
}

/** What became of freezing it. Who paused it otherwise may have a reason: only what we froze is ours to thaw. */
function freezing(
  config: Config,
  { at, outcomes }: Observation,
  pilot: Pilot,
  { frozenAtMs, freezeTrouble }: Tracked,
): Pick<Tracked, 'frozenAtMs' | 'freezeTrouble'> {
  const tried = outcomes.find(({ action }) => action.type === 'freeze' && action.pilot.id === pilot.id);
  if (tried === undefined) {
    if (pilot.state !== 'paused') return { frozenAtMs: undefined, freezeTrouble };
    const isOurs = isRecent(config, at.monoMs, freezeTrouble, LATE_MS);
    return isOurs ? { frozenAtMs: at.monoMs, freezeTrouble: undefined } : { frozenAtMs, freezeTrouble };
  }
  if (tried.result === 'done' || pilot.state === 'paused') return { frozenAtMs: at.monoMs, freezeTrouble: undefined };
  const sinceMs = isRecent(config, at.monoMs, freezeTrouble) ? freezeTrouble.sinceMs : at.monoMs;
  return { frozenAtMs: undefined, freezeTrouble: { sinceMs, lastMs: at.monoMs } };
}

/**
 * Whether only the engine can tell if it ended too soon: it was seen dead later than `fizzle_seconds` after it was asked for, but a busy
 * engine may have taken long to start it. The engine tells when the remains are taken away; nobody waits for that any more once a try to do so has failed.
 */
function unclear(
  config: Config,
  { at, inFlight, outcomes }: Observation,
  pilot: Pilot,
  known: Tracked,
): Tracked['unclear'] {
  if (known.unclear !== false) {
    const isTried = outcomes.some(({ action }) => action.type === 'remove' && action.pilot.id === pilot.id);
    return isTried ? 'overdue' : known.unclear;
  }
  const isNews = hasEnded(pilot) && !known.ended;
  if (!isNews || known.proven || known.evicted || inFlight.removing.includes(pilot.id)) return false;
  return at.bootMs - known.bornBootMs >= config.fizzle_seconds * 1000 ? 'waiting' : false;
}

/** Since when the engine has listed it as being removed, without a break. */
function goingSinceMs({ at }: Observation, { state }: Pilot, known: Tracked): number | undefined {
  return state === 'removing' ? (known.goingSinceMs ?? at.monoMs) : undefined;
}

/** What is remembered about a pilot that is seen for the first time. */
function firstSight(observation: Observation, pilot: Pilot): Tracked {
  return {
    firstSeenBootMs: observation.at.bootMs,
    bornBootMs: bornBootMs(observation, pilot),
    runsSinceBootMs: undefined,
    ran: false,
    proven: false,
    ended: false,
    evicted: false,
    unclear: false,
    frozenAtMs: undefined,
    freezeTrouble: undefined,
    goingSinceMs: undefined,
    removalTrouble: undefined,
  };
}

function isSame(a: Tracked, b: Tracked): boolean {
  return (
    a.runsSinceBootMs === b.runsSinceBootMs &&
    a.ran === b.ran &&
    a.proven === b.proven &&
    a.ended === b.ended &&
    a.frozenAtMs === b.frozenAtMs &&
    a.unclear === b.unclear &&
    a.freezeTrouble === b.freezeTrouble &&
    a.goingSinceMs === b.goingSinceMs &&
    a.removalTrouble === b.removalTrouble
  );
}

/**
 * What there is to remember about a pilot after this look. The very same as before if the look brings nothing new: a simulation looks at
 * some pilots a hundred thousand times.
 */
export function track(config: Config, observation: Observation, pilot: Pilot, before: Tracked | undefined): Tracked {
  const { bootMs } = observation.at;
  const known = before ?? firstSight(observation, pilot);
  const runs = pilot.state === 'running';
  // Not from its birth on: a busy engine may take long to start it.
  const runsSinceBootMs = known.runsSinceBootMs ?? (runs ? bootMs : undefined);
  const { frozenAtMs, freezeTrouble } = freezing(config, observation, pilot, known);
  const { firstSeenBootMs, bornBootMs: born, evicted } = known;
  const now: Tracked = {
    firstSeenBootMs,
    bornBootMs: born,
    evicted,
    frozenAtMs,
    freezeTrouble,
    goingSinceMs: goingSinceMs(observation, pilot, known),
    removalTrouble: removalTrouble(observation, pilot, known),
    unclear: unclear(config, observation, pilot, known),
    runsSinceBootMs,
    ran: known.ran || runs || pilot.state === 'paused' || hasEnded(pilot),
    proven: known.proven || (runs && bootMs - (runsSinceBootMs ?? bootMs) >= config.fizzle_seconds * 1000),
    ended: known.ended || hasEnded(pilot),
  };
  return isSame(known, now) ? known : now;
}

/** The same, with those marked that are evicted by this plan. */
export function markEvicted(tracked: ReadonlyMap<string, Tracked>, actions: readonly ReclaimAction[]) {
  if (actions.length === 0) return tracked;
  const marked = new Map(tracked);
  for (const { type, pilot } of actions) {
    const before = marked.get(pilot.id);
    if (before !== undefined && type === 'remove') marked.set(pilot.id, { ...before, evicted: true });
  }
  return marked;
}
