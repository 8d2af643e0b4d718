import { setText } from './elements.js';
import { follow, type LiveHandlers } from './server.js';
import { clockText } from './texts.js';

/** What a cycle may take on a slow host before its daemon is taken for hung, as for the watchdog. */
const MARGIN_MS = 60_000;
const CHECK_MS = 5000;
/** Until a stream that was refused, or is silent, is tried anew. */
const ANEW_MS = 20_000;
/** A page that nobody sees lets others have its place after this. */
const UNSEEN_MS = 300_000;

/** The line to the daemon: follows what happens as long as somebody may look, and says how it is. */
export class Link {
  readonly #handlers: LiveHandlers;
  #stop: (() => void) | undefined;
  #startedMs = 0;
  #state: 'open' | 'broken' | 'refused' | 'closed' = 'closed';
  /** When the line was lost; by this clock, as all moments here. */
  #brokenMs: number | undefined;
  #heard: { readonly atMs: number; readonly nextInMs: number } | undefined;
  #unseen: number | undefined;

  constructor(handlers: LiveHandlers) {
    this.#handlers = handlers;
  }

  begin(): void {
    this.#start();
    setInterval(() => {
      this.#check();
    }, CHECK_MS);
    document.addEventListener('visibilitychange', () => {
      this.#watchVisibility();
    });
  }

  /** Notes when the last cycle ended, and when the next one is to begin at the latest, ms. */
  hear(atMs: number, nextInMs: number): void {
    this.#heard = { atMs, nextInMs };
    this.#tell();
  }

  #start(): void {
    this.#stop?.();
    this.#startedMs = Date.now();
    const { open, broken, refused } = this.#handlers;
    const become = (state: 'open' | 'broken' | 'refused', then: () => void) => {
      this.#state = state;
      this.#brokenMs = state === 'broken' ? (this.#brokenMs ?? Date.now()) : undefined;
      this.#tell();
      then();
    };
    this.#stop = follow({
      ...this.#handlers,
      open: () => {
        become('open', open);
      },
      broken: () => {
        become('broken', broken);
      },
      refused: () => {
        become('refused', refused);
      },
    });
  }

  #watchVisibility(): void {
    clearTimeout(this.#unseen);
    if (document.visibilityState === 'visible') {
      if (this.#state === 'closed') this.#start();
      return;
    }
    this.#unseen = setTimeout(() => {
      this.#stop?.();
      this.#state = 'closed';
    }, UNSEEN_MS);
  }

  #lateMs(): number {
    return this.#heard === undefined ? 0 : Date.now() - this.#heard.atMs - this.#heard.nextInMs;
  }

  #check(): void {
    this.#tell();
    const isSilent = this.#state === 'open' && this.#lateMs() > MARGIN_MS;
    // A line may be dead without anybody having been told, after a sleep for example.
    if ((isSilent || this.#state === 'refused') && Date.now() - this.#startedMs > ANEW_MS) this.#start();
  }

  #tell(): void {
    const alarm = this.#alarm();
    setText('alarm', alarm);
    setText('link', alarm === '' && this.#heard !== undefined ? `last cycle at ${clockText(this.#heard.atMs)}` : '');
  }

  #alarm(): string {
    if (this.#brokenMs !== undefined)
      return `no word from the daemon since ${clockText(this.#brokenMs)}; it is tried again`;
    if (this.#state === 'refused') return 'not live: the daemon tells nobody more, and is asked now and then';
    if (this.#heard === undefined || this.#lateMs() <= MARGIN_MS) return '';
    return `the daemon is there, but no cycle has ended since ${clockText(this.#heard.atMs)}`;
  }
}
