import type { Clock } from '../clock.js';
import { EngineError, type EngineInfo } from './container-engine.js';
import { callEngine, codeOf, statusOf } from './docker-call.js';
import { readInfo } from './docker-reply.js';
import { openSession, type DockerClient, type DockerSession } from './docker-session.js';

/** How long each call may take. Removing needs more than the 12 s after which the engine itself gives up killing. */
export const defaultDeadlines = {
  versionMs: 5_000,
  infoMs: 10_000,
  listMs: 10_000,
  inspectMs: 5_000,
  /** A log on a slow disk; it is read for people. */
  logMs: 10_000,
  createMs: 60_000,
  startMs: 60_000,
  /** On top of the seconds a pilot is given to stop. */
  stopMs: 15_000,
  removeMs: 30_000,
  /** For each name of an image; with the last one all its files go. */
  dropImageMs: 60_000,
  /** Without a sign of life: layers are told of several times a second while they come and while they are unpacked. */
  pullStallMs: 120_000,
  /** However lively it is: one that hangs ends with `pullStallMs`, and images of tens of GB come over slow lines too. */
  pullMs: 7_200_000,
  /** For streams of events and logs, which may have nothing to tell for long; one of events that has gone silent is found by the lists. */
  followMs: 86_400_000,
};

export type EngineDeadlines = typeof defaultDeadlines;

/** What the engine is asked to do, in a word. */
export type EngineOperation =
  | 'version'
  | 'info'
  | 'list'
  | 'create'
  | 'inspect'
  | 'start'
  | 'stop'
  | 'pause'
  | 'unpause'
  | 'remove'
  | 'stats'
  | 'events'
  | 'logs'
  | 'image-inspect'
  | 'image-pull'
  | 'image-list'
  | 'image-tag'
  | 'image-remove';

/** A call that is over: `code` is `ok`, the HTTP status that it was refused with, or the kind of failure. Of a stream: until it began. */
export interface EndedCall {
  readonly op: EngineOperation;
  readonly code: string;
  readonly tookMs: number;
}

/** How much longer than usual an engine is waited for that was too slow each time. */
const MOST_PATIENCE = 4;

export interface ConnectionOptions {
  readonly clock: Clock;
  /** `unix:///path/to/docker.sock` or `tcp://host:port`. */
  readonly host: string;
  readonly deadlines?: Partial<EngineDeadlines>;
  /** Told of each call when it is over. */
  readonly onCall?: (call: EndedCall) => void;
}

/** One call: what it is, how long it may take, and when the caller does not want it any more. */
export interface EngineCall {
  readonly op: EngineOperation;
  readonly what: string;
  readonly deadlineMs: number;
  readonly giveUp?: AbortSignal;
}

/** A way to the engine that survives its restarts and replacements. Every call rejects with an EngineError only. */
export class DockerConnection {
  readonly clock: Clock;
  readonly deadlines: EngineDeadlines;
  readonly #host: string;
  readonly #onCall: (call: EndedCall) => void;
  /** One negotiation for all calls; forgotten as soon as another engine may have taken its place. */
  #session: Promise<DockerSession> | undefined;
  #info: EngineInfo | undefined;
  /** By how much the deadlines of patient calls are longer than usual. */
  #patience = 1;

  constructor({ clock, host, deadlines, onCall = () => undefined }: ConnectionOptions) {
    this.clock = clock;
    this.deadlines = { ...defaultDeadlines, ...deadlines };
    this.#host = host;
    this.#onCall = onCall;
  }

  /** What the engine was when it was last asked; asks if it never was. */
  async lastInfo(): Promise<EngineInfo> {
    return this.#info ?? this.info();
  }

  async info(): Promise<EngineInfo> {
    this.#forget();
    const what = 'Asking the container engine what it is';
    const { apiVersion } = await this.#open(what);
    this.#info = await this.call({ op: 'info', what, deadlineMs: this.deadlines.infoMs }, async (docker, abortSignal) =>
      readInfo(await docker.info({ abortSignal }), apiVersion),
    );
    return this.#info;
  }

  /** `run` gets a client of the negotiated version and a signal that aborts when the time is over. */
  async call<T>(call: EngineCall, run: (docker: DockerClient, abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const { docker } = await this.#open(call.what);
    try {
      return await this.#timed(call, (signal) => run(docker, signal));
    } catch (error) {
      // Another engine may answer next time, or has already (400) and does not like the version any more.
      const away = error instanceof EngineError && error.kind === 'unreachable';
      if (away || statusOf(error) === 400) this.#forget();
      throw error;
    }
  }

  /**
   * A call that nothing goes on without: each time that it was not answered in time it gets twice as long, up to a limit, until answers
   * take less than half of that.
   */
  async callPatiently<T>(
    call: EngineCall,
    run: (docker: DockerClient, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const beganMs = this.clock.now().monoMs;
    const deadlineMs = call.deadlineMs * this.#patience;
    try {
      const value = await this.call({ ...call, deadlineMs }, run);
      const tookMs = this.clock.now().monoMs - beganMs;
      if (tookMs < deadlineMs / 2) this.#patience = Math.max(1, this.#patience / 2);
      return value;
    } catch (error) {
      const late = error instanceof EngineError && error.kind === 'timeout';
      if (late) this.#patience = Math.min(MOST_PATIENCE, 2 * this.#patience);
      throw error;
    }
  }

  async #open(what: string): Promise<DockerSession> {
    const call = { op: 'version', what, deadlineMs: this.deadlines.versionMs } as const;
    this.#session ??= this.#timed(call, (signal) => openSession(this.#host, signal));
    try {
      return await this.#session;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  async #timed<T>({ op, ...call }: EngineCall, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const beganMs = this.clock.now().monoMs;
    let code = 'ok';
    try {
      return await callEngine({ clock: this.clock, ...call }, run);
    } catch (error) {
      code = codeOf(error);
      throw error;
    } finally {
      this.#onCall({ op, code, tookMs: this.clock.now().monoMs - beganMs });
    }
  }

  #forget(): void {
    this.#session = undefined;
    this.#info = undefined;
  }
}
