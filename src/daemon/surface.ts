import { join } from 'node:path';
import { HTTP_SOCKET, openSurface } from '../http/surface.js';
import type { SinkState } from '../report/event.js';
import { cycleMarginMs, isOverdue } from '../report/overdue.js';
import type { Status } from '../report/status.js';
import type { DaemonOptions } from './options.js';
import type { Sinks } from './sinks.js';

/** What others see of the daemon by HTTP. */
export interface ShownDaemon {
  /** Takes what a cycle has left, and where it is to be seen besides the socket. */
  show(status: Status, address: string | undefined): void;
  /** What is wrong with it. */
  states(): readonly SinkState[];
  close(): Promise<void>;
}

/** Opens the socket in the run directory. */
export function assembleSurface(
  { clock, runDir }: DaemonOptions,
  { metrics, tell }: Pick<Sinks, 'metrics' | 'tell'>,
): ShownDaemon {
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
    socketPath: join(runDir, HTTP_SOCKET),
    onTrouble: tell('http'),
  });
  return {
    show: (status, address) => {
      last = status;
      surface.tend(address === 'none' ? undefined : address);
    },
    states: () => {
      const trouble = surface.trouble();
      return trouble === undefined ? [] : [{ name: 'http', trouble }];
    },
    close: () => surface.close(),
  };
}
