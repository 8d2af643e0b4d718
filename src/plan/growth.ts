import type { Observation } from '../model.js';
import { hasNewSample, type Situation } from './situation.js';
import type { GrowthMemory, Tokens } from './state.js';

/** The permits to start in this cycle, and what to remember about growth. */
export interface Permits {
  readonly tokens: Tokens;
  readonly growth: GrowthMemory;
}

/** Growth goes on twice as fast as long as all that was permitted was started and lives; otherwise it begins again. */
function nextStep(situation: Situation, { step, spoiled }: GrowthMemory): number {
  const { config, state } = situation;
  const first = config.docks_per_loop;
  if (config.growth === 'fixed' || spoiled || state.tokens.growth > 0) return first;
  return Math.max(first, isTooEarly(situation) ? step : 2 * step);
}

/**
 * Whether pilots that ran at the last look already have not shown yet that they live: `fizzle_seconds` is longer than the time between two
 * looks. One and a half times that, since looks are not exact.
 */
function isTooEarly({ observation: { at, sample }, census }: Situation): boolean {
  const sinceBootMs = at.bootMs - 1.5 * (sample?.spanMs ?? 0);
  return census.holders.some(({ id, state }) => {
    const { proven = true, runsSinceBootMs = Infinity } = census.tracked.get(id) ?? {};
    return state === 'running' && !proven && runsSinceBootMs <= sinceBootMs;
  });
}

/** Starts that were permitted and not even tried. */
function untried({ outcomes }: Observation): number {
  return outcomes.filter(({ action, result }) => {
    return action.type === 'spawn' && action.reason === 'replacement' && result === 'skipped';
  }).length;
}

/**
 * Each new sample sets the permits to grow; unused ones lapse. Every end but an eviction permits one start more. `setback`: in this cycle a
 * pilot fizzled, could not be started or was evicted.
 */
export function earnPermits(situation: Situation, setback: boolean): Permits {
  const { observation, state, census } = situation;
  const due = census.ended + untried(observation);
  const memory = { ...state.growth, spoiled: state.growth.spoiled || setback };
  if (!hasNewSample(situation)) {
    const { growth, replacement } = state.tokens;
    return { tokens: { growth, replacement: replacement + due }, growth: memory };
  }
  const step = nextStep(situation, memory);
  return { tokens: { growth: step, replacement: due }, growth: { step, spoiled: false } };
}
