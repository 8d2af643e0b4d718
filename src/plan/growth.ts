import type { Config } from '../config/schema.js';
import { hasNewSample, type Situation } from './situation.js';
import type { GrowthMemory, Tokens } from './state.js';

/** The permits to start in this cycle, and what to remember about growth. */
export interface Permits {
  readonly tokens: Tokens;
  readonly growth: GrowthMemory;
}

/** Growth goes on twice as fast as long as all that was permitted was started and went well; otherwise it begins again. */
function nextStep(config: Config, { step, spoiled }: GrowthMemory, unused: number): number {
  const first = config.docks_per_loop;
  if (config.growth === 'fixed' || spoiled || unused > 0) return first;
  return Math.max(first, 2 * step);
}

/**
 * Each new sample sets the permits to grow; unused ones lapse. Every end but an eviction permits one start more. `setback`: a pilot fizzled
 * or was evicted in this cycle.
 */
export function earnPermits(situation: Situation, setback: boolean): Permits {
  const { config, state, census } = situation;
  const memory = { ...state.growth, spoiled: state.growth.spoiled || setback };
  if (!hasNewSample(situation)) {
    const { growth, replacement } = state.tokens;
    return { tokens: { growth, replacement: replacement + census.ended }, growth: memory };
  }
  const step = nextStep(config, memory, state.tokens.growth);
  return { tokens: { growth: step, replacement: census.ended }, growth: { step, spoiled: false } };
}
