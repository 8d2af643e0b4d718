import type { Clock } from '../clock.js';
import { withoutSecrets } from '../config/redact.js';
import type { SinkState, TellTrouble } from './event.js';
import { postCreateDatabase, postPoints, type InfluxReply } from './influx-request.js';
import type { InfluxTarget } from './influx-target.js';

const mostLines = 10_000;
/** As long as a target is in trouble: a fleet that sends all it has to a database that is just coming back would end it again. */
const linesOfATry = 500;
/** Between two requests, each of which costs more than all points in it: what comes meanwhile goes together. */
const restMs = 5000;
const firstPauseMs = 1000;
/** Somebody who has brought it back wants to see it; a try costs next to nothing. */
const longestPauseMs = 60_000;
/** Bad lines, too many of them, and lines that do not fit to what is there (InfluxDB 2). */
const REFUSALS = new Set([400, 413, 422]);

/** `refused`: the server has taken what it wanted of the lines, and sending them again would not change that. */
type Result =
  | { readonly is: 'written' }
  | { readonly is: 'failed'; readonly why: string }
  | { readonly is: 'refused'; readonly why: string; readonly lost: number };

/**
 * Brings lines to one target, one request at a time, everything that waits in each. While the target is away the newest lines
 * are kept and tried again after growing pauses. `onTrouble` is told once when it goes away and once when it is back.
 */
export class InfluxWriter {
  readonly #target: InfluxTarget;
  readonly #clock: Clock;
  readonly #onTrouble: TellTrouble;
  readonly #closed = new AbortController();
  readonly #closing = new AbortController();
  #waiting: string[] = [];
  #restsUntilMs = -Infinity;
  #pumping: Promise<void> | undefined;
  #trouble: string | undefined;
  /** Lines in the request under way. */
  #sending = 0;
  #written = 0;
  #lost = 0;
  /** Of those lost, how many were told. */
  #toldLost = 0;

  constructor(target: InfluxTarget, clock: Clock, onTrouble: TellTrouble) {
    this.#target = target;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  get state(): SinkState {
    const points = { written: this.#written, waiting: this.#left, lost: this.#lost };
    return { name: `InfluxDB ${this.#target.label}`, trouble: this.#trouble, points };
  }

  /** Takes lines and returns at once. */
  add(lines: readonly string[]): void {
    if (this.#closing.signal.aborted) return;
    this.#waiting.push(...lines);
    this.#dropOldest();
    this.#pumping ??= this.#pump();
  }

  /** Tries once more to get rid of what waits, for `deadlineMs` at most, and ends. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing.abort();
    const done = new AbortController();
    await Promise.race([this.#pumping, this.#clock.sleep(deadlineMs, done.signal)]);
    done.abort();
    this.#closed.abort();
    this.#tellRest();
  }

  async #pump(): Promise<void> {
    let pauseMs = firstPauseMs;
    // What is added in the same turn goes with the same request.
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#isOver()) {
      await this.#rest();
      const lastTry = this.#closing.signal.aborted;
      const lines = this.#waiting.splice(0, this.#trouble === undefined ? mostLines : linesOfATry);
      this.#sending = lines.length;
      const result = await this.#send(lines);
      // What there was to say has been said.
      if (this.#isOver()) break;
      this.#sending = 0;
      this.#report(result, lines.length);
      if (result.is !== 'failed') {
        pauseMs = firstPauseMs;
        this.#restsUntilMs = this.#clock.now().monoMs + restMs;
        continue;
      }
      this.#waiting = [...lines, ...this.#waiting];
      this.#dropOldest();
      if (lastTry) break;
      await this.#clock.sleep(pauseMs, this.#closing.signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    this.#pumping = undefined;
  }

  /** Until it is time for the next request. */
  async #rest(): Promise<void> {
    const waitMs = this.#restsUntilMs - this.#clock.now().monoMs;
    if (waitMs > 0) await this.#clock.sleep(waitMs, this.#closing.signal);
  }

  async #send(lines: readonly string[]): Promise<Result> {
    const [target, clock, signal] = [this.#target, this.#clock, this.#closed.signal];
    try {
      let reply = await postPoints(target, lines, clock, signal);
      // Only after a failed write: a user who may write is not always allowed to ask for a database.
      if (reply.status === 404 && target.mayCreate) {
        const made = await postCreateDatabase(target, clock, signal);
        if (!isSuccess(made) || made.text.includes('"error"')) {
          return { is: 'failed', why: `there is no such database, and it cannot be made (${worded(made, target)})` };
        }
        reply = await postPoints(target, lines, clock, signal);
      }
      if (isSuccess(reply)) return { is: 'written' };
      const why = worded(reply, target);
      return REFUSALS.has(reply.status)
        ? { is: 'refused', why, lost: lostOf(reply, lines.length) }
        : { is: 'failed', why };
    } catch (error) {
      return { is: 'failed', why: error instanceof Error ? error.message : String(error) };
    }
  }

  #isOver(): boolean {
    return this.#closed.signal.aborted;
  }

  #tellRest(): void {
    const gone = this.#left + this.#lost - this.#toldLost;
    // Nobody knows what becomes of a request that is broken off.
    const doubt = this.#sending === 0 ? '' : `, unless ${this.#sending} of them have arrived`;
    if (gone > 0) this.#tell(`is not written to any more; ${gone} points were lost${doubt}`);
  }

  /** Lines that have not been written yet. */
  get #left(): number {
    return this.#waiting.length + this.#sending;
  }

  /** `sent`: lines in the request. */
  #report(result: Result, sent: number): void {
    const refused = result.is === 'refused' ? result.lost : 0;
    this.#lost += refused;
    if (result.is !== 'failed') this.#written += sent - refused;
    if (result.is === 'written') {
      const lost = this.#lost - this.#toldLost;
      const isOver = this.#trouble !== undefined;
      if (isOver || lost > 0) this.#tell(`takes points again; ${lost} were lost`, isOver);
      this.#toldLost = this.#lost;
      this.#trouble = undefined;
    } else {
      const before = this.#trouble;
      this.#trouble = `${result.is === 'refused' ? 'refuses points' : 'cannot be written to'}: ${result.why}`;
      if (before === undefined) this.#tell(this.#trouble);
    }
  }

  #tell(what: string, isOver = false): void {
    this.#onTrouble(`InfluxDB ${this.#target.label} ${what}`, isOver);
  }

  #dropOldest(): void {
    const tooMany = Math.max(0, this.#waiting.length - mostLines);
    this.#lost += tooMany;
    if (tooMany > 0) this.#waiting.splice(0, tooMany);
  }
}

/** Of a batch the server takes what it can, and tells how much it did not: as a number, or line by line (InfluxDB 3). */
function lostOf({ text }: InfluxReply, lines: number): number {
  const dropped = /dropped=(\d+)/.exec(text)?.[1];
  const named = text.match(/"line_number"/g)?.length ?? lines;
  return Math.min(lines, dropped === undefined ? named : Number(dropped));
}

function isSuccess({ status }: InfluxReply): boolean {
  return status >= 200 && status < 300;
}

/** Servers, and proxies before them, repeat what they were sent. */
function worded({ status, text }: InfluxReply, { secrets }: InfluxTarget): string {
  const said = withoutSecrets(text, secrets);
  // eslint-disable-next-line no-control-regex -- whatever a server says must not reach a terminal as it is
  return `HTTP ${status} ${said.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 200)}`.trim();
}
