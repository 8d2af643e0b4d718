import type { Clock } from '../clock.js';
import type { Verdict } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { ContainerSettings } from '../model.js';
import { withDeadline } from '../observe/deadline.js';
import { unsafePath } from '../policy/bind-path.js';
import { violations } from '../policy/conforms.js';
import { parseBind } from '../policy/match-bind.js';
import { narrow, type Narrowed } from '../policy/narrow.js';
import type { HostPolicy, PolicyState } from '../policy/policy-file.js';

/** A path on a dead file server must not hold up the pilots that run. */
const LOOK_MS = 2_000;

export interface PolicyGateOptions {
  readonly hostPolicy: HostPolicy;
  readonly clock: Clock;
  /** Of the daemon. */
  readonly uid: number;
  /** The engine is on another host, and so are the paths of binds. */
  readonly remote: boolean;
  /** Files and folders that pilots never get: our own and the engine's. */
  readonly secret: () => readonly string[];
}

/** Stands between the configuration and the pilots, with the policy of this host in hand. Nothing rejects. */
export interface PolicyGate {
  /** Reads the policy, for the first time or because it was changed. */
  read(): Promise<void>;
  /** With every number within the caps of the policy as it was last read. */
  capped(config: Config): Config;
  /** What a configuration becomes now. Reads the policy again if it was changed. */
  narrow(config: Config): Promise<Narrowed>;
  /** In what a container that was made is more than the policy allows now. */
  violations(settings: ContainerSettings): Promise<readonly string[]>;
  /** A newer configuration that asks for more than is allowed, by the policy as it was last read, is refused whole. */
  judge(verdict: Verdict<Config>): Verdict<Config>;
}

export function createPolicyGate({ hostPolicy, clock, uid, remote, secret }: PolicyGateOptions): PolicyGate {
  let last: PolicyState | undefined;
  /** Looks that have not come back: a second one would only hang as well. */
  const looking = new Map<string, Promise<string | undefined>>();

  async function read(): Promise<PolicyState> {
    last = await hostPolicy.read();
    return last;
  }

  async function look(path: string): Promise<string | undefined> {
    const found = looking.get(path) ?? unsafePath(path, uid);
    looking.set(path, found);
    const forget = () => looking.delete(path);
    void found.then(forget, forget);
    return withDeadline(clock, LOOK_MS, `looking at ${path}`, found).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
  }

  async function unsafeBinds(config: Pick<Config, 'binds' | 'bind_options'>): Promise<readonly string[]> {
    if (remote) return [];
    const found = await Promise.all(
      config.binds.map(async (bind) => {
        const why = await look(parseBind(bind, config.bind_options).source);
        return why === undefined ? [] : [`binds ${bind}: ${why}`];
      }),
    );
    return found.flat();
  }

  return {
    async read() {
      await read();
    },
    async narrow(config) {
      const state = await read();
      if (!state.ok) return { config, clamps: [], refusals: [state.why] };
      const narrowed = narrow(config, state.policy, secret());
      return { ...narrowed, refusals: [...narrowed.refusals, ...(await unsafeBinds(config))] };
    },
    async violations(settings) {
      const state = await read();
      return state.ok ? violations(settings, state.policy, secret()) : [state.why];
    },
    capped(config) {
      return last?.ok === true ? narrow(config, last.policy, []).config : config;
    },
    judge(verdict) {
      if (!verdict.ok || last?.ok !== true) return verdict;
      const { clamps, refusals } = narrow(verdict.config, last.policy, secret());
      if (refusals.length > 0) return { ok: false, problems: refusals };
      return { ...verdict, warnings: [...verdict.warnings, ...clamps] };
    },
  };
}
