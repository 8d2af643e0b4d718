import type { Clock } from '../clock.js';
import type { Verdict } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { SignatureRules, TrustedKeys } from '../config/signature.js';
import type { AskedContainer, ContainerSettings } from '../model.js';
import { unsafeBinds } from '../policy/safe-path.js';
import { violations } from '../policy/conforms.js';
import type { OwnPlaces } from '../policy/match-bind.js';
import { narrow, type Narrowed } from '../policy/narrow.js';
import type { HostPolicy, PolicyState } from '../policy/policy-file.js';
import type { Policy } from '../policy/policy.js';
import { readConfigKeys, readSignatureRules } from '../policy/signature-rules.js';
import { createPathLook } from './path-look.js';
import { createTimelyRead } from './timely-read.js';

export interface PolicyGateOptions {
  readonly hostPolicy: HostPolicy;
  readonly clock: Clock;
  /** Of the daemon. */
  readonly uid: number;
  /** The engine is on another host, and so are the paths of binds. */
  readonly remote: boolean;
  /** Our own files and folders, and the engine's. */
  readonly own: () => OwnPlaces;
  /** The keys that a policy names, or why there are none that can be used. Must not reject. */
  readonly readKeys?: typeof readConfigKeys;
}

/** Stands between the configuration and the pilots, with the policy of this host in hand. Nothing rejects, and everything comes back in time. */
export interface PolicyGate {
  /** Reads the policy, for the first time or because it was changed. */
  read(): Promise<void>;
  /** With every number within the caps of the policy as it was last valid, and deaf to HTTP until there was one. */
  capped(config: Config): Config;
  /** What a configuration becomes now. Reads the policy again if it was changed. */
  narrow(config: Config): Promise<Narrowed>;
  /** In what a container that was made is more than the policy allows now, or less held in than asked for. */
  violations(settings: ContainerSettings, asked: AskedContainer): Promise<readonly string[]>;
  /** What is wanted of signatures, by the policy as it was last valid; a slip in it lifts nothing. */
  signatures(): Promise<SignatureRules>;
  /** A newer configuration that asks for more than is allowed, by the policy as it was last valid, is refused whole. */
  judge(verdict: Verdict<Config>): Verdict<Config>;
  /** Why the binds of a configuration are not safe on this host, as far as their paths can be looked at in time. */
  unsafeBinds(config: Config): Promise<readonly string[]>;
  /** Where the token of this host is, or `none`; by the policy as it was last valid. */
  tokenFile(): string;
}

/** The policy, read again whenever it is asked for, and in time. */
function createReader({ hostPolicy, clock, uid, readKeys = readConfigKeys }: PolicyGateOptions) {
  let valid: Policy | undefined;
  const readPolicy = createTimelyRead<PolicyState>(
    clock,
    `the policy of this host, ${hostPolicy.file},`,
    () => hostPolicy.read(),
    (why) => ({ ok: false, why: `${why}: no pilot is started` }),
  );
  const readKeysInTime = createTimelyRead<TrustedKeys | string>(
    clock,
    'the files of config_keys in the policy of this host',
    async () => (valid === undefined ? 'there is no policy' : readKeys(valid, uid)),
    (why) => why,
  );
  async function read(): Promise<PolicyState> {
    const state = await readPolicy();
    if (state.ok) valid = state.policy;
    return state;
  }
  return {
    read,
    /** As it was last valid: a slip in the file must not lift its caps. */
    valid: () => valid,
    signatures: async (): Promise<SignatureRules> => {
      const state = await read();
      return readSignatureRules(valid === undefined ? state : { ok: true, policy: valid }, uid, readKeysInTime);
    },
  };
}

export function createPolicyGate(options: PolicyGateOptions): PolicyGate {
  const { clock, uid, remote, own } = options;
  const { read, valid: lastValid, signatures } = createReader(options);
  const look = createPathLook(clock, uid);
  /** One look at a time: that of a cycle is not to wait for that at a newer configuration. */
  const lookAside = createPathLook(clock, uid);

  function capped(config: Config): Config {
    const valid = lastValid();
    // Who has said nothing at all has not let us answer his users either.
    return valid === undefined ? { ...config, http_address: 'none' } : narrow(config, valid, own()).config;
  }

  return {
    async read() {
      await read();
    },
    async narrow(config) {
      const state = await read();
      if (!state.ok) return { config: capped(config), clamps: [], refusals: [state.why] };
      const narrowed = narrow(config, state.policy, own());
      // What is refused anyhow need not be looked at.
      if (remote || narrowed.refusals.length > 0) return narrowed;
      return {
        ...narrowed,
        refusals: await unsafeBinds(config, async (path) => {
          const { unsafe, unknown } = await look(path);
          return unsafe ?? unknown;
        }),
      };
    },
    async violations(settings, asked) {
      const state = await read();
      return state.ok ? violations(settings, asked, state.policy, own()) : [state.why];
    },
    capped,
    signatures,
    async unsafeBinds(config) {
      return remote ? [] : unsafeBinds(config, async (path) => (await lookAside(path)).unsafe);
    },
    tokenFile: () => lastValid()?.http_token_file ?? 'none',
    judge(verdict) {
      const valid = lastValid();
      if (!verdict.ok || valid === undefined) return verdict;
      const { clamps, refusals } = narrow(verdict.config, valid, own());
      if (refusals.length > 0) return { ok: false, problems: refusals };
      return { ...verdict, warnings: [...verdict.warnings, ...clamps] };
    },
  };
}
