import type { Pilot, PilotEnd, PilotUsage } from '../model.js';

/** What is left of a pilot that came to no good end. */
export interface PostMortem {
  readonly pilot: Pick<Pilot, 'name' | 'image' | 'revision' | 'flavour' | 'cpus'> & Partial<Pick<Pilot, 'id'>>;
  /** `failed`: it ended by itself, by an exit code that is not 0 or for want of memory. */
  readonly cause: 'evicted' | 'failed' | 'not-started';
  /** Undefined: the engine did not tell. */
  readonly ended: PilotEnd | undefined;
  /** As of the last look at the host; undefined: it was gone before, or is not counted. */
  readonly usage: PilotUsage | undefined;
  /** The end of what it has written. */
  readonly log: string;
  /** What the engine said: why it could not be started, or why there is no log. */
  readonly said: string | undefined;
}
