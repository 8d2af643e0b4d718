import { setImmediate as afterIo } from 'node:timers';
import type { Clock } from '../../src/clock.js';
import type { Instant } from '../../src/model.js';

/** A clock that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Moves all three clocks on, waking sleepers in the order of their deadlines and letting each run before the next. */
  advance(ms: number): Promise<void>;
  /** Lets everything that can run without time passing run. */
  settle(): Promise<void>;
  /** Steps the wall clock only, as an administrator or NTP would. */
  stepWall(ms: number): void;
  /** The host sleeps: wall and boot clock move on, the monotonic one does not. */
  suspend(ms: number): void;
  /** Sleeps under way. */
  readonly sleepers: number;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

const startWallMs = Date.UTC(2026, 0, 1);

/** Two turns of the event loop: enough for chains of promises, and for what they schedule once. */
const TURNS = 2;

/** Starts on 2026-01-01T00:00:00Z, one hour after boot. One turn to settle is enough where nothing but promises is at work. */
export function createFakeClock(turns = TURNS): FakeClock {
  let now: Instant = { wallMs: startWallMs, monoMs: 3_600_000, bootMs: 3_600_000 };
  const sleepers = new Set<Sleeper>();

  function move(ms: number): void {
    now = { wallMs: now.wallMs + ms, monoMs: now.monoMs + ms, bootMs: now.bootMs + ms };
  }

  function nextDue(untilMs: number): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.dueMs <= untilMs && (next === undefined || sleeper.dueMs < next.dueMs)) next = sleeper;
    }
    return next;
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const sleeper: Sleeper = { dueMs: now.monoMs + Math.max(ms, 0), wake };
      function wake(): void {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      }
      sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => afterIo(resolve));
  }

  async function advance(ms: number): Promise<void> {
    const untilMs = now.monoMs + ms;
    await settle();
    for (let next = nextDue(untilMs); next !== undefined; next = nextDue(untilMs)) {
      move(Math.max(next.dueMs - now.monoMs, 0));
      next.wake();
      await settle();
    }
    move(untilMs - now.monoMs);
  }

  return {
    now: () => now,
    sleep,
    advance,
    settle,
    stepWall: (ms) => (now = { ...now, wallMs: now.wallMs + ms }),
    suspend: (ms) => (now = { ...now, wallMs: now.wallMs + ms, bootMs: now.bootMs + ms }),
    get sleepers() {
      return sleepers.size;
    },
  };
}
