import { pid } from 'node:process';
import type { DaemonOptions } from './options.js';
import type { EngineSession } from './engine-session.js';
import type { Ground } from './ground.js';
import type { EngineFailure, Outcome } from '../model.js';
import type { Cycle } from './reconcile.js';
import { toStatus, type Status } from '../report/status.js';

/** Keeps what a status tells beyond the cycle at hand. */
export interface StatusBoard {
  /** Adds an outcome to the totals. */
  readonly count: (outcome: Outcome) => void;
  /** The status after a cycle, or after one that could not see the pilots (`undefined`). */
  status(cycle: Cycle | undefined, nextInMs: number, failure: EngineFailure | undefined): Status;
}

/** A board for one run of the daemon. */
export function createStatusBoard(options: DaemonOptions, ground: Ground, session: EngineSession): StatusBoard {
  const { clock, version, engineHost } = options;
  const { host, instance, source, keeper } = ground;
  const startedWallMs = clock.now().wallMs;
  let seen: Cycle | undefined;
  let cycles = 0;
  let totals: Status['totals'] = { spawned: 0, ended: 0, evicted: 0, failed: 0 };
  return {
    count(outcome) {
      totals = addOutcome(totals, outcome);
    },
    status(cycle, nextCycleInMs, failure) {
      seen = cycle ?? seen;
      cycles += 1;
      const { inForce, refused, unreachable } = keeper.state;
      const info = session.info();
      return toStatus({
        version,
        pid,
        instance,
        host,
        startedWallMs,
        now: clock.now(),
        nextCycleInMs,
        cycles,
        trouble: failure?.message,
        seen,
        yields: { mode: session.group().yields, text: session.group().describe() },
        wantedImage: inForce?.config.docker_image ?? '',
        engine: { host: engineHost, version: info?.version, apiVersion: info?.apiVersion },
        config: {
          source: source.describe(),
          revision: inForce?.revision.id,
          refused: refused && { revision: refused.revisionId, problems: refused.problems },
          unreachable,
        },
        totals,
      });
    },
  };
}

function addOutcome(totals: Status['totals'], { action, result }: Outcome): Status['totals'] {
  if (result === 'failed') return { ...totals, failed: totals.failed + 1 };
  if (result === 'skipped' || action.type === 'pull') return totals;
  if (action.type === 'spawn') return { ...totals, spawned: totals.spawned + 1 };
  const evicted = totals.evicted + (action.reason === 'evicted' ? 1 : 0);
  return { ...totals, ended: totals.ended + 1, evicted };
}
