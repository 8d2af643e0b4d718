import type { SeenHost, SeenSpan } from '../journal/seen-host.js';
import type { SimulationResult } from './result.js';
import type { LoadStep } from './foreign-load.js';
import type { Scenario } from './scenario.js';
import type { PilotKind } from './simulated-host.js';

/** What can be said of what was, beside what would have been. */
export type PastResult = Pick<
  SimulationResult,
  | 'spawned'
  | 'completed'
  | 'evicted'
  | 'expired'
  | 'fizzled'
  | 'pilotsMean'
  | 'admissibleMean'
  | 'idleCpusMean'
  | 'wastedFraction'
>;

/** Where no pilot has ended by itself nobody knows how long they live: as a scenario that says nothing. */
const UNKNOWN_LIFE = { seconds: 3600, jitter: 0 } as const;
const SHORTEST_SECONDS = 1;
const WIDEST_JITTER = 0.99;
const LEAST_SHARE = 0.01;

function sumOf(spans: readonly SeenSpan[], of: (span: SeenSpan) => number): number {
  return spans.reduce((sum, span) => sum + of(span), 0);
}

function secondsOf(spans: readonly SeenSpan[]): number {
  return sumOf(spans, ({ seconds }) => seconds);
}

/** Weighted by time. */
function meanOf(spans: readonly SeenSpan[], of: (span: SeenSpan) => number): number {
  return sumOf(spans, (span) => of(span) * span.seconds) / secondsOf(spans);
}

/** As long and as different as those that ended: an even spread of that mean and deviation (half its width is sqrt 3 deviations). */
function lifeOf(lives: readonly number[]): Pick<PilotKind, 'seconds' | 'jitter'> {
  if (lives.length === 0) return UNKNOWN_LIFE;
  const mean = lives.reduce((sum, life) => sum + life, 0) / lives.length;
  const variance = lives.reduce((sum, life) => sum + (life - mean) ** 2, 0) / lives.length;
  const seconds = Math.max(SHORTEST_SECONDS, mean);
  return { seconds, jitter: Math.min(WIDEST_JITTER, Math.sqrt(3 * variance) / seconds) };
}

/** The share of what they were promised that pilots used. */
function shareOf(spans: readonly SeenSpan[]): number {
  const used = sumOf(spans, ({ own, seconds }) => own * seconds);
  const promised = sumOf(spans, (span) => span.promised * span.seconds);
  return promised > 0 ? Math.min(1, Math.max(LEAST_SHARE, used / promised)) : 1;
}

/** The scenario that a recording is: the same load of others, and pilots as those were. Undefined where nothing was seen. */
export function replayScenario({ spans, lives }: SeenHost): Scenario | undefined {
  if (spans.length === 0) return undefined;
  const foreign: LoadStep[] = [];
  let at = 0;
  for (const { seconds, foreign: cpus } of spans) {
    foreign.push({ at, cpus });
    at += seconds;
  }
  return {
    ncpus: spans.reduce((most, { cpus }) => Math.max(most, cpus), 1),
    hours: at / 3600,
    seed: 1,
    pilot: { ...lifeOf(lives), cpu: shareOf(spans) },
    foreign,
    period: undefined,
  };
}

/** What really came of it. `fizzleSeconds`: who ended by itself within so many has fizzled. */
export function pastResult(recording: SeenHost, fizzleSeconds: number): PastResult {
  const { spans, lives, evictedLives, spawned, completed, evicted, expired } = recording;
  const pilotSeconds = sumOf(spans, ({ pilots, seconds }) => pilots * seconds);
  const lost = evictedLives.reduce((sum, life) => sum + life, 0);
  return {
    ...{ spawned, completed, evicted, expired },
    fizzled: lives.filter((life) => life < fizzleSeconds).length,
    pilotsMean: pilotSeconds / secondsOf(spans),
    admissibleMean: meanOf(spans, ({ admissible }) => admissible),
    idleCpusMean: meanOf(spans, ({ idle }) => idle),
    // Pilots may have begun before the recording did.
    wastedFraction: pilotSeconds > 0 ? Math.min(1, lost / pilotSeconds) : 0,
  };
}
