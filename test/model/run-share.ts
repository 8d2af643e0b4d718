import { runSchedule } from './run-schedule.js';
import { scheduleOf } from './schedule.js';
import { shrink } from './shrink.js';

/** Another seed is other schedules. */
const FIRST_SEED = Number(process.env['PLANCTON_SCHEDULES_SEED'] ?? 0);
export const STEPS = 200;
/** Side by side: what they wait for, a turn of the event loop, they wait for together. */
const AT_ONCE = 32;

/** What schedules came to. */
export interface Share {
  readonly schedules: number;
  readonly steps: number;
  /** How often the daemons decided what. */
  readonly decided: ReadonlyMap<string, number>;
  /** The first that broke a promise, made small; undefined: none did. */
  readonly violation: string | undefined;
}

/** Runs `count` schedules of the seeds from `first` on, every `stride`th. Ends early at the first that breaks a promise. */
export async function runShare(count: number, first: number, stride: number): Promise<Share> {
  const decided = new Map<string, number>();
  let steps = 0;
  for (let done = 0; done < count; done += AT_ONCE) {
    const seeds = Array.from(
      { length: Math.min(AT_ONCE, count - done) },
      (_, index) => FIRST_SEED + first + (done + index) * stride,
    );
    const reports = await Promise.all(
      seeds.map(async (seed) => ({ seed, ...(await runSchedule(scheduleOf(seed, STEPS))) })),
    );
    for (const report of reports) {
      steps += report.steps;
      for (const [what, times] of report.counts) decided.set(what, (decided.get(what) ?? 0) + times);
    }
    const broken = reports.find(({ violation }) => violation !== undefined);
    if (broken !== undefined) {
      return {
        schedules: done + seeds.length,
        steps,
        decided,
        violation: await describe(broken.seed, broken.violation),
      };
    }
  }
  return { schedules: count, steps, decided, violation: undefined };
}

async function describe(seed: number, violation: string | undefined): Promise<string> {
  const small = await shrink(scheduleOf(seed, STEPS));
  const steps = small.steps.map((step) => JSON.stringify(step)).join(',\n');
  return `seed ${seed}: ${violation ?? ''}\nending ${small.ending} after\n[${steps}]`;
}
