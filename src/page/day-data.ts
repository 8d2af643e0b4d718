import type { DayPilot, DaySample, History, LiveSample, PilotEnd } from '../report/shown.js';
import type { Status } from '../report/status.js';

/** A sample and how far it goes, ms since 1970. */
export interface TimedSample extends DaySample {
  readonly until: number;
}

/** Averages of one hour. */
export interface Hour {
  readonly at: number;
  readonly own: number;
  readonly foreign: number;
  readonly idle: number;
  readonly pilots: number;
}

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

type MutablePilot = { -readonly [Key in keyof DayPilot]: DayPilot[Key] };

/** The last day as it is known here: what was read at first, and what came since. */
export class DayData {
  #samples: TimedSample[] = [];
  #pilots = new Map<string, MutablePilot>();
  #isNew = true;

  get samples(): readonly TimedSample[] {
    return this.#samples;
  }

  get pilots(): readonly DayPilot[] {
    return [...this.#pilots.values()];
  }

  /** Begins anew. */
  load({ samples, pilots, stepSeconds }: Pick<History, 'samples' | 'pilots' | 'stepSeconds'>): void {
    this.#samples = samples.map((sample) => ({ ...sample, until: sample.at + stepSeconds * 1000 }));
    this.#pilots = new Map(pilots.map((pilot) => [pilot.name, { ...pilot }]));
    this.#isNew = true;
  }

  addSample({ seconds, ...sample }: LiveSample): void {
    const until = sample.at + seconds * 1000;
    // The last step of what was read may go a little further than its samples.
    const at = Math.max(sample.at, this.#samples.at(-1)?.until ?? 0);
    if (at < until) this.#samples.push({ ...sample, at, until });
    const oldest = until - DAY_MS;
    while ((this.#samples[0]?.until ?? oldest) < oldest) this.#samples.shift();
    for (const [name, pilot] of this.#pilots) if ((pilot.until ?? until) < oldest) this.#pilots.delete(name);
  }

  /** Those who run, and that all others do not. */
  note({ pilots, at }: Pick<Status, 'pilots' | 'at'>): void {
    const nowMs = Date.parse(at);
    const here = new Set(pilots.map(({ name }) => name));
    for (const { name, image, ageSeconds } of pilots) {
      // A daemon that has just come sees pilots for the first time that began long ago.
      const from = Math.min(nowMs - ageSeconds * 1000, this.#pilots.get(name)?.from ?? Infinity);
      this.#pilots.set(name, { name, image, from, until: undefined, end: undefined, exitCode: undefined });
    }
    for (const pilot of this.#pilots.values()) {
      // What began since then is not in there yet.
      if (pilot.until !== undefined || here.has(pilot.name) || pilot.from > nowMs) continue;
      // Of one that was gone before anybody looked here nobody knows when.
      pilot.until = this.#isNew ? pilot.from : nowMs;
    }
    this.#isNew = false;
  }

  end({ name, until, end, exitCode }: PilotEnd): void {
    const pilot = this.#pilots.get(name);
    if (pilot !== undefined) Object.assign(pilot, { until, end, exitCode });
  }

  /** The last pilots that have ended, the newest first. */
  ended(most: number): readonly DayPilot[] {
    const ended = this.pilots.filter(({ until }) => until !== undefined);
    return ended.sort((a, b) => (b.until ?? 0) - (a.until ?? 0)).slice(0, most);
  }

  /** The newest first; hours in which nobody looked are left out. */
  hours(): readonly Hour[] {
    const groups = new Map<number, TimedSample[]>();
    for (const sample of this.#samples) {
      const at = Math.floor(sample.at / HOUR_MS) * HOUR_MS;
      const group = groups.get(at);
      if (group === undefined) groups.set(at, [sample]);
      else group.push(sample);
    }
    return [...groups].sort(([a], [b]) => b - a).map(([at, samples]) => toHour(at, samples));
  }
}

function toHour(at: number, samples: readonly TimedSample[]): Hour {
  const length = (sample: TimedSample) => sample.until - sample.at;
  const total = samples.reduce((sum, sample) => sum + length(sample), 0);
  const mean = (quantity: 'own' | 'foreign' | 'idle' | 'pilots') =>
    samples.reduce((sum, sample) => sum + sample[quantity] * length(sample), 0) / total;
  return { at, own: mean('own'), foreign: mean('foreign'), idle: mean('idle'), pilots: mean('pilots') };
}
