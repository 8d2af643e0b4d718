import type { Clock } from '../clock.js';
import type { EngineDeadlines } from '../engine/docker-connection.js';
import type { EarlyReading } from '../observe/early-reading.js';
import type { OwnPlaces } from '../policy/match-bind.js';
import type { DaemonEvent } from '../report/event.js';
import type { Status } from '../report/status.js';

/** Everything the daemon is handed; it reads no environment and installs no signal handlers. */
export interface DaemonOptions {
  readonly clock: Clock;
  /** `VERSION+REVISION` or `VERSION`. */
  readonly version: string;
  readonly confDir: string;
  readonly runDir: string;
  /** For what may be deleted at any time, e.g. git's private settings. */
  readonly stateDir: string;
  /** `unix:///path` or `tcp://host:port`. */
  readonly engineHost: string;
  /** Others than those that suit a real host. */
  readonly engineDeadlines?: Partial<EngineDeadlines>;
  /** Docker `config.json` format, for private images; need not exist. */
  readonly registryAuthFile: string;
  /** What the owner of this host allows pilots; without it no pilot is started. */
  readonly policyFile: string;
  /** Our own files and folders. */
  readonly ownPlaces: OwnPlaces;
  /** Of the daemon. */
  readonly uid: number;
  /** Environment for git (proxies, CA, ssh command). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The load of the host while the daemon was being loaded. */
  readonly early?: EarlyReading | undefined;
  /** Aborting it stops the daemon and leaves all pilots as they are. */
  readonly signal: AbortSignal;
  /** Told once, when the configuration is loaded and the first list of pilots came (or the engine was found to be away). */
  onReady(): void;
  /** Told after every cycle, held ones too. */
  onCycle(status: Status): void;
  /** Told everything that happens. Must not throw. */
  onEvent(event: DaemonEvent): void;
}

/** Why the daemon ended. `bad-config`: nothing valid to start with; `no-config`: nothing could be had or read. */
export type DaemonEnd =
  | { readonly why: 'stopped' | 'drain-stop' | 'force-stop' | 'force-stop-unfinished' }
  | { readonly why: 'bad-config' | 'no-config'; readonly problems: readonly string[] };

export interface Daemon {
  /** Runs until the signal, a drain-stop or a force-stop ends it. Rejects only on a bug. */
  run(): Promise<DaemonEnd>;
  /** Reads the configuration again now (SIGHUP). */
  reload(): void;
  /** Brings the next cycle forward, e.g. because a file in the run directory changed. */
  wake(): void;
}
