import type { Capacity, Hold, PilotState, RunMode, YieldMode } from '../model.js';

/** What `planctonctl status --json` prints and the daemon leaves in its run directory after every cycle. */
export interface Status {
  readonly apiVersion: 'plancton/v1';
  readonly kind: 'Status';
  readonly version: string;
  readonly pid: number;
  readonly instance: string;
  readonly hostname: string;
  /** ISO 8601, when the cycle ended. */
  readonly at: string;
  readonly startedAt: string;
  /** `waiting`: the engine does not answer, or there is no configuration yet. */
  readonly health: 'ok' | 'waiting';
  /** One sentence on what is wrong; undefined when nothing is. */
  readonly trouble: string | undefined;
  readonly mode: RunMode;
  readonly cycles: number;
  /** Seconds from `at` until the next cycle begins at the latest (the watchdog is fed until then). */
  readonly nextCycleInSeconds: number;
  readonly capacity: Capacity | undefined;
  readonly holds: readonly Hold[];
  readonly yields: { readonly mode: YieldMode; readonly text: string };
  readonly image: { readonly wanted: string; readonly id: string | undefined; readonly pulling: string | undefined };
  readonly engine: { readonly host: string; readonly version: string | undefined; readonly apiVersion: string | undefined };
  readonly config: {
    readonly source: string;
    readonly revision: string | undefined;
    readonly refused: { readonly revision: string; readonly problems: readonly string[] } | undefined;
    readonly unreachable: string | undefined;
  };
  readonly pilots: readonly PilotStatus[];
  readonly totals: { readonly spawned: number; readonly ended: number; readonly evicted: number; readonly failed: number };
}

export interface PilotStatus {
  readonly name: string;
  /** First twelve characters of the engine's id. */
  readonly id: string;
  readonly state: PilotState;
  readonly image: string;
  readonly revision: string;
  readonly cpus: number | undefined;
  readonly ageSeconds: number;
}
