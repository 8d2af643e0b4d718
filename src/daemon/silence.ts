import type { Pilot } from '../model.js';

/** One look may find an end just before its event comes. */
const LOOKS = 2;

/**
 * Tells a stream of events that has gone silent from one that has nothing to tell: two looks in a row find pilots that have ended
 * meanwhile, and of none was told. Costs nothing while nothing happens, as opening the stream anew every few minutes would.
 */
export class Silence {
  #told = false;
  #untoldLooks = 0;
  /** Ended pilots of the last look. */
  #ended: ReadonlySet<string> = new Set();

  /** An end was told. */
  break(): void {
    this.#told = true;
  }

  /** Takes what a look found; true when the stream is silent. Pilots of an original Plancton are never told of. */
  compare(pilots: readonly Pilot[]): boolean {
    const before = this.#ended;
    const ended = pilots.filter(({ state, adopted }) => !adopted && (state === 'exited' || state === 'dead'));
    this.#ended = new Set(ended.map(({ id }) => id));
    if (ended.every(({ id }) => before.has(id))) return false;
    this.#untoldLooks = this.#told ? 0 : this.#untoldLooks + 1;
    this.#told = false;
    return this.#untoldLooks >= LOOKS;
  }
}
