import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { DaemonEvent, TellTrouble } from '../report/event.js';
import type { PostMortem } from '../report/post-mortem.js';
import { toPostMortemEntry, type PostMortemEntry } from './entry-shape.js';
import type { Journal } from './journal.js';
import { readRing, type RingRead } from './read-ring.js';
import { createRing } from './ring.js';

/** In the state directory. */
export const POST_MORTEM_FOLDER = 'post-mortems';

export interface PostMortemOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Undefined: there is no configuration yet, and nothing is kept. */
  readonly limits: () => Pick<Config, 'post_mortem_size' | 'journal_age'> | undefined;
  readonly onTrouble: TellTrouble;
}

/** Of a pilot that could not be started nothing is left but what the engine said. */
function postMortemOf(event: DaemonEvent): PostMortem | undefined {
  if (event.type === 'post-mortem') return event.postMortem;
  if (event.type !== 'action-ended' || event.outcome.result !== 'failed') return undefined;
  const { action, error } = event.outcome;
  if (action.type !== 'spawn') return undefined;
  const { name, image, revision, flavour, cpus } = action.spec;
  const pilot = { name, image, revision, flavour, cpus };
  return { pilot, cause: 'not-started', ended: undefined, usage: undefined, log: '', said: error?.message };
}

/** Keeps what is left of the pilots that came to no good end: the newest, as far as there is room. */
export function createPostMortems({ folder, clock, limits, onTrouble }: PostMortemOptions): Journal {
  const ring = createRing({ folder, clock, onTrouble });
  return {
    sink: (event) => {
      const bounds = limits();
      // Those that are there go, too.
      if (bounds?.post_mortem_size === 0 && event.type === 'cycle') ring.add('', { bytes: 0, ageMs: 0 });
      const postMortem = bounds && postMortemOf(event);
      if (postMortem === undefined) return;
      const entry: PostMortemEntry = { at: clock.now().wallMs, ...postMortem };
      ring.add(JSON.stringify(entry), {
        bytes: bounds?.post_mortem_size ?? 0,
        ageMs: (bounds?.journal_age ?? 0) * 1000,
      });
    },
    trouble: () => ring.trouble,
    close: (deadlineMs) => ring.close(deadlineMs),
  };
}

/** All that is kept, the oldest first. Rejects with the error of the system; a folder that is not there holds nothing. */
export async function readPostMortems(folder: string): Promise<RingRead<PostMortemEntry>> {
  return readRing(folder, toPostMortemEntry);
}
