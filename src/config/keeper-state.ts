import { isDeepStrictEqual } from 'node:util';
import type { ConfigRevision } from './source.js';

/** What checking a configuration comes to. */
export type Verdict<Config> =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface InForce<Config> {
  readonly revision: ConfigRevision;
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly sinceWallMs: number;
}

export interface Refusal {
  readonly revisionId: string;
  readonly problems: readonly string[];
  readonly sinceWallMs: number;
  /** It could not be had or read, which says nothing about what it says and may go better later. */
  readonly mayHeal?: true;
}

/** What a look at the source came to; each refusal and each failure is news once, `keeper.state` tells it all along. */
export type KeeperNews<Config> =
  | {
      readonly type: 'accepted';
      readonly inForce: InForce<Config>;
      /** Set when something newer was refused in the same look. */
      readonly refused: Refusal | undefined;
    }
  | { readonly type: 'unchanged' }
  | { readonly type: 'refused'; readonly refused: Refusal }
  | { readonly type: 'unreachable'; readonly message: string };

export interface KeeperState<Config> {
  readonly inForce: InForce<Config> | undefined;
  readonly refused: Refusal | undefined;
  readonly unreachable: string | undefined;
}

/** Whether two refusals tell the same; since when does not matter. */
export function sameRefusal(a: Refusal | undefined, b: Refusal | undefined): boolean {
  return a?.revisionId === b?.revisionId && isDeepStrictEqual(a?.problems, b?.problems);
}
