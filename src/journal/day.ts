import type { Day, DayPilot, DaySample } from '../report/shown.js';
import { biographies, type Biography } from './biographies.js';
import type { JournalEntry } from './journal.js';
import { seenHost, type SeenSpan } from './seen-host.js';

/** As many as a wide screen has points, and a `main_sleep` of 30 s makes in a day. */
export const DAY_STEPS = 2880;
/** Of 200 pilots an hour each there are half as many in a day. */
const MOST_PILOTS = 10_000;

interface Step {
  seconds: number;
  cpus: number;
  own: number;
  foreign: number;
  idle: number;
  pilots: number;
}

const QUANTITIES = ['cpus', 'own', 'foreign', 'idle', 'pilots'] as const;

function addTo(steps: Map<number, Step>, index: number, seconds: number, span: SeenSpan): void {
  const step = steps.get(index) ?? { seconds: 0, cpus: 0, own: 0, foreign: 0, idle: 0, pilots: 0 };
  step.seconds += seconds;
  for (const quantity of QUANTITIES) step[quantity] += span[quantity] * seconds;
  steps.set(index, step);
}

/** Gives every step its part of a span. */
function spread(steps: Map<number, Step>, span: SeenSpan, sinceMs: number, stepMs: number): void {
  const fromMs = Math.max(sinceMs, span.at - span.seconds * 1000);
  const last = Math.min(DAY_STEPS - 1, Math.floor((span.at - sinceMs) / stepMs));
  for (let index = Math.floor((fromMs - sinceMs) / stepMs); index <= last; index += 1) {
    const beginMs = sinceMs + index * stepMs;
    const seconds = (Math.min(span.at, beginMs + stepMs) - Math.max(fromMs, beginMs)) / 1000;
    if (seconds > 0) addTo(steps, index, seconds, span);
  }
}

const rounded = (value: number) => Math.round(value * 1000) / 1000;

function toSample(at: number, { seconds, cpus, own, foreign, idle, pilots }: Step): DaySample {
  const mean = (sum: number) => rounded(sum / seconds);
  return {
    ...{ at: Math.round(at), cpus: mean(cpus), own: mean(own) },
    ...{ foreign: mean(foreign), idle: mean(idle), pilots: mean(pilots) },
  };
}

function toPilot({ name, image, fromMs, untilMs, end, exitCode }: Biography): DayPilot {
  return { name, image, from: fromMs, until: untilMs, end, exitCode };
}

/** What some time looked like; `entries` of before and after are not looked at. Ms since 1970. */
export function dayOf(entries: readonly JournalEntry[], sinceMs: number, untilMs: number): Day {
  const stepMs = (untilMs - sinceMs) / DAY_STEPS;
  const within = entries.filter(({ at }) => at >= sinceMs && at < untilMs);
  const steps = new Map<number, Step>();
  for (const span of seenHost(within).spans) spread(steps, span, sinceMs, stepMs);
  const pilots = biographies(within).map(toPilot);
  return {
    stepSeconds: stepMs / 1000,
    samples: [...steps].sort(([a], [b]) => a - b).map(([index, step]) => toSample(sinceMs + index * stepMs, step)),
    pilots: pilots.slice(-MOST_PILOTS),
    leftOut: Math.max(0, pilots.length - MOST_PILOTS),
  };
}
