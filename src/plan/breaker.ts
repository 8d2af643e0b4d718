import type { Config } from '../config/schema.js';
import type { FailingPilots, FizzleCause, Hold } from '../decision.js';
import type { Observation, Pilot } from '../model.js';
import type { Census } from './census.js';
import type { Lesson } from './lesson.js';
import { settingsText } from './pilot-spec.js';
import { nextRandom } from './random.js';
import type { BreakerMemory, PilotSource } from './state.js';

/**
 * A circuit breaker: pilots that find no work, or cannot work, are not started in a storm. Closed, pilots are started as they fit.
 * After three fizzles in a row it opens: nothing is started for a while, then one pilot as a probe. If that outlives
 * `fizzle_seconds` the circuit closes, otherwise it stays open twice as long. At first a single fizzle opens it again, and there is but one on
 * trial, and one more for each that has lived: the probe may have had the only job there was. Once some have lived since, there is
 * work, and one that fizzles among them is nothing to speak of.
 *
 * Of pilots started together those with short jobs are known first, and say nothing about the others: for `backoff_seconds` it does not open before all
 * are known that were started before the last that fizzled. Nothing is started meanwhile either.
 */
const FIZZLES_TO_OPEN = 3;
const LIVES_TO_TRUST = 3;
/** Pauses are up to this much longer than configured, so that a thousand hosts do not ask one queue at the same moment. */
const JITTER = 0.25;

/** Others wait for what the engine tells of one that has ended. */
const UNCLEAR_POLL_MS = 1000;

/** Pilots live for long, but their lessons are about now. */
const REVISIONS_KNOWN = 16;

/** A circuit of which nothing is known. */
function fresh(subject: string): BreakerMemory {
  return {
    ...{ subject, revisions: [], fizzles: 0, lastFizzle: undefined },
    ...{ cause: undefined, fault: undefined, open: undefined, wary: undefined },
  };
}

/** What lessons are about: all that a configuration says of pilots and of backing off, and the very image that they are made of. */
function subjectOf({ config }: PilotSource, { image }: Observation): string {
  const { fizzle_seconds: soon, backoff_seconds: first, backoff_max: longest } = config;
  return [image?.reference === config.docker_image ? image.id : '', soon, first, longest, settingsText(config)].join(
    '\n',
  );
}

/** What is known of pilots of this source. A revision that changes nothing about pilots changes nothing about that. */
export function recall(source: PilotSource, observation: Observation, before: BreakerMemory): BreakerMemory {
  const subject = subjectOf(source, observation);
  const known = before.subject === subject ? before : fresh(subject);
  const { revision } = source;
  if (known.revisions.at(-1) === revision) return known;
  const others = known.revisions.filter((other) => other !== revision);
  return { ...known, revisions: [...others, revision].slice(-REVISIONS_KNOWN) };
}

function isOfThisOpening({ open }: BreakerMemory, bornBootMs: number): boolean {
  return open !== undefined && bornBootMs > open.sinceBootMs;
}

function close(memory: BreakerMemory, wary: BreakerMemory['wary']): BreakerMemory {
  return { ...fresh(memory.subject), revisions: memory.revisions, wary };
}

/** One more that was started since the circuit closed has lived. */
function lessWary({ wary }: BreakerMemory, { bornBootMs }: { readonly bornBootMs: number }): BreakerMemory['wary'] {
  return wary === undefined || bornBootMs < wary.sinceBootMs ? wary : { ...wary, lived: wary.lived + 1 };
}

/** Whether it is the engine that is in trouble, and not the pilots: one that it cannot start says nothing about those that have ended too soon. */
function isHosts({ open, cause }: BreakerMemory): boolean {
  return cause?.kind === 'host' && (open === undefined || open.byHost);
}

function blamed({ fault }: BreakerMemory, cause: FizzleCause): Pick<BreakerMemory, 'cause' | 'fault'> {
  return { cause, fault: cause.kind === 'no-work' ? fault : cause };
}

/** It was open until a moment ago, and few have lived since. */
function isUntrusted({ wary }: BreakerMemory): boolean {
  return wary !== undefined && wary.lived < LIVES_TO_TRUST;
}

/** How many fizzles in a row are too many. */
function tolerance(memory: BreakerMemory): number {
  return isUntrusted(memory) ? 1 : FIZZLES_TO_OPEN;
}

/**
 * Whether of one that was started no later than the last that fizzled it is not known yet whether it lives, or lived. Who stands still
 * would be waited for too long.
 */
function isAwaited(
  config: Config,
  { lastFizzle }: BreakerMemory,
  { holders, tracked }: Census,
  nowBootMs: number,
): boolean {
  if (lastFizzle === undefined || nowBootMs >= waitsUntilBootMs(config, lastFizzle)) return false;
  const running = holders.flatMap(({ id, state }) => (state === 'running' ? (tracked.get(id) ?? []) : []));
  const onTrial = running.filter(({ proven, removalTrouble }) => !proven && removalTrouble === undefined);
  const unclear = [...tracked.values()].filter((known) => known.unclear === 'waiting');
  return [...onTrial, ...unclear].some(({ bornBootMs }) => bornBootMs <= lastFizzle.bornBootMs);
}

function waitsUntilBootMs(
  { backoff_seconds: seconds }: Config,
  { atBootMs }: NonNullable<BreakerMemory['lastFizzle']>,
): number {
  return atBootMs + seconds * 1000;
}

function heed(config: Config, memory: BreakerMemory, lesson: Lesson, nowBootMs: number): BreakerMemory {
  const { open } = memory;
  switch (lesson.type) {
    case 'lived':
      if (open === undefined) return close(memory, lessWary(memory, lesson));
      // One that was started before says nothing about now.
      if (!isOfThisOpening(memory, lesson.bornBootMs)) return memory;
      return close(memory, {
        holdMs: open.holdMs,
        sinceBootMs: Math.floor(nowBootMs),
        untilBootMs: nowBootMs + config.backoff_max * 1000,
        lived: 0,
      });
    case 'started':
      return isHosts(memory) ? close(memory, undefined) : memory;
    case 'explained':
      return memory.fizzles > 0 ? { ...memory, ...blamed(memory, lesson.cause) } : memory;
    case 'fizzled':
      return {
        ...memory,
        ...blamed(memory, lesson.cause),
        fizzles: memory.fizzles + 1,
        lastFizzle: {
          bornBootMs: Math.max(memory.lastFizzle?.bornBootMs ?? 0, lesson.bornBootMs),
          atBootMs: nowBootMs,
        },
      };
  }
}

/** How long nothing is started. A host's own trouble is no queue's: its engine is asked again in every loop. */
function nextHoldMs(config: Config, memory: BreakerMemory): number {
  const { open, wary } = memory;
  const before = open?.holdMs ?? wary?.holdMs;
  const holdMs = before === undefined ? config.backoff_seconds * 1000 : 2 * before;
  const longestMs = 1000 * (isHosts(memory) ? config.main_sleep : config.backoff_max);
  return Math.min(holdMs, longestMs);
}

/** The circuit after these lessons, and the seed for the next random number. */
export function learn(
  { config, census, nowBootMs }: { readonly config: Config; readonly census: Census; readonly nowBootMs: number },
  known: BreakerMemory,
  lessons: readonly Lesson[],
  seed: number,
): { readonly breaker: BreakerMemory; readonly seed: number } {
  const wary = known.wary !== undefined && nowBootMs < known.wary.untilBootMs ? known.wary : undefined;
  const start: BreakerMemory = { ...known, wary };
  const memory = lessons.reduce((soFar, lesson) => heed(config, soFar, lesson, nowBootMs), start);
  const opens =
    memory.open === undefined
      ? memory.fizzles >= tolerance(memory) && !isAwaited(config, memory, census, nowBootMs)
      : lessons.some((lesson) => lesson.type === 'fizzled' && isOfThisOpening(memory, lesson.bornBootMs));
  if (!opens) return { breaker: memory, seed };
  const holdMs = nextHoldMs(config, memory);
  const random = nextRandom(seed);
  const sinceBootMs = Math.ceil(nowBootMs);
  const fromBootMs = memory.lastFizzle?.atBootMs ?? nowBootMs;
  const dueBootMs = Math.ceil(fromBootMs + holdMs * (1 + (JITTER * random.value) / 2 ** 32));
  return {
    breaker: { ...memory, open: { sinceBootMs, holdMs, dueBootMs, byHost: isHosts(memory) } },
    seed: random.seed,
  };
}

/** Ended pilots of which the engine has not told yet how long they ran. */
function unclearEnds({ tracked }: Census): number {
  return [...tracked.values()].filter(({ unclear }) => unclear === 'waiting').length;
}

/** It will not show any more whether it lives: it cannot be removed, or somebody else has paused it. */
function isSilent({ id, state }: Pilot, { tracked }: Census): boolean {
  const { frozenAtMs, removalTrouble } = tracked.get(id) ?? {};
  return removalTrouble !== undefined || (state === 'paused' && frozenAtMs === undefined);
}

/** Pilots of which it is not known yet whether they live, or lived. Who stays silent for good must not be waited for. */
function onTrial(census: Census): number {
  const { holders, count, tracked } = census;
  const judged = holders.filter((pilot) => tracked.get(pilot.id)?.proven === true || isSilent(pilot, census));
  return count - judged.length + unclearEnds(census);
}

/** How many pilots experience allows to start now; `Infinity` = as many as fit. */
export function permits(memory: BreakerMemory, census: Census, nowBootMs: number): number {
  const { fizzles, open, wary } = memory;
  if (open !== undefined) return nowBootMs < open.dueBootMs ? 0 : Math.max(0, 1 - onTrial(census));
  if (fizzles > 0) return Math.max(0, tolerance(memory) - fizzles - onTrial(census));
  return wary !== undefined && isUntrusted(memory) ? Math.max(0, 1 + wary.lived - onTrial(census)) : Infinity;
}

/** True while nothing is started but one pilot now and then, as a probe. */
export function isOpen({ open }: BreakerMemory): boolean {
  return open !== undefined;
}

/** Whether what was asked for a moment ago is not wanted any more. Later there is but the probe, which is. */
export function isNewlyOpen(before: BreakerMemory, now: BreakerMemory): boolean {
  return now.open !== undefined && before.open === undefined;
}

/** What keeps the circuit open, unless that is nothing but want of work. */
export function failingPilots({ open, fault }: BreakerMemory): FailingPilots | undefined {
  if (open === undefined || fault === undefined || fault.kind === 'no-work') return undefined;
  return { ...fault, kind: fault.kind, soon: open.byHost };
}

/** How long nothing is started yet. */
export function backOffMs({ open }: BreakerMemory, nowBootMs: number): number {
  return open === undefined ? 0 : Math.max(0, open.dueBootMs - nowBootMs);
}

/** Why experience holds starts back. */
export function breakerHold(config: Config, { open, fizzles, cause, wary }: BreakerMemory, nowBootMs: number): Hold {
  const why = cause?.text ?? 'pilots end too soon';
  if (open === undefined && fizzles === 0) {
    const lived = `${wary?.lived ?? 0} of ${LIVES_TO_TRUST}`;
    return { gate: 'back-off', text: `pilots have begun to live again (${lived}); waiting whether the others do` };
  }
  if (open === undefined) {
    return { gate: 'back-off', text: `${why} (${fizzles} in a row); waiting whether the others live` };
  }
  const seconds = Math.ceil((open.dueBootMs - nowBootMs) / 1000);
  const next =
    seconds > 0
      ? `next try in ${seconds} s`
      : `one is being tried, others follow when it has lived ${config.fizzle_seconds} s`;
  return { gate: 'back-off', text: `${why}; ${next}` };
}

/** Ms until time alone may change what the circuit permits; undefined = it will not. */
export function breakerDueMs(
  config: Config,
  memory: BreakerMemory,
  census: Census,
  nowBootMs: number,
): number | undefined {
  const { fizzles, open, lastFizzle } = memory;
  if (fizzles === 0 && !isUntrusted(memory)) return undefined;
  if (unclearEnds(census) > 0) return UNCLEAR_POLL_MS;
  const proofs = census.holders.flatMap(({ id }) => {
    const { proven = true, runsSinceBootMs } = census.tracked.get(id) ?? {};
    return proven || runsSinceBootMs === undefined ? [] : [runsSinceBootMs + config.fizzle_seconds * 1000 - nowBootMs];
  });
  const waited = lastFizzle === undefined || fizzles < tolerance(memory) ? [] : [waitsUntilBootMs(config, lastFizzle)];
  const due = open === undefined ? waited : [open.dueBootMs];
  const times = [...proofs, ...due.map((bootMs) => bootMs - nowBootMs)].filter((ms) => ms > 0);
  return times.length === 0 ? undefined : Math.ceil(Math.min(...times));
}
