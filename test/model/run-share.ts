import { runSchedule } from './run-schedule.js';
import { scheduleOf } from './schedule.js';
import { shrink } from './shrink.js';

/** `npm run faults` asks for more. */
const SCHEDULES = Number(process.env['PLANCTON_SCHEDULES'] ?? 600);
/** Another seed is other schedules. */
const FIRST_SEED = Number(process.env['PLANCTON_SCHEDULES_SEED'] ?? 0);
/** Two test files, so that two CPUs share the work. */
const SHARES = 2;
const STEPS = 200;
export const TIMEOUT_MS = 60_000 + 1000 * SCHEDULES;
/** Side by side: what they wait for, a turn of the event loop, they wait for together. */
const AT_ONCE = 32;

/**
 * Runs the schedules of every second seed, from `share` on (0 or 1), and says on standard output how many that were. Rejects with the
 * first that breaks a promise, made small.
 */
export async function runShare(share: number): Promise<void> {
  const count = Math.ceil(SCHEDULES / SHARES);
  const counts = new Map<string, number>();
  const begunMs = performance.now();
  let steps = 0;
  for (let done = 0; done < count; done += AT_ONCE) {
    const seeds = Array.from(
      { length: Math.min(AT_ONCE, count - done) },
      (_, index) => FIRST_SEED + share + (done + index) * SHARES,
    );
    const reports = await Promise.all(
      seeds.map(async (seed) => ({ seed, ...(await runSchedule(scheduleOf(seed, STEPS))) })),
    );
    for (const report of reports) {
      steps += report.steps;
      for (const [what, times] of report.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    }
    const broken = reports.find(({ violation }) => violation !== undefined);
    if (broken !== undefined) throw new Error(await describe(broken.seed, broken.violation));
  }
  const seconds = (performance.now() - begunMs) / 1000;
  const pace = `${count} schedules, ${steps} steps, 0 violations, ${Math.round(steps / seconds)} steps/s`;
  const decided = [...counts].sort().map(([what, times]) => `${what} ${times}`);
  process.stdout.write(`${pace}; ${decided.join(', ')}\n`);
}

async function describe(seed: number, violation: string | undefined): Promise<string> {
  const small = await shrink(scheduleOf(seed, STEPS));
  const steps = small.steps.map((step) => JSON.stringify(step)).join(',\n');
  return `seed ${seed}: ${violation ?? ''}\nending ${small.ending} after\n[${steps}]`;
}
