import { stepLoad, type ForeignLoad } from '../../src/simulate/foreign-load.js';

/** A day on a simulated host, and what the unmodified original did in it. */
export interface OriginalScenario {
  readonly name: string;
  readonly ncpus: number;
  readonly maxDocks: number;
  readonly pilotSeconds: number;
  readonly foreign: ForeignLoad;
  /** What the original's own code did, run against a stubbed engine and a simulated host. */
  readonly original: { readonly completed: number; readonly evicted: number; readonly wastedFraction: number };
}

const HOUR = 3600;

function constant(cpus: number): ForeignLoad {
  return stepLoad([{ at: 0, cpus }]);
}

/** `cpus` for five minutes of every half hour. */
function bursts(cpus: number): ForeignLoad {
  const steps = [
    { at: 0, cpus: 0 },
    { at: 600, cpus },
    { at: 900, cpus: 0 },
  ];
  return stepLoad(steps, 1800);
}

function row(
  name: string,
  ncpus: number,
  pilotSeconds: number,
  foreign: ForeignLoad,
  [completed, evicted, wastedFraction]: readonly [number, number, number],
  maxDocks = ncpus - 2,
): OriginalScenario {
  return { name, ncpus, maxDocks, pilotSeconds, foreign, original: { completed, evicted, wastedFraction } };
}

export const originalScenarios: readonly OriginalScenario[] = [
  row('24 CPUs to ourselves', 24, HOUR, constant(0), [509, 0, 0]),
  row('24 CPUs, 5 % foreign', 24, HOUR, constant(1.2), [500, 0, 0]),
  row('24 CPUs, 12 % foreign', 24, HOUR, constant(2.88), [0, 2082, 1]),
  row('24 CPUs, 25 % foreign', 24, HOUR, constant(6), [0, 1955, 1]),
  row('24 CPUs, 50 % foreign', 24, HOUR, constant(12), [0, 1666, 1]),
  row('64 CPUs, 12 % foreign', 64, HOUR, constant(7.68), [0, 2160, 1]),
  row('24 CPUs, 12 % foreign, 10 min pilots', 24, 600, constant(2.88), [529, 1914, 0.68]),
  row('8 CPUs, 2 CPUs for 5 min every half hour', 8, HOUR, bursts(2), [26, 240, 0.8]),
  row('24 CPUs, 4 CPUs for 5 min every half hour', 24, HOUR, bursts(4), [467, 132, 0.055]),
  row('24 CPUs to ourselves, 60 s pilots', 24, 60, constant(0), [4397, 0, 0], 24),
];
