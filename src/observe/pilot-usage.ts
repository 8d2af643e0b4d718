import type { Pilot, PilotUsage } from '../model.js';
import type { PilotCgroup } from './pilot-cgroup.js';

/**
 * What each pilot has used so far, as of the last look at the host: with the pilot its control group goes, and then it is too late to ask.
 * Pilots outside the common group are not known.
 */
export class PilotUsages {
  readonly #group: () => Pick<PilotCgroup, 'usageOf'>;
  #usages: ReadonlyMap<string, PilotUsage> = new Map();

  constructor(group: () => Pick<PilotCgroup, 'usageOf'>) {
    this.#group = group;
  }

  /** Takes the pilots there are; forgets those that have gone. */
  look(pilots: readonly Pilot[]): void {
    const group = this.#group();
    const entries = pilots.flatMap(({ id }) => {
      const before = this.#usages.get(id);
      const now = group.usageOf(id) ?? before;
      return now === undefined ? [] : [[id, higher(now, before)] as const];
    });
    this.#usages = new Map(entries);
  }

  of(id: string): PilotUsage | undefined {
    return this.#usages.get(id);
  }
}

/** Kernels that keep no peak tell how much it is now. */
function higher(now: PilotUsage, before: PilotUsage | undefined): PilotUsage {
  const { cpuSeconds, memoryPeakBytes } = now;
  const peaks = [memoryPeakBytes, before?.memoryPeakBytes].filter((bytes) => bytes !== undefined);
  return { cpuSeconds, memoryPeakBytes: peaks.length === 0 ? undefined : Math.max(...peaks) };
}
