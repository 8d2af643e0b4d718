import type { Pilot, PilotUsage } from '../model.js';
import type { PilotCgroup } from './pilot-cgroup.js';
import type { NetworkGauge } from './pilot-network.js';

/**
 * What each pilot has used so far, as of the last look at the host: with the pilot its control group goes, and then it is too late to ask.
 * Pilots outside the common group are not known.
 */
export class PilotUsages {
  readonly #group: () => Pick<PilotCgroup, 'usageOf'>;
  readonly #network: NetworkGauge;
  #usages: ReadonlyMap<string, PilotUsage> = new Map();

  constructor(group: () => Pick<PilotCgroup, 'usageOf'>, network: NetworkGauge) {
    this.#group = group;
    this.#network = network;
  }

  /** Takes the pilots there are; forgets those that have gone. */
  look(pilots: readonly Pilot[]): void {
    const group = this.#group();
    const seen = pilots.map((pilot) => {
      const before = this.#usages.get(pilot.id);
      return { pilot, before, now: group.usageOf(pilot.id, before) ?? before };
    });
    // Who has not run has not sent anything either: on a host of quiet pilots next to nothing is read.
    const ran = new Set(seen.filter(({ before, now }) => now !== before).map(({ pilot }) => pilot.id));
    const networkOf = this.#network(pilots, ran);
    this.#usages = new Map(
      seen.flatMap(({ pilot: { id }, before, now }) =>
        now === undefined ? [] : [[id, join(now, before, networkOf.get(id))] as const],
      ),
    );
  }

  of(id: string): PilotUsage | undefined {
    return this.#usages.get(id);
  }
}

function higher(now: number | undefined, before: number | undefined): number | undefined {
  const known = [now, before].filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/**
 * Kernels that keep no peak tell how much it is now, and a new network card begins to count at 0. What cannot be read any more stays what
 * it was.
 */
function join(now: PilotUsage, before: PilotUsage | undefined, networkBytes: number | undefined): PilotUsage {
  if (now === before) return now;
  return {
    cpuSeconds: now.cpuSeconds,
    memoryPeakBytes: higher(now.memoryPeakBytes, before?.memoryPeakBytes),
    blockBytes: higher(now.blockBytes, before?.blockBytes),
    networkBytes: higher(networkBytes, before?.networkBytes),
  };
}
