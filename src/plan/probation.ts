import type { Config } from '../config/schema.js';
import type { Probation } from '../decision.js';
import type { Observation, Outcome, Pilot, RemoveAction } from '../model.js';
import type { Census } from './census.js';
import { isUnstartable, lifeMs } from './lesson.js';
import { settingsText } from './pilot-spec.js';
import type { Situation } from './situation.js';
import type { PilotFault, ProbationMemory, State } from './state.js';

/**
 * The first pilots of a new configuration are watched. When at least five have failed, and more than half of those that ended, it is
 * condemned; when five have worked, or as many as may run at a time, it is proven and watched no more.
 */
const FAILURES_TO_CONDEMN = 5;
const PILOTS_TO_PROVE = 5;
/** Older ends are forgotten: what a quiet night of pilots without work has shown must not outweigh the morning. */
const ENDS_REMEMBERED = 20;
/** Who has run for this long works, whatever comes of it later. */
const WORKS_AFTER_MS = 600_000;

/** SIGKILL and SIGTERM, as exit codes. */
const KILLED = [137, 143];

/** What one pilot has shown. Neither: it found no work, and may be broken all the same. */
interface Evidence {
  readonly worked: boolean;
  readonly fault: PilotFault | undefined;
}

const WORKED: Evidence = { worked: true, fault: undefined };
const NOTHING: Evidence = { worked: false, fault: undefined };

function failed(how: string, detail?: string): Evidence {
  return { worked: false, fault: { how, detail } };
}

/** Pilots of this configuration, started since it is watched; those of an earlier boot went down with the host. */
function isWatched(
  { revision, host }: Observation,
  { sinceBootMs }: ProbationMemory,
  pilot: { readonly revision: string; readonly bootId: string | undefined; readonly spawnedBootMs: number | undefined },
): boolean {
  const { bootId, spawnedBootMs = -Infinity } = pilot;
  return pilot.revision === revision && bootId === host.bootId && spawnedBootMs >= sinceBootMs;
}

/** What an end has shown; undefined = nothing about the configuration. */
function ofEnd(config: Config, state: State, outcome: Outcome, { reason, pilot }: RemoveAction): Evidence | undefined {
  const { ended } = outcome;
  const ranMs = lifeMs(outcome);
  // Where it never ran, its start has failed and was counted as that.
  if (ended === undefined || ranMs === undefined) return undefined;
  if (reason !== 'exited' || state.tracked.get(pilot.id)?.evicted === true) {
    return reason === 'expired' || ranMs >= WORKS_AFTER_MS ? WORKED : undefined;
  }
  if (ended.exitCode === 0) return ranMs >= config.fizzle_seconds * 1000 ? WORKED : NOTHING;
  if (ended.oomKilled) return failed('killed for want of memory');
  // Somebody else did it: an engine that goes down, or a person.
  return KILLED.includes(ended.exitCode) ? undefined : failed(`exit code ${ended.exitCode}`);
}

function evidenceOf(
  { config, observation, state }: Situation,
  memory: ProbationMemory,
  outcome: Outcome,
): Evidence | undefined {
  const { action, result, error } = outcome;
  if (action.type === 'remove' && result === 'done' && isWatched(observation, memory, action.pilot)) {
    return ofEnd(config, state, outcome, action);
  }
  if (action.type !== 'spawn' || result !== 'failed' || !isWatched(observation, memory, action.spec)) return undefined;
  return isUnstartable(error) ? failed('could not be started', error?.message) : undefined;
}

/** Pilots that run and have done so for long. */
function working(observation: Observation, memory: ProbationMemory, { holders, tracked }: Census): number {
  const isWorking = (pilot: Pilot) => {
    const { runsSinceBootMs = Infinity } = tracked.get(pilot.id) ?? {};
    return pilot.state === 'running' && observation.at.bootMs - runsSinceBootMs >= WORKS_AFTER_MS;
  };
  return holders.filter((pilot) => isWatched(observation, memory, pilot) && isWorking(pilot)).length;
}

/** `5 of 7 pilots failed: 4 x exit code 1, 1 x could not be started (no such network)`. */
function faultsText(faults: readonly PilotFault[], judged: number): string {
  if (judged === 0) return 'no pilot has ended yet';
  const kinds = [...new Set(faults.map(({ how }) => how))].map((how) => {
    const alike = faults.filter((fault) => fault.how === how);
    const detail = alike.at(-1)?.detail;
    return { count: alike.length, text: `${alike.length} x ${how}${detail === undefined ? '' : ` (${detail})`}` };
  });
  const told = kinds.sort((a, b) => b.count - a.count).map(({ text }) => text);
  return `${faults.length} of ${judged} pilots failed${told.length === 0 ? '' : `: ${told.join(', ')}`}`;
}

function judge(config: Config, { ends, worked: gone }: ProbationMemory, running: number): Probation {
  const faults = ends.filter((fault) => fault !== undefined);
  const judged = ends.length + running;
  const worked = gone + running;
  const needed = Math.max(1, Math.min(PILOTS_TO_PROVE, config.max_docks));
  const isCondemned = faults.length >= FAILURES_TO_CONDEMN && 2 * faults.length > judged;
  const isProven = worked >= needed;
  return {
    verdict: isCondemned ? 'condemned' : isProven ? 'proven' : undefined,
    worked,
    needed,
    failed: faults.length,
    judged,
    text: faultsText(faults, judged),
  };
}

/** What the pilots of the configuration in force have shown of it so far; nothing more once it is proven. */
export function watchPilots(situation: Situation): {
  readonly probation: Probation | undefined;
  readonly memory: ProbationMemory;
} {
  const { config, observation, state, census } = situation;
  if (observation.proof === 'proven') return { probation: undefined, memory: state.probation };
  // Edits by hand all go by one name.
  const subject = `${observation.revision} ${settingsText(config)}`;
  const known = state.probation;
  const before =
    known.subject === subject
      ? known
      : { subject, sinceBootMs: Math.floor(observation.at.bootMs), worked: 0, ends: [] };
  const evidence = observation.outcomes
    .map((outcome) => evidenceOf(situation, before, outcome))
    .filter((found) => found !== undefined);
  const memory: ProbationMemory = {
    ...before,
    worked: before.worked + evidence.filter(({ worked }) => worked).length,
    ends: [...before.ends, ...evidence.map(({ fault }) => fault)].slice(-ENDS_REMEMBERED),
  };
  return { probation: judge(config, memory, working(observation, memory, census)), memory };
}
