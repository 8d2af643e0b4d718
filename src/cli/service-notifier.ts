import type { Status } from '../report/status.js';
import type { CliContext } from './context.js';
import { isOverdue } from '../report/overdue.js';
import { statusLine } from './status-text.js';

const notifyDeadlineMs = 2000;
/** What a systemd that does not listen is told at most at its end, and how much waits for it meanwhile. */
const flushMs = 5000;
const mostWaiting = 3;

/** Tells systemd how the daemon is. Every method returns at once. */
export interface ServiceNotifier {
  ready(): void;
  /** After every cycle, held ones too: this feeds the watchdog. */
  cycle(status: Status): void;
  reloading(): void;
  stopping(): void;
  /** Resolves when everything said so far was passed on, or given up. */
  flush(): Promise<void>;
}

type NotifierContext = Pick<CliContext, 'env' | 'clock' | 'run'>;

/**
 * Speaks through the `systemd-notify` command, as Node has no datagram sockets for files. Silent when systemd did not start us.
 * The watchdog is fed after every cycle and, until `signal` aborts, between cycles while the next one is not
 * overdue: a long `main_sleep` is no hang, a loop that does not come back is one.
 */
export function createServiceNotifier(context: NotifierContext, signal: AbortSignal): ServiceNotifier {
  const { env, clock } = context;
  const enabled = env['NOTIFY_SOCKET'] !== undefined;
  let queue = Promise.resolve();
  let waiting = 0;
  let reloading = false;
  let last: { readonly status: Status; readonly atMonoMs: number } | undefined;

  function say(...facts: string[]): void {
    if (!enabled) return;
    waiting += 1;
    queue = queue.then(async () => {
      await context.run('systemd-notify', facts, notifyDeadlineMs);
      waiting -= 1;
    });
  }

  async function feedBetweenCycles(everyMs: number): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal);
      // No margin: what a cycle itself may take is the watchdog's own time.
      const overdue = last === undefined || isOverdue(last.status, clock.now().monoMs - last.atMonoMs, 0);
      if (!overdue && waiting === 0) say('WATCHDOG=1');
    }
  }

  const watchdogMs = Number(env['WATCHDOG_USEC']) / 1000;
  if (enabled && watchdogMs > 0) void feedBetweenCycles(watchdogMs / 3);

  return {
    ready: () => {
      say('READY=1');
    },
    cycle: (status) => {
      last = { status, atMonoMs: clock.now().monoMs };
      // What waits says the same.
      if (waiting >= mostWaiting && !reloading) return;
      const done = reloading ? ['READY=1'] : [];
      reloading = false;
      say(...done, 'WATCHDOG=1', `STATUS=${statusLine(status)}`);
    },
    reloading: () => {
      reloading = true;
      say('RELOADING=1');
    },
    stopping: () => {
      say('STOPPING=1');
    },
    flush: async () => {
      const done = new AbortController();
      await Promise.race([queue, clock.sleep(flushMs, done.signal)]);
      done.abort();
    },
  };
}
