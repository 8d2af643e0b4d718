import { runSchedule } from './run-schedule.js';
import type { Schedule, Step } from './schedule.js';

function ruleOf(violation: string | undefined): string | undefined {
  return violation?.split(':')[0];
}

/** The same schedule without all the steps that the broken promise does not need. */
export async function shrink(schedule: Schedule): Promise<Schedule> {
  const first = await runSchedule(schedule);
  const rule = ruleOf(first.violation);
  let steps: readonly Step[] = schedule.steps.slice(0, first.steps);
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < steps.length;) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      const { violation } = await runSchedule({ ...schedule, steps: fewer });
      if (ruleOf(violation) === rule) steps = fewer;
      else at += size;
    }
  }
  return { ...schedule, steps };
}
