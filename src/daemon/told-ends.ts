import type { PilotEnd } from '../model.js';

/** Whose removal does not come soon may be asked about again. */
const MOST_KEPT = 100;

/** How pilots have ended, as it was read when the engine told of each: it need not be asked again when they are removed. */
export class ToldEnds {
  /** By id, the oldest first. */
  readonly #ends = new Map<string, PilotEnd>();

  /** An end was told; without `end` all that is known is that there was one. */
  note(id: string, end: PilotEnd | undefined): void {
    this.#ends.delete(id);
    if (end !== undefined) this.#ends.set(id, end);
    const [oldest = ''] = this.#ends.keys();
    if (this.#ends.size > MOST_KEPT) this.#ends.delete(oldest);
  }

  /** The end of this pilot, once; undefined = not known. */
  take(id: string): PilotEnd | undefined {
    const end = this.#ends.get(id);
    this.#ends.delete(id);
    return end;
  }
}
