import type { ConfigText } from './layers.js';
import type { Signature } from './signature.js';

/** One state of the configuration of this host. */
export interface ConfigRevision {
  /** The full commit, with `+local` behind it when files were edited by hand; `dir-<12 hex>` without git. */
  readonly id: string;
  /** In the order in which they apply; none at all is valid and means the defaults. */
  readonly layers: readonly ConfigText[];
}

export interface CandidateOptions {
  /** Ask now, however short ago a remote was asked. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

/** A revision that pilots have shown not to work. */
export interface Condemned {
  readonly revision: ConfigRevision;
  /** A sentence. */
  readonly why: string;
}

/** What a source remembers of trials, across restarts of the daemon. Everything rejects with `ConfigSourceError`. */
export interface TrialRecord {
  /** The revision that was proven last. */
  proven(signal?: AbortSignal): Promise<ConfigRevision | undefined>;
  /** The one that was condemned last. */
  condemned(signal?: AbortSignal): Promise<Condemned | undefined>;
  /** Remembers a revision, if it can be had again later. */
  prove(revision: ConfigRevision): Promise<void>;
  condemn(condemned: Condemned): Promise<void>;
}

/** Where the configuration comes from. Every method has a deadline of its own and rejects with `ConfigSourceError`. */
export interface ConfigSource {
  /** One phrase for people; free of credentials. */
  describe(): string;
  /** Whether it follows something elsewhere, where what is wrong may be mended; it does not, unless given. */
  isFollowing?(): boolean;
  /** What is on this host now, edits by hand included. */
  current(signal?: AbortSignal): Promise<ConfigRevision>;
  /** What is on this host without edits by hand; undefined where that is the same or there is no such thing. */
  unedited(signal?: AbortSignal): Promise<ConfigRevision | undefined>;
  /** Something newer than `current`, read aside and not yet in force; undefined = nothing new. */
  candidate(options?: CandidateOptions): Promise<ConfigRevision | undefined>;
  /** Puts a candidate in place, whole or not at all. */
  accept(revision: ConfigRevision, signal?: AbortSignal): Promise<void>;
  /** Rejects where this host does not let that revision of this source be in force any more; it lets all, unless given. */
  vouch?(revision: ConfigRevision, signal?: AbortSignal): Promise<void>;
  /**
   * Why no pilot may be started from a revision that is or was in force, as far as that is known without another look at it (`vouch`);
   * undefined: it may, and always, unless given. Never rejects.
   */
  distrust?(revisionId: string): Promise<string | undefined>;
  /** Undefined: it remembers nothing. */
  readonly trials?: TrialRecord;
  /** Who signed a revision that came from here, or what is wrong with that; undefined where this host does not ask. */
  signature?(revision: ConfigRevision): Signature | undefined;
}

/**
 * Why the source could not do it. `unreachable`: nothing could be had, it may go better later. `rejected`: this revision
 * may not be used. `broken`: what is on this host cannot be read or written.
 */
export class ConfigSourceError extends Error {
  override readonly name = 'ConfigSourceError';
  readonly kind: 'unreachable' | 'rejected' | 'broken';
  /** The revision it is about, where it is about one. */
  readonly revisionId: string | undefined;

  /** The message says what, where and the cure, and holds no credentials. */
  constructor(kind: ConfigSourceError['kind'], message: string, revisionId?: string) {
    super(message);
    this.kind = kind;
    this.revisionId = revisionId;
  }
}

/** What a source threw; lets bugs through. */
export function sourceError(error: unknown): ConfigSourceError {
  if (error instanceof ConfigSourceError) return error;
  throw error;
}
