import { systemClock } from '../../src/clock.js';
import { createJournal } from '../../src/journal/journal.js';
import { DAY_STEPS } from '../../src/journal/day.js';
import type { Pilot } from '../../src/model.js';
import type { DaemonEvent } from '../../src/report/event.js';
import { aPilot, aSample, anObservation, aSpec } from '../support/builders.js';
import { createFakeClock } from '../support/fake-clock.js';
import { aConfig, aStory } from '../support/plan-builders.js';

const dayMs = 24 * 3_600_000;
const stepMs = dayMs / DAY_STEPS;
const cpus = 64;
const limits = { journal_size: 256_000_000, journal_age: 2 * 86_400 };
/** So many steps are written at a time: what waits for the disk is bounded. */
const stepsAtOnce = 10;

/** One slot of the host, and when its pilot ends. */
interface Slot {
  pilot: Pilot;
  startedMs: number;
  endsMs: number;
}

function startedEvent({ name }: Pilot, atWallMs: number): DaemonEvent {
  const action = { type: 'spawn', reason: 'replacement', spec: aSpec({ name }) } as const;
  return { type: 'action-ended', atWallMs, outcome: { action, result: 'done', error: undefined, ended: undefined } };
}

function endedEvent({ pilot, startedMs, endsMs }: Slot): DaemonEvent {
  const action = { type: 'remove', reason: 'exited', pilot, stopSeconds: 0, ageMs: endsMs - startedMs } as const;
  const ended = { exitCode: 0, oomKilled: false, startedWallMs: startedMs, finishedWallMs: endsMs };
  return { type: 'action-ended', atWallMs: endsMs, outcome: { action, result: 'done', error: undefined, ended } };
}

/** What the CPUs did: pilots have more of them by night. */
function cycleEvent(step: number, atMs: number, pilots: readonly Pilot[]): DaemonEvent {
  const own = 20 + 10 * Math.cos((2 * Math.PI * step) / DAY_STEPS) + Math.random();
  const busy = own + 5 + 3 * Math.random();
  const sample = aSample({ seq: step + 1, monoMs: step * stepMs, spanMs: stepMs, cpus, busy, own });
  const at = { wallMs: atMs, monoMs: step * stepMs, bootMs: step * stepMs };
  const { capacity, holds, gates } = aStory(aConfig()).look();
  const plan = { actions: [], capacity, holds, gates };
  return {
    type: 'cycle',
    number: step,
    uptimeMs: 0,
    tookMs: 3,
    observation: anObservation({ at, sample, pilots }),
    plan,
  };
}

/**
 * Writes the journal of a day that ends at `untilMs` (ms since 1970): a look every half minute, `count` pilots at any time, each of about an hour, the
 * last of which end with the day. Resolves to how many there were in all.
 */
export async function writeMadeUpDay(folder: string, count: number, untilMs: number): Promise<number> {
  const clock = createFakeClock();
  const troubles: string[] = [];
  const journal = createJournal({ folder, clock, limits: () => limits, onTrouble: (text) => troubles.push(text) });
  const tell = (event: DaemonEvent, atMs: number) => {
    clock.stepWall(atMs - clock.now().wallMs);
    journal.sink(event);
  };
  let made = 0;
  const begin = (startedMs: number): Slot => {
    made += 1;
    const pilot = aPilot({ name: `plancton-worker-${String(made).padStart(6, '0')}` });
    tell(startedEvent(pilot, startedMs), startedMs);
    tell({ type: 'pilot-seen', pilot }, startedMs);
    return { pilot, startedMs, endsMs: startedMs + (0.5 + Math.random()) * 3_600_000 };
  };
  const fromMs = untilMs - dayMs;
  const slots = Array.from({ length: count }, () => begin(fromMs));
  for (let step = 1; step < DAY_STEPS; step += 1) {
    const atMs = fromMs + step * stepMs;
    slots.forEach((slot, index) => {
      if (slot.endsMs > atMs) return;
      tell(endedEvent(slot), atMs);
      slots[index] = begin(atMs);
    });
    tell(
      cycleEvent(
        step,
        atMs,
        slots.map(({ pilot }) => pilot),
      ),
      atMs,
    );
    if (step % stepsAtOnce === 0) await systemClock.sleep(1);
  }
  for (const slot of slots) tell(endedEvent({ ...slot, endsMs: untilMs }), untilMs);
  await journal.close(60_000);
  if (troubles.length > 0) throw new Error(troubles.join('\n'));
  return made;
}
