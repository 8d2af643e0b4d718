import type { Clock } from '../clock.js';
import { EngineError } from './container-engine.js';

/** What to say about a call that fails, and when to stop waiting for it. */
export interface CallOptions {
  readonly clock: Clock;
  /** Begins the sentence: `Listing the pilots`. */
  readonly what: string;
  readonly deadlineMs: number;
  /** The caller's own wish to give up. */
  readonly giveUp?: AbortSignal;
}

/**
 * Runs one engine call, which is aborted and abandoned when its time is over: whatever the client makes of the abort, the call ends
 * then. Rejects with an EngineError only.
 */
export async function callEngine<T>(options: CallOptions, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  let answered = false;
  const abandon = new AbortController();
  const { clock, deadlineMs, giveUp, what } = options;
  // Not AbortSignal.any: each call would leave a little in a signal that lives on.
  const over = new AbortController();
  const wake = () => {
    // Without a reason of ours each call would pay for an exception and its stack.
    over.abort(null);
  };
  if (giveUp?.aborted === true) wake();
  giveUp?.addEventListener('abort', wake);
  const expired = new Promise<never>((_, reject) => {
    void clock.sleep(deadlineMs, over.signal).then(() => {
      if (answered) return;
      reject(
        giveUp?.aborted === true
          ? new EngineError('timeout', `${what}: given up`)
          : new EngineError('timeout', `${what}: no answer from the container engine within ${deadlineMs / 1000} s`),
      );
      abandon.abort();
    });
  });
  try {
    return await Promise.race([call(abandon.signal), expired]);
  } catch (error) {
    throw toEngineError(what, error);
  } finally {
    answered = true;
    giveUp?.removeEventListener('abort', wake);
    wake();
  }
}

/** The HTTP status the engine refused with; undefined when it did not come that far. */
export function statusOf(error: unknown): number | undefined {
  return readNumber(error, 'statusCode') ?? (error instanceof EngineError ? statusOf(error.cause) : undefined);
}

/** How a call ended, in a word: with which HTTP status, or what else became of it. */
export function codeOf(error: unknown): string {
  const status = statusOf(error);
  // A status that there is not would make one more of the figures that are kept for each.
  if (status !== undefined && status >= 300 && status < 600) return String(status);
  return error instanceof EngineError ? error.kind : 'malformed';
}

const unreachableCodes = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

const kindOfStatus: ReadonlyMap<number, EngineError['kind']> = new Map([
  [400, 'invalid'],
  [404, 'not-found'],
  [409, 'conflict'],
]);

function toEngineError(what: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const cause = { cause: error };
  const code = readString(error, 'code') ?? '';
  if (code === 'EACCES' || code === 'EPERM') {
    const cure = 'run as root, or add this user to the group that owns the socket (usually docker)';
    return new EngineError('forbidden', `${what}: not allowed to use the container engine's socket; ${cure}`, cause);
  }
  if (unreachableCodes.has(code)) {
    const cure = 'is it running (systemctl status docker), and is DOCKER_HOST right?';
    return new EngineError('unreachable', `${what}: no container engine there (${code}); ${cure}`, cause);
  }
  const status = statusOf(error);
  const message = `${what}: ${textOf(error)}`;
  if (status === undefined) return new EngineError('malformed', message, cause);
  return new EngineError(kindOfStatus.get(status) ?? 'refused', message, cause);
}

/** The engine's own words, without what the client wraps around them. */
function textOf(error: unknown): string {
  const said = readString(readField(error, 'json'), 'message') ?? readString(error, 'message') ?? String(error);
  return said.replace(/^\(HTTP code \d+\) .*? - /, '').trim();
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function readString(value: unknown, name: string): string | undefined {
  const field = readField(value, name);
  return typeof field === 'string' ? field : undefined;
}

function readNumber(value: unknown, name: string): number | undefined {
  const field = readField(value, name);
  return typeof field === 'number' ? field : undefined;
}
