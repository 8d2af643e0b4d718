import type { Config } from '../config/schema.js';
import type { Observation, Pilot, ReclaimAction } from '../model.js';
import type { Tracked } from './state.js';

function hasEnded(pilot: Pilot): boolean {
  return pilot.state === 'exited' || pilot.state === 'dead';
}

/**
 * When a pilot was started, on the boot clock of now. By its label where that is of this boot; else by the wall clock, when it
 * is seen for the first time. Never later than that, so that nothing lives for ever.
 */
function bornBootMs({ at, host }: Observation, pilot: Pilot): number {
  if (pilot.spawnedBootMs !== undefined && pilot.bootId === host.bootId) {
    return Math.min(pilot.spawnedBootMs, at.bootMs);
  }
  return at.bootMs - Math.max(0, at.wallMs - pilot.createdWallMs);
}

/** What became of freezing it: since when it stands still by our doing (who paused it otherwise may have a reason), or that it cannot. */
function freezing(
  { at, outcomes }: Observation,
  pilot: Pilot,
  known: Tracked,
): Pick<Tracked, 'frozenAtMs' | 'unfreezable'> {
  const { frozenAtMs, unfreezable } = known;
  const tried = outcomes.find(({ action }) => action.type === 'freeze' && action.pilot.id === pilot.id);
  if (tried !== undefined) {
    return tried.result === 'done' || pilot.state === 'paused'
      ? { frozenAtMs: at.monoMs, unfreezable }
      : { frozenAtMs, unfreezable: true };
  }
  return { frozenAtMs: pilot.state === 'paused' ? frozenAtMs : undefined, unfreezable };
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
    frozenAtMs: undefined,
    unfreezable: false,
  };
}

function isSame(a: Tracked, b: Tracked): boolean {
  return (
    a.runsSinceBootMs === b.runsSinceBootMs &&
    a.ran === b.ran &&
    a.proven === b.proven &&
    a.ended === b.ended &&
    a.frozenAtMs === b.frozenAtMs &&
    a.unfreezable === b.unfreezable
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
  const { frozenAtMs, unfreezable } = freezing(observation, pilot, known);
  const { firstSeenBootMs, bornBootMs: born, evicted } = known;
  const now: Tracked = {
    firstSeenBootMs,
    bornBootMs: born,
    evicted,
    frozenAtMs,
    unfreezable,
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
