import { formatDuration } from '../config/quantity.js';
import { redactConfig } from '../config/redact.js';
import type { Config } from '../config/schema.js';
import type { SimulationResult } from './result.js';
import type { Scenario } from './scenario.js';

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** The outcome on one screen. */
export function formatResult({ ncpus, hours, seed }: Scenario, config: Config, result: SimulationResult): string {
  const { spawned, completed, evicted, expired, fizzled } = result;
  const { policy, max_docks: cap, cpus_per_dock: size } = config;
  const over = Math.round(result.overcommittedSeconds);
  const rows = [
    [
      'pilots',
      `${spawned} started, ${completed} completed, ${evicted} evicted, ${expired} expired, ${fizzled} fizzled`,
    ],
    [
      'at a time',
      `${result.pilotsMean.toFixed(1)}, where ${result.admissibleMean.toFixed(1)} would have fitted, on average`,
    ],
    ['idle CPUs', `${result.idleCpusMean.toFixed(1)}, on average`],
    ['wasted', `${percent(result.wastedFraction)} of pilot time, by evictions`],
    ['crowded', `${over === 0 ? '0s' : formatDuration(over)} with more CPUs promised and wanted than there are`],
    ['owner', `slowed by ${percent(result.ownerSlowdownFraction)}`],
  ];
  const title = `${ncpus} CPUs, ${hours} h, seed ${seed}; policy ${policy}, max_docks ${cap}, cpus_per_dock ${size}`;
  return [title, ...rows.map(([label = '', text = '']) => `  ${label.padEnd(10)}${text}`)].join('\n');
}

/** The same for programs: one object of JSON, the effective configuration in it, without its secrets. */
export function resultJson(config: Config, result: SimulationResult): string {
  const head = { apiVersion: 'plancton/v1', kind: 'Simulation' };
  return JSON.stringify({ ...head, ...result, config: redactConfig(config) }, null, 2);
}
