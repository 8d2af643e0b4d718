import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.js';

/** What the thread is told. */
export interface HistoryTask {
  readonly folder: string;
  /** Ms since 1970. */
  readonly nowMs: number;
}

/** How long a reader may take, and how much memory. */
const DEADLINE_MS = 15_000;
const MOST_MEMORY_MB = 512;
/** Whoever asks again within this gets what was read last: reading costs CPU time, and anybody on this host may ask. */
const FRESH_MS = 10_000;

async function read(folder: string, clock: Clock): Promise<string> {
  const task: HistoryTask = { folder, nowMs: clock.now().wallMs };
  const worker = new Worker(new URL('./history-worker.js', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
  });
  const done = new AbortController();
  const late = clock.sleep(DEADLINE_MS, done.signal).then(() => {
    throw new Error(`the journal could not be read within ${DEADLINE_MS / 1000} s`);
  });
  try {
    const [text] = (await Promise.race([once(worker, 'message'), late])) as [string];
    return text;
  } finally {
    done.abort();
    // A late one is late for nobody, and an end of the thread is no news any more.
    late.catch(() => undefined);
    worker.on('error', () => undefined);
    void worker.terminate();
  }
}

/** Reads the last day of a journal, in a thread of its own, one at a time. */
export class HistoryReader {
  readonly #folder: string;
  readonly #clock: Clock;
  /** `readMs`: when that had ended, monotonic; undefined: it has not. */
  #last: { readonly text: Promise<string>; readMs: number | undefined } | undefined;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** `History` as JSON. Rejects when it cannot be read. */
  read(): Promise<string> {
    this.tidy();
    if (this.#last !== undefined) return this.#last.text;
    const last: { text: Promise<string>; readMs: number | undefined } = {
      text: read(this.#folder, this.#clock),
      readMs: undefined,
    };
    const settle = () => {
      last.readMs = this.#clock.now().monoMs;
    };
    last.text.then(settle, settle);
    this.#last = last;
    return last.text;
  }

  /** To be called now and then: forgets what is old by now. */
  tidy(): void {
    const readMs = this.#last?.readMs;
    if (readMs !== undefined && this.#clock.now().monoMs - readMs > FRESH_MS) this.#last = undefined;
  }
}
