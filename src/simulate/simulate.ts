import type { Config } from '../config/schema.js';
import { configuredSlack } from '../plan/capacity.js';
import { runClosedLoop } from './closed-loop.js';
import { stepLoad } from './foreign-load.js';
import type { SimulationResult } from './result.js';
import type { Scenario } from './scenario.js';

/**
 * What a daemon with this configuration would have done. With `policy: legacy` it is the original's in all that matters: it only
 * polls, and its pilots have no weight of their own.
 */
export function simulate(scenario: Scenario, config: Config): SimulationResult {
  const { ncpus, hours, seed, pilot, foreign, period } = scenario;
  const isOriginal = config.policy === 'legacy';
  return runClosedLoop({
    config,
    hours,
    wake: isOriginal ? 'timer' : 'events',
    host: {
      ncpus,
      pilot,
      foreign: stepLoad(foreign, period),
      yields: config.nice && !isOriginal ? 'cgroup' : 'none',
      startCost: config.start_cost,
      slack: configuredSlack(config, ncpus),
      fizzleSeconds: config.fizzle_seconds,
      seed,
    },
  });
}
