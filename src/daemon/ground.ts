import type { ConfigKeeper } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { ConfigSource } from '../config/source.js';
import type { PolicyGate } from './policy-gate.js';
import type { HostFacts } from '../model.js';

/** What was found out before the parts can be built. */
export interface Ground {
  readonly host: HostFacts;
  readonly instance: string;
  readonly source: ConfigSource;
  readonly keeper: ConfigKeeper<Config>;
  readonly gate: PolicyGate;
  readonly wake: () => void;
}
