import pLimit from 'p-limit';
import type { Clock } from '../clock.js';

/**
 * Starts side by side gain up to three or four on the engines measured: until 24 pilots ran on 2 CPUs it took 1, 0.91 and 0.89 of the time with 2, 3
 * and 4 (a plain loop: 1.41, 1, 0.85 and 1 with 1, 2, 4 and 8). Each that is under way cannot be taken back, so the last bit is left.
 */
const MOST_AT_ONCE = 3;
/**
 * So few starts go one after the other: together each takes about as long as all of them, and pilots started in step
 * end in step, to be in each other's way again for ever.
 */
const FEW = 4;
/** A start that takes longer waits for something else than the engine's CPU time; the others need not. */
const PATIENCE_MS = 1_000;

/** Lets starts begin, few at a time. */
export interface StartQueue {
  /** Runs `start` when its turn has come; resolves when it has ended. */
  add(start: () => Promise<void>): Promise<void>;
}

/** Invariant: as many run side by side as the longest queue since the last rest asks for, and one more for each that is slow. */
class Queue implements StartQueue {
  readonly #clock: Clock;
  readonly #limit = pLimit(1);
  #waiting = 0;
  #longest = 0;
  #slow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async add(start: () => Promise<void>): Promise<void> {
    this.#waiting += 1;
    this.#longest = Math.max(this.#longest, this.#waiting);
    this.#widen();
    try {
      await this.#limit(() => this.#watch(start));
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#longest = 0;
      this.#widen();
    }
  }

  async #watch(start: () => Promise<void>): Promise<void> {
    const ended = new AbortController();
    const patience = this.#clock.sleep(PATIENCE_MS, ended.signal).then(() => {
      if (ended.signal.aborted) return false;
      this.#slow += 1;
      this.#widen();
      return true;
    });
    try {
      await start();
    } finally {
      ended.abort();
      if (await patience) this.#slow -= 1;
    }
  }

  #widen(): void {
    this.#limit.concurrency = Math.min(MOST_AT_ONCE, Math.max(1, Math.ceil(this.#longest / FEW)) + this.#slow);
  }
}

export function createStartQueue(clock: Clock): StartQueue {
  return new Queue(clock);
}
