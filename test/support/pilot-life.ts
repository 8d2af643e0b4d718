import type { Plan } from '../../src/decision.js';
import type { Outcome, Pilot, RemoveAction } from '../../src/model.js';
import type { State } from '../../src/plan/state.js';
import { anInstant } from './builders.js';
import { aConfig, aStory, first, pilotsOf, type Look, type Story } from './plan-builders.js';

const START = anInstant();
/** One more at a time, and looks every half minute. */
export const CONFIG = aConfig({ max_docks: 8, docks_per_loop: 1, growth: 'fixed', main_sleep: 30 });

/** A story that knows what time it is, so that pilots can be of any age. */
export interface Life extends Story {
  /** A look `after` seconds later, without a new sample of the host unless asked for. */
  at(after: number, look?: Look): Plan<State>;
  /** A pilot that was started `age` seconds before the next look, which comes `after` seconds later. */
  pilot(name: string, age: number, after: number, changes?: Partial<Pilot>): Pilot;
}

export function aLife(config = CONFIG): Life {
  const story = aStory(config);
  let seconds = 0;
  return {
    get state() {
      return story.state;
    },
    look: (look) => story.look(look),
    at: (after, { load = null, ...look } = {}) => {
      seconds += after;
      return story.look({ after, load: load && { spanMs: 30_000, ...load }, ...look });
    },
    pilot: (name, age, after, changes = {}) => {
      const bornMs = (seconds + after - age) * 1000;
      return {
        ...first(pilotsOf(1)),
        id: name,
        name,
        spawnedBootMs: START.bootMs + bornMs,
        createdWallMs: START.wallMs + bornMs,
        ...changes,
      };
    },
  };
}

/** Ended, with exit code 0. */
export const DEAD = { state: 'exited', exitCode: 0 } as const;

/** What the engine told of a pilot when its remains were taken away: how long it had lived, ms. */
export function ended(pilot: Pilot, ageMs: number, livedMs: number, changes: Partial<Outcome['ended']> = {}): Outcome {
  const action: RemoveAction = { type: 'remove', pilot, reason: 'exited', stopSeconds: 0, ageMs };
  const end = { exitCode: 0, oomKilled: false, startedWallMs: START.wallMs, finishedWallMs: START.wallMs + livedMs };
  return { action, result: 'done', error: undefined, ended: { ...end, ...changes } };
}
