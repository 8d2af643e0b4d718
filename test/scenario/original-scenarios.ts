/** A scenario of `conf/scenarios`, and what the unmodified original did in it. */
export interface OriginalScenario {
  /** The name of the file, without `.yaml`. */
  readonly name: string;
  /** What the original's own code did, run against a stubbed engine and a simulated host. */
  readonly original: { readonly completed: number; readonly evicted: number; readonly wastedFraction: number };
}

function row(name: string, completed: number, evicted: number, wastedFraction: number): OriginalScenario {
  return { name, original: { completed, evicted, wastedFraction } };
}

export const originalScenarios: readonly OriginalScenario[] = [
  row('dedicated', 509, 0, 0),
  row('constant-5-percent', 500, 0, 0),
  row('constant-12-percent', 0, 2082, 1),
  row('constant-25-percent', 0, 1955, 1),
  row('constant-50-percent', 0, 1666, 1),
  row('constant-12-percent-64-cpus', 0, 2160, 1),
  row('constant-12-percent-short-pilots', 529, 1914, 0.68),
  row('bursts-8-cpus', 26, 240, 0.8),
  row('bursts-24-cpus', 467, 132, 0.055),
  row('dedicated-60-second-pilots', 4397, 0, 0),
];
