import { randomInt } from 'node:crypto';
import { checkConfig } from '../config/check-config.js';
import { createDefaultSource } from '../config/default-source.js';
import { createConfigKeeper, type ConfigKeeper, type KeeperState } from '../config/keeper.js';
import type { ConfigText } from '../config/layers.js';
import { openConfigSource } from '../config/open-source.js';
import type { Config } from '../config/schema.js';
import type { ConfigSource } from '../config/source.js';
import type { HostFacts } from '../model.js';
import { readHostFacts } from '../observe/host-facts.js';
import { MACHINE_ID_FILE, readInstance } from '../observe/instance.js';
import { clearForceStop, clearStop, readRunMode } from '../observe/run-mode.js';
import { extraRights } from '../policy/extra-rights.js';
import { createHostPolicy } from '../policy/policy-file.js';
import { assemble } from './assemble.js';
import { newsEvents } from './config-news.js';
import { ControlLoop } from './control-loop.js';
import type { Daemon, DaemonEnd, DaemonOptions } from './options.js';
import { createPolicyGate, type PolicyGate } from './policy-gate.js';
import { samePilots } from './same-pilots.js';

const PROC_ROOT = '/proc';
/** Before any configuration is in force. */
const DEFAULT_GIT_INTERVAL_S = 60;

class PlanctonDaemon implements Daemon {
  readonly #options: DaemonOptions;
  #loop: ControlLoop | undefined;
  /** Where the engine keeps its containers, once that is known. */
  #engineFolder: () => string | undefined = () => undefined;

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
    const { clock, runDir, signal, version } = this.#options;
    const host = await readHostFacts({ clock, procRoot: PROC_ROOT });
    const instance = await readInstance(runDir, MACHINE_ID_FILE, host.hostname);
    const gate = this.#openPolicy();
    await gate.read();
    let { source, keeper } = await this.#openConfig(host, gate);
    const news = await keeper.start(signal);
    if (keeper.state.inForce === undefined && (await isForceStop(runDir))) {
      source = createDefaultSource();
      keeper = createConfigKeeper<Config>({ source, clock, load: (layers) => checkConfig(layers, host) });
      await keeper.start(signal);
    }
    const parts = assemble(this.#options, { host, instance, source, keeper, gate, wake: this.wake.bind(this) });
    this.#engineFolder = parts.engineFolder;
    parts.publish({ type: 'daemon-started', version, instance, source: source.describe() });
    for (const event of newsEvents(news, keeper.state.inForce?.revision.id)) parts.publish(event);
    if (keeper.state.inForce === undefined) {
      await parts.close();
      // Git was told to stop before it had anything.
      if (signal.aborted) return { why: 'stopped' };
      return endWithout(keeper.state, source.isFollowing?.() === true);
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

  #openPolicy(): PolicyGate {
    const { clock, uid, policyFile, ownPlaces, engineHost } = this.#options;
    const remote = !engineHost.startsWith('unix:');
    const own = () => {
      const folder = this.#engineFolder();
      return { ...ownPlaces, hidden: [...ownPlaces.hidden, ...(folder === undefined ? [] : [folder])] };
    };
    return createPolicyGate({ hostPolicy: createHostPolicy(policyFile, uid), clock, uid, remote, own });
  }

  async #openConfig(
    host: HostFacts,
    gate: PolicyGate,
  ): Promise<{ source: ConfigSource; keeper: ConfigKeeper<Config> }> {
    const { clock, confDir, stateDir, env } = this.#options;
    const remoteIntervalMs = () => {
      const config = keeper.state.inForce?.config;
      return 1000 * (config === undefined ? DEFAULT_GIT_INTERVAL_S : gate.capped(config).git_interval);
    };
    const { hostname } = host;
    const signatures = () => gate.signatures();
    const source = await openConfigSource({ confDir, stateDir, hostname, clock, env, remoteIntervalMs, signatures });
    const load = (layers: readonly ConfigText[]) => {
      const verdict = checkConfig(layers, host);
      // With nothing in force yet there is nothing better: pilots that run are looked after, and none is started.
      return keeper.state.inForce === undefined ? verdict : gate.judge(verdict);
    };
    const keeper: ConfigKeeper<Config> = createConfigKeeper<Config>({
      source,
      clock,
      load,
      inspect: (config) => gate.unsafeBinds(config),
      samePilots: (a, b) => samePilots(a, b, confDir),
      // What the policy caps makes no difference.
      extraRights: (than, config) => extraRights(gate.capped(than), gate.capped(config)),
    });
    return { source, keeper };
  }
}

/**
 * Trouble of git, a disk, a clock or the network passes, and a bad revision of a repository is mended there: a service manager has to try again. A bad
 * file on this host waits for its administrator.
 */
export function endWithout({ refused, unreachable }: KeeperState<Config>, isFollowing = false): DaemonEnd {
  const problems = [...(refused?.problems ?? []), ...(unreachable === undefined ? [] : [unreachable])];
  const mayHeal = isFollowing || refused?.mayHeal === true || unreachable !== undefined;
  return { why: mayHeal ? 'no-config' : 'bad-config', problems };
}

/** Removing all pilots must not wait for somebody to mend a file. */
async function isForceStop(runDir: string): Promise<boolean> {
  return readRunMode(runDir).then(
    (mode) => mode === 'force-stop',
    () => false,
  );
}

/** A daemon that has not been started. It runs once. */
export function createDaemon(options: DaemonOptions): Daemon {
  return new PlanctonDaemon(options);
}
