import type { Pilot } from '../model.js';
import type { EventSink } from '../report/event.js';

/** Tells of each pilot once, when it is first seen to run: whose address it is, and what it was made from. */
export class Newcomers {
  readonly #publish: EventSink;
  #known: ReadonlySet<string> = new Set();

  constructor(publish: EventSink) {
    this.#publish = publish;
  }

  /** Takes the pilots of a look. */
  note(pilots: readonly Pilot[]): void {
    const running = pilots.filter(({ id, state }) => state === 'running' || this.#known.has(id));
    for (const { id, name, image, imageId, revision, flavour, address } of running) {
      if (this.#known.has(id)) continue;
      this.#publish({ type: 'pilot-seen', pilot: { name, id, image, imageId, revision, flavour, address } });
    }
    this.#known = new Set(running.map(({ id }) => id));
  }
}
