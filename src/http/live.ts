import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { toSpan } from '../journal/seen-host.js';
import type { DaemonEvent } from '../report/event.js';
import { record } from '../report/recorded-event.js';
import type { LiveSample, PilotEnd } from '../report/shown.js';
import { toLiveLine } from './history.js';

/** Those who watch as things happen, by server-sent events. Each costs a little all the time. */
const MOST_WATCHERS = 8;
/** Who has not read so much is not reading. */
const MOST_UNREAD = 1_000_000;
/** After a break, ms; the page asks for what it has missed. */
const RETRY_MS = 2000;

type Message = 'status' | 'sample' | 'line' | 'pilot';

/** Tells watchers what happens, as `status`, `sample` (LiveSample), `line` (EventLine) and `pilot` (PilotEnd). Nothing throws. */
export class Live {
  readonly #clock: Clock;
  readonly #watchers = new Set<ServerResponse>();
  #lastSeq: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFull(): boolean {
    return this.#watchers.size >= MOST_WATCHERS;
  }

  /** Whether anybody watches: what is to be told is only then made. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Takes a reply whose head was written; tells it everything from now on. */
  add(reply: ServerResponse): void {
    this.#watchers.add(reply);
    const forget = () => this.#watchers.delete(reply);
    reply.once('close', forget);
    // One that never came to its turn is not closed.
    reply.req.socket.once('close', forget);
    reply.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** `status`: as JSON. */
  showStatus(status: string): void {
    this.#send('status', status);
  }

  tell(event: DaemonEvent): void {
    if (!this.isWatched) return;
    const at = this.#clock.now().wallMs;
    if (event.type === 'cycle') this.#tellSample(event, at);
    else this.#tellLine(event, at);
    if (event.type === 'action-ended') this.#tellEnd(event, at);
  }

  #tellSample(event: Extract<DaemonEvent, { type: 'cycle' }>, at: number): void {
    const seq = event.observation.sample?.seq;
    if (seq === this.#lastSeq) return;
    this.#lastSeq = seq;
    const cycle = record(event);
    const span = cycle.type === 'cycle' ? toSpan(cycle, at) : undefined;
    if (span === undefined) return;
    const { seconds, cpus, own, foreign, idle, pilots } = span;
    const sample: LiveSample = { at: at - seconds * 1000, seconds, cpus, own, foreign, idle, pilots };
    this.#send('sample', JSON.stringify(sample));
  }

  #tellLine(event: DaemonEvent, at: number): void {
    const line = toLiveLine(event, at);
    if (line !== undefined) this.#send('line', JSON.stringify(line));
  }

  #tellEnd({ outcome }: Extract<DaemonEvent, { type: 'action-ended' }>, until: number): void {
    const { action, result, ended } = outcome;
    if (action.type !== 'remove' || result !== 'done') return;
    const end: PilotEnd = { name: action.pilot.name, until, end: action.reason, exitCode: ended?.exitCode };
    this.#send('pilot', JSON.stringify(end));
  }

  /** `data`: without line ends, as JSON is. */
  #send(message: Message, data: string): void {
    for (const reply of this.#watchers) {
      if (reply.writableLength > MOST_UNREAD) {
        this.#watchers.delete(reply);
        reply.destroy();
      } else reply.write(`event: ${message}\ndata: ${data}\n\n`);
    }
  }
}
