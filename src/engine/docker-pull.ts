import { Readable } from 'node:stream';
import type { Clock } from '../clock.js';
import { EngineError, type PullProgress } from './container-engine.js';
import { callEngine } from './docker-call.js';
import { readMessages } from './docker-messages.js';

/** Told at most this often. */
const progressIntervalMs = 250;

export interface PullOptions {
  readonly clock: Clock;
  /** Begins the sentence when it fails. */
  readonly what: string;
  /** How long the engine may say nothing. */
  readonly stallMs: number;
  /** How long all of it may take. */
  readonly longestMs: number;
  readonly giveUp: AbortSignal;
  readonly onProgress: (progress: PullProgress) => void;
}

interface PullMessage {
  readonly status?: unknown;
  readonly id?: unknown;
  readonly progressDetail?: { readonly current?: unknown; readonly total?: unknown };
  readonly error?: unknown;
  readonly errorDetail?: { readonly message?: unknown };
}

/**
 * Follows a pull to its end. The engine answers 200 before it has anything: only an unbroken stream of messages that ends with
 * its verdict is success, everything else rejects with an EngineError.
 */
export async function followPull(stream: NodeJS.ReadableStream, options: PullOptions): Promise<void> {
  const { clock, what, stallMs, longestMs, onProgress } = options;
  const gaveUp = follow(options.giveUp);
  const untilMs = clock.now().monoMs + longestMs;
  const messages: AsyncGenerator<PullMessage> = readMessages(stream);
  const layers = createLayers();
  let toldMonoMs = -Infinity;
  let done = false;
  try {
    for (;;) {
      const deadlineMs = Math.min(stallMs, Math.max(0, untilMs - clock.now().monoMs));
      const next = await callEngine({ clock, what, deadlineMs, giveUp: gaveUp.signal }, () => messages.next());
      if (next.done === true) break;
      const status = readStatus(what, next.value);
      layers.note(next.value);
      done = status.startsWith('Status: ');
      if (!done && clock.now().monoMs - toldMonoMs < progressIntervalMs) continue;
      toldMonoMs = clock.now().monoMs;
      onProgress({ ...layers.sum(), status });
    }
  } finally {
    gaveUp.release();
    if (stream instanceof Readable) stream.destroy();
  }
  if (!done) throw new EngineError('malformed', `${what}: the container engine stopped in the middle`);
}

/** A signal of its own for one pull: each message waits for it, and what waits for a signal that lives as long as the daemon may never be forgotten. */
function follow(giveUp: AbortSignal): { readonly signal: AbortSignal; readonly release: () => void } {
  const own = new AbortController();
  const abort = () => {
    own.abort();
  };
  if (giveUp.aborted) abort();
  giveUp.addEventListener('abort', abort);
  return {
    signal: own.signal,
    release: () => {
      giveUp.removeEventListener('abort', abort);
    },
  };
}

function readStatus(what: string, message: PullMessage): string {
  const error = message.errorDetail?.message ?? message.error;
  if (error !== undefined) {
    throw new EngineError('refused', `${what}: ${typeof error === 'string' ? error : 'the engine could not say why'}`);
  }
  return typeof message.status === 'string' ? message.status : '';
}

/** Adds up the layers of one image; a layer is first downloaded, then unpacked, and counts once. */
function createLayers() {
  const layers = new Map<unknown, { readonly doneBytes: number; readonly totalBytes: number }>();
  return {
    note({ id, status, progressDetail }: PullMessage): void {
      const known = layers.get(id);
      if (status === 'Downloading') {
        const { current, total } = progressDetail ?? {};
        if (typeof current === 'number' && typeof total === 'number') {
          layers.set(id, { doneBytes: current, totalBytes: total });
        }
      } else if (status === 'Download complete' && known !== undefined) {
        layers.set(id, { ...known, doneBytes: known.totalBytes });
      }
    },
    sum() {
      let doneBytes = 0;
      let totalBytes = 0;
      for (const layer of layers.values()) {
        doneBytes += layer.doneBytes;
        totalBytes += layer.totalBytes;
      }
      return { doneBytes, totalBytes };
    },
  };
}
