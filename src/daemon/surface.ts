import { join } from 'node:path';
import { HTTP_SOCKET, openSurface } from '../http/surface.js';
import { JOURNAL_FOLDER } from '../journal/journal.js';
import { requestMode } from '../observe/run-mode.js';
import { HostToken } from '../policy/host-token.js';
import type { EventSink, SinkState } from '../report/event.js';
import { cycleMarginMs, isOverdue } from '../report/overdue.js';
import type { Status } from '../report/status.js';
import type { Ground } from './ground.js';
import type { DaemonOptions } from './options.js';
import type { Sinks } from './sinks.js';

/** What others see of the daemon by HTTP. */
export interface ShownDaemon {
  /** Takes what a cycle has left, and where it is to be seen besides the socket. */
  show(status: Status, address: string | undefined): void;
  /** Tells those who watch. */
  readonly sink: EventSink;
  /** What is wrong with it. */
  states(): readonly SinkState[];
  close(): Promise<void>;
}

/** Opens the socket in the run directory. */
export function assembleSurface(
  { clock, runDir, stateDir, uid }: DaemonOptions,
  { gate, wake }: Pick<Ground, 'gate' | 'wake'>,
  { metrics, tell }: Pick<Sinks, 'metrics' | 'tell'>,
): ShownDaemon {
  const token = new HostToken(clock, uid);
  let last: Status | undefined;
  const hangs = (): string | undefined => {
    if (last === undefined) return undefined;
    const sinceMs = clock.now().bootMs - last.atBootMs;
    return isOverdue(last, sinceMs, cycleMarginMs)
      ? `no cycle has ended for ${Math.round(sinceMs / 1000)} s`
      : undefined;
  };
  const surface = openSurface({
    facts: { status: () => last, hangs, metrics },
    clock,
    journalFolder: join(stateDir, JOURNAL_FOLDER),
    checkToken: (shown) => token.check(gate.tokenFile(), shown),
    ask: async (wish) => {
      await requestMode(runDir, wish);
      wake();
    },
    socketPath: join(runDir, HTTP_SOCKET),
    onTrouble: tell('http'),
  });
  return {
    show: (status, address) => {
      last = status;
      surface.show(status, address === 'none' ? undefined : address);
    },
    sink: (event) => {
      surface.tell(event);
    },
    states: () => {
      const trouble = surface.trouble();
      return trouble === undefined ? [] : [{ name: 'http', trouble }];
    },
    close: () => surface.close(),
  };
}
