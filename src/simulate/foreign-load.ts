/** What everybody else on the host wants. Times are seconds since the simulation began. */
export interface ForeignLoad {
  /** CPUs wanted now. `pilots`: those that run, for loads that come from what serves them. */
  readonly wantedAt: (seconds: number, pilots: readonly { readonly bornSeconds: number }[]) => number;
  /** When it may change next; always later than `seconds`. */
  readonly changesAfter: (seconds: number) => number;
}

/** From `at` on, in seconds, others want `cpus` CPUs. */
export interface LoadStep {
  readonly at: number;
  readonly cpus: number;
}

/** Moments closer than this are one: sums of fractions of seconds are not exact. */
const SAME_SECONDS = 1e-6;

/** How many of the steps, which rise in `at`, have begun at `phase`. */
function begun(steps: readonly LoadStep[], phase: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((steps[middle]?.at ?? Infinity) <= phase + SAME_SECONDS) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A load that holds until the next step, 0 before the first. `steps` rise in `at`; with a period, in seconds, they repeat. */
export function stepLoad(steps: readonly LoadStep[], period = Infinity): ForeignLoad {
  const phaseOf = (seconds: number) =>
    period === Infinity ? seconds : seconds - period * Math.floor((seconds + SAME_SECONDS) / period);
  return {
    wantedAt: (seconds) => steps[begun(steps, phaseOf(seconds)) - 1]?.cpus ?? 0,
    changesAfter: (seconds) => {
      const phase = phaseOf(seconds);
      return seconds + (steps[begun(steps, phase)]?.at ?? period) - phase;
    },
  };
}
