import { randomInt } from 'node:crypto';
import { assemble } from './assemble.js';
import type { Clock } from './clock.js';
import { newsEvents } from './config-news.js';
import { checkConfig } from './config/check-config.js';
import { createConfigKeeper, type ConfigKeeper } from './config/keeper.js';
import type { ConfigText } from './config/layers.js';
import { openConfigSource } from './config/open-source.js';
import type { Config } from './config/schema.js';
import { ControlLoop } from './control-loop.js';
import { readHostFacts } from './observe/host-facts.js';
import { readInstance } from './observe/instance.js';
import { clearForceStop, clearStop } from './observe/run-mode.js';
import type { DaemonEvent } from './report/event.js';
import type { Status } from './report/status.js';

/** Everything the daemon is handed; it reads no environment and installs no signal handlers. */
export interface DaemonOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly confDir: string;
  readonly runDir: string;
  /** For what may be deleted at any time, e.g. git's private settings. */
  readonly stateDir: string;
  /** `unix:///path` or `tcp://host:port`. */
  readonly engineHost: string;
  /** Docker `config.json` format, for private images; need not exist. */
  readonly registryAuthFile: string;
  /** Environment for git (proxies, CA, ssh command). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborting it stops the daemon and leaves all pilots as they are. */
  readonly signal: AbortSignal;
  /** Told once, when the configuration is loaded and the first list of pilots came (or the engine was found to be away). */
  onReady(): void;
  /** Told after every cycle, held ones too. */
  onCycle(status: Status): void;
  /** Told everything that happens. Must not throw. */
  onEvent(event: DaemonEvent): void;
}

/** Why the daemon ended. `bad-config`: nothing valid to start with. */
export type DaemonEnd =
  | { readonly why: 'stopped' | 'drain-stop' | 'force-stop' }
  | { readonly why: 'bad-config'; readonly problems: readonly string[] };

export interface Daemon {
  /** Runs until the signal, a drain-stop or a force-stop ends it. Rejects only on a bug. */
  run(): Promise<DaemonEnd>;
  /** Reads the configuration again now (SIGHUP). */
  reload(): void;
  /** Brings the next cycle forward, e.g. because a file in the run directory changed. */
  wake(): void;
}

const MACHINE_ID_FILE = '/etc/machine-id';
const PROC_ROOT = '/proc';
/** Before any configuration is in force. */
const DEFAULT_GIT_INTERVAL_S = 60;

class PlanctonDaemon implements Daemon {
  readonly #options: DaemonOptions;
  #loop: ControlLoop | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  reload(): void {
    this.#loop?.reload();
  }

  wake(): void {
    this.#loop?.wake();
  }

  async run(): Promise<DaemonEnd> {
    const { clock, confDir, runDir, stateDir, env, signal, version } = this.#options;
    const host = await readHostFacts({ clock, procRoot: PROC_ROOT });
    const instance = await readInstance(runDir, MACHINE_ID_FILE, host.hostname);
    const remoteIntervalMs = () => (keeper.state.inForce?.config.git_interval ?? DEFAULT_GIT_INTERVAL_S) * 1000;
    const source = await openConfigSource({ confDir, stateDir, hostname: host.hostname, clock, env, remoteIntervalMs });
    const load = (layers: readonly ConfigText[]) => checkConfig(layers, host);
    const keeper: ConfigKeeper<Config> = createConfigKeeper<Config>({ source, clock, load });
    const parts = assemble(this.#options, { host, instance, source, keeper, wake: this.wake.bind(this) });

    parts.publish({ type: 'daemon-started', version, instance, source: source.describe() });
    for (const event of newsEvents(await keeper.start(signal))) parts.publish(event);
    if (keeper.state.inForce === undefined) {
      await parts.close();
      return { why: 'bad-config', problems: keeper.state.refused?.problems ?? [] };
    }
    // Daemons started at once, on many hosts, should not draw the same names: people compare their logs.
    this.#loop = new ControlLoop(parts.ports, randomInt(2 ** 32));
    const why = await this.#loop.run();
    if (why === 'drain-stop') await clearStop(runDir);
    if (why === 'force-stop') await clearForceStop(runDir);
    parts.publish({ type: 'daemon-stopping', why });
    await parts.close();
    return { why };
  }
}

/** A daemon that has not been started. It runs once. */
export function createDaemon(options: DaemonOptions): Daemon {
  return new PlanctonDaemon(options);
}
