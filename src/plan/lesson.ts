import type { Config } from '../config/schema.js';
import type { FizzleCause } from '../decision.js';
import type { EngineFailure, Observation, Outcome, Pilot, RemoveAction, SpawnAction } from '../model.js';
import type { Census } from './census.js';
import type { State, Tracked } from './state.js';

/** What the end or the start of one pilot says about starting more of its kind. Times on the boot clock. */
export type Lesson =
  /** It outlived `fizzle_seconds`. */
  | { readonly type: 'lived'; readonly bornBootMs: number }
  /** It ended sooner, or could not be started. */
  | { readonly type: 'fizzled'; readonly bornBootMs: number; readonly cause: FizzleCause }
  /** The engine started one; nothing is known of its life yet. */
  | { readonly type: 'started'; readonly bornBootMs: number }
  /** More about one that fizzled already. */
  | { readonly type: 'explained'; readonly cause: FizzleCause };

const OUT_OF_MEMORY: FizzleCause = {
  kind: 'out-of-memory',
  text: 'pilots are killed at once for want of memory: max_dock_mem is too small for them, or the host is out of it',
};

/** What exit codes mean by convention of shells and engines. 137 is SIGKILL: of whom, only an inspection tells. */
const MEANINGS: ReadonlyMap<number, string> = new Map([
  [126, 'the command cannot be run'],
  [127, 'the image has no such command'],
  [137, 'killed, from outside or for want of memory'],
]);

function causeOfEnd(config: Config, exitCode: number | undefined): FizzleCause {
  const soon = `pilots end within ${config.fizzle_seconds} s`;
  if (exitCode === 0) return { kind: 'no-work', text: `${soon} with exit code 0: no work for them` };
  if (exitCode === undefined) return { kind: 'failing', text: `${soon}: broken image or command` };
  const meaning = MEANINGS.get(exitCode) ?? 'broken image or command';
  return { kind: 'failing', text: `${soon} with exit code ${exitCode}: ${meaning}` };
}

/** What cannot work, or is not there, is so on every host; anything else is this host's engine. */
export function isUnstartable(error: EngineFailure | undefined): boolean {
  return error?.kind === 'invalid' || error?.kind === 'not-found';
}

function causeOfFailedStart({ error }: Outcome): FizzleCause {
  const message = error?.message ?? 'no reason given';
  return isUnstartable(error)
    ? { kind: 'image', text: `pilots cannot be started with this configuration: ${message}` }
    : { kind: 'host', start: error?.start, text: `the engine cannot start pilots: ${message}` };
}

function ofStart(outcome: Outcome, action: SpawnAction): Lesson | undefined {
  const bornBootMs = action.spec.spawnedBootMs;
  if (outcome.result === 'done') return { type: 'started', bornBootMs };
  // It may run all the same; an engine that does nothing more is found out otherwise.
  if (outcome.error?.kind === 'timeout') return undefined;
  return outcome.result === 'failed' ? { type: 'fizzled', bornBootMs, cause: causeOfFailedStart(outcome) } : undefined;
}

/** How long a removed pilot had run, ms, as the engine tells; undefined where it cannot. */
export function lifeMs({ ended }: Outcome): number | undefined {
  if (ended?.startedWallMs === undefined || ended.finishedWallMs === undefined) return undefined;
  return ended.finishedWallMs - ended.startedWallMs;
}

interface Remains {
  readonly action: RemoveAction;
  readonly known: Tracked | undefined;
  readonly soonMs: number;
}

/** Whether the end of a pilot was counted when it was seen dead, or does not count, since we have made it. */
function isSettled({ action: { ageMs }, known, soonMs }: Remains): boolean {
  if (known === undefined) return ageMs < soonMs;
  return known.unclear === false;
}

/** It has lived, which counts once: here, unless it was seen to. */
function livedUnseen(known: Tracked | undefined, bornBootMs: number): Lesson | undefined {
  return known?.proven === true ? undefined : { type: 'lived', bornBootMs };
}

/** What the engine told when the remains were taken away: all there is to know, but a little late. */
function ofRemains(config: Config, outcome: Outcome, state: State): Lesson | undefined {
  const { action, ended } = outcome;
  if (action.type !== 'remove' || action.reason !== 'exited' || ended === undefined) return undefined;
  const life = lifeMs(outcome);
  if (life === undefined) return undefined;
  const known = state.tracked.get(action.pilot.id);
  const bornBootMs = known?.bornBootMs ?? action.pilot.spawnedBootMs ?? 0;
  const soonMs = config.fizzle_seconds * 1000;
  if (life >= soonMs) return livedUnseen(known, bornBootMs);
  const cause = ended.oomKilled ? OUT_OF_MEMORY : causeOfEnd(config, ended.exitCode);
  if (!isSettled({ action, known, soonMs })) return { type: 'fizzled', bornBootMs, cause };
  return ended.oomKilled ? { type: 'explained', cause } : undefined;
}

/** What can be told from the list alone. Who was seen dead before `fizzle_seconds` were over has fizzled, without doubt. */
function ofSight(
  config: Config,
  observation: Observation,
  state: State,
  census: Census,
  pilot: Pilot,
): Lesson | undefined {
  const before = state.tracked.get(pilot.id);
  const now = census.tracked.get(pilot.id);
  if (now === undefined) return undefined;
  const { bornBootMs } = now;
  if (now.proven) return before?.proven === true ? undefined : { type: 'lived', bornBootMs };
  const isNews = now.ended && before?.ended !== true;
  // Whom we ended ourselves has taught nothing.
  const byUs = now.evicted || observation.inFlight.removing.includes(pilot.id);
  if (!isNews || byUs || now.unclear !== false) return undefined;
  return { type: 'fizzled', bornBootMs, cause: causeOfEnd(config, pilot.exitCode) };
}

/**
 * What happened since the last cycle to pilots of these revisions, as lessons, good ones first. Each end counts once: by the list where
 * that is proof enough, otherwise when the remains have been taken away and the engine has told how long it ran.
 */
export function takeLessons(
  observation: Observation,
  state: State,
  census: Census,
  { config, revisions }: { readonly config: Config; readonly revisions: readonly string[] },
): readonly Lesson[] {
  const concerns = ({ revision }: { readonly revision: string }) => revisions.includes(revision);
  const lessons: (Lesson | undefined)[] = [];
  for (const outcome of observation.outcomes) {
    const { action } = outcome;
    if (action.type === 'spawn' && concerns(action.spec)) lessons.push(ofStart(outcome, action));
    if (action.type === 'remove' && concerns(action.pilot)) lessons.push(ofRemains(config, outcome, state));
  }
  for (const pilot of observation.pilots) {
    if (concerns(pilot)) lessons.push(ofSight(config, observation, state, census, pilot));
  }
  const known = lessons.filter((lesson) => lesson !== undefined);
  return [...known.filter(({ type }) => type === 'lived'), ...known.filter(({ type }) => type !== 'lived')];
}
