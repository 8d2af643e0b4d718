import type { Clock } from '../clock.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import type { Pilot, PilotEnd } from '../model.js';
import type { EventSink } from '../report/event.js';
import { Silence } from './silence.js';
import { ToldEnds } from './told-ends.js';

/** Before another try; doubles with each further failure up to the longest. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** A stream that breaks once is nothing to speak of. */
const FAILURES_WORTH_WORDS = 2;

export interface PilotEventsOptions {
  readonly clock: Clock;
  readonly engine: Pick<ContainerEngine, 'followEnds'>;
  readonly instance: string;
  readonly wake: () => void;
  readonly publish: EventSink;
  /** Told when the engine has stopped telling: it may have been restarted, or replaced. */
  readonly onLost: () => void;
  /** From 0 to below 1: daemons that lost one engine together should not come back together. */
  readonly random: () => number;
}

/**
 * Wakes the loop when a pilot ends. Beside the loop, and never needed by it: that a pilot has ended is believed of the list alone, a look follows
 * each time the stream is opened, and where no event comes at all the timer's looks find the same.
 */
export class PilotEvents {
  readonly #options: PilotEventsOptions;
  /** Aborted to end the stream or the pause at hand. */
  #step = new AbortController();
  #running = false;
  #closed = false;
  #open = false;
  #silence = new Silence();
  readonly #ends = new ToldEnds();
  /** Known to be silent, until an end is told. */
  #silent = false;
  #failures = 0;
  #failure = '';
  #sinceWallMs: number;
  #published: string | undefined;

  constructor(options: PilotEventsOptions) {
    this.#options = options;
    this.#sinceWallMs = options.clock.now().wallMs;
  }

  /** The engine answers: its events are followed from now on, until `close`. */
  engineFound(): void {
    this.#failures = 0;
    this.#step.abort();
    if (!this.#running && !this.#closed) void this.#run();
  }

  /** Takes the pilots of a look; opens the stream anew where it should have told of one. */
  compare(pilots: readonly Pilot[]): void {
    if (!this.#silence.compare(pilots) || !this.#open) return;
    this.#silent = true;
    this.#publishTrouble();
    this.#step.abort();
  }

  /** Why the ends of pilots are not told; undefined while they are, as far as can be known. */
  trouble(): string | undefined {
    if (this.#silent) return 'pilots have ended and its events told of none';
    return this.#open || this.#failures < FAILURES_WORTH_WORDS ? undefined : this.#failure;
  }

  /** How a pilot ended that the list says has ended; undefined = it was not told. Known once. */
  takeEnd(id: string): PilotEnd | undefined {
    return this.#ends.take(id);
  }

  close(): void {
    this.#closed = true;
    this.#step.abort();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (!this.#closed) {
      await this.#follow();
      await this.#pause();
    }
  }

  /** Until the stream ends, for whatever reason. */
  async #follow(): Promise<void> {
    const { clock, engine, instance, wake } = this.#options;
    const begunMs = clock.now().monoMs;
    this.#step = new AbortController();
    const from = { instance, sinceWallMs: this.#sinceWallMs, signal: this.#step.signal };
    const onOpen = () => {
      this.#open = true;
      this.#silence = new Silence();
      this.#publishTrouble();
      wake();
    };
    const onEnd = (id: string, atWallMs: number, end: PilotEnd | undefined) => {
      this.#ends.note(id, end);
      this.#hear(atWallMs);
      wake();
    };
    try {
      await engine.followEnds({ ...from, onOpen, onEnd });
    } catch (error) {
      // Not even a bug in there is worth the loop.
      this.#failure = error instanceof Error ? error.message : String(error);
    }
    if (this.#open && !this.#step.signal.aborted) this.#options.onLost();
    this.#open = false;
    const lasted = clock.now().monoMs - begunMs >= LONGEST_PAUSE_MS;
    this.#failures = lasted ? 1 : this.#failures + 1;
    if (!this.#closed) this.#publishTrouble();
  }

  async #pause(): Promise<void> {
    const { clock, random } = this.#options;
    if (this.#closed) return;
    this.#step = new AbortController();
    const fullMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    await clock.sleep(fullMs * (0.5 + random() / 2), this.#step.signal);
  }

  #hear(atWallMs: number): void {
    const { wallMs } = this.#options.clock.now();
    // Whatever the engine's clock says, nothing that is still to come may be left out.
    this.#sinceWallMs = Math.max(this.#sinceWallMs, Math.min(atWallMs, wallMs));
    this.#silence.break();
    this.#silent = false;
    this.#publishTrouble();
  }

  #publishTrouble(): void {
    const message = this.trouble();
    if (message === this.#published) return;
    this.#published = message;
    this.#options.publish(message === undefined ? { type: 'events-followed' } : { type: 'events-lost', message });
  }
}
