import type { Config } from '../config/schema.js';
import type { FizzleCause, Hold } from '../decision.js';
import type { RemovalReason } from '../model.js';

/**
 * What one cycle hands to the next: a few timestamps and counters. Losing it (a restart of the daemon) costs time, never
 * correctness: everything that matters is in the labels of the containers. All times are monotonic ms unless named otherwise.
 */
export interface State {
  /** Where the names of new pilots come from; differs from daemon to daemon, moves on with each name. */
  readonly seed: number;
  /** When the first cycle looked, on the boot clock; undefined before it. */
  readonly beganBootMs: number | undefined;
  /** Number of the last sample that was looked at. */
  readonly lastSeq: number;
  /** Valid samples (our own share is known), oldest first, as far back as any rule looks. */
  readonly samples: readonly SampleNote[];
  readonly tokens: Tokens;
  readonly growth: GrowthMemory;
  /** Starts asked for since the last sample: each costs the engine some CPU that is not the owner's. */
  readonly startsSinceSample: number;
  /** Pilots by id, as long as the engine lists them. */
  readonly tracked: ReadonlyMap<string, Tracked>;
  readonly unanswered: readonly Unanswered[];
  readonly effects: EffectsMemory;
  readonly eviction: LastEviction | undefined;
  /** Only where pilots do not yield: since when there is an excess, and when there last was one. */
  readonly pressure: { readonly sinceMs: number; readonly lastMs: number } | undefined;
  readonly breaker: BreakerMemory;
  /** Since when each sample found the host short of memory; set anew by each eviction for it. */
  readonly memoryShortSinceMs: number | undefined;
  /** Why pilots stay though they are too many, as the last sample was judged: what cycles in between have no opinion of. */
  readonly judged: { readonly byCpu: readonly Hold[]; readonly byMemory: readonly Hold[] };
  readonly image: ImageMemory;
  readonly keptImages: KeptImages;
  readonly legacy: LegacyMemory;
  readonly probation: ProbationMemory;
}

/** One valid sample, reduced to what the rules look back at. CPUs. */
export interface SampleNote {
  readonly monoMs: number;
  readonly foreign: number;
  /** No CPU was idle, but for the slack: somebody may have been crowded out. */
  readonly full: boolean;
  /**
   * It covers a second only, or our own pull of an image was part of the load: better than nothing where there is nothing
   * else, but neither a peak nor a reason to evict.
   */
  readonly provisional: boolean;
}

/** Permits to start: growth is paced by them, replacement earns them. */
export interface Tokens {
  readonly growth: number;
  readonly replacement: number;
}

/** How fast pilots are added. */
export interface GrowthMemory {
  /** Permits that the last sample brought. */
  readonly step: number;
  /** Since then a pilot fizzled or was evicted: the next step is the first again. */
  readonly spoiled: boolean;
}

/** What the latest ends and starts of pilots have taught; see breaker.ts. */
export interface BreakerMemory {
  /** What it was learnt about: other pilots, or another image, start afresh. */
  readonly subject: string;
  /** Under which such pilots were made lately, the latest last. */
  readonly revisions: readonly string[];
  /** Pilots in a row that fizzled or could not be started. */
  readonly fizzles: number;
  /** When the last started of them was, and when the last of them was found to have fizzled; on the boot clock. */
  readonly lastFizzle: { readonly bornBootMs: number; readonly atBootMs: number } | undefined;
  /** Of the last of those. */
  readonly cause: FizzleCause | undefined;
  /** Of the last of those that was somebody's fault: the queue may be empty now and then as well. */
  readonly fault: FizzleCause | undefined;
  /** Undefined while the circuit is closed. Nothing is started until `dueBootMs`, then one pilot is. */
  readonly open:
    | {
        readonly sinceBootMs: number;
        readonly holdMs: number;
        readonly dueBootMs: number;
        /** Nothing but the engine's own trouble has kept it open. */
        readonly byHost: boolean;
      }
    | undefined;
  /**
   * The circuit was open until a while ago. If it opens again, it does so for longer; and until some pilots that were started since
   * have lived, `lived` so far, one fizzle opens it and few are on trial.
   */
  readonly wary:
    | { readonly holdMs: number; readonly sinceBootMs: number; readonly untilBootMs: number; readonly lived: number }
    | undefined;
}

export interface Tracked {
  readonly firstSeenBootMs: number;
  /** When it was started, on the boot clock; made out once, at first sight, so that no clock jump moves it. */
  readonly bornBootMs: number;
  /** When it was first seen running. */
  readonly runsSinceBootMs: number | undefined;
  /** It was seen to run, or to have run. */
  readonly ran: boolean;
  /** It was seen running for `fizzle_seconds`. */
  readonly proven: boolean;
  /** It has ended, and whether too soon is not known yet; `overdue`: a try to find out has failed, and nobody waits for it any more. */
  readonly unclear: false | 'waiting' | 'overdue';
  /** Its end has been counted. */
  readonly ended: boolean;
  readonly evicted: boolean;
  /** Since when it stands still because we froze it; undefined = it does not, or somebody else paused it. Monotonic. */
  readonly frozenAtMs: number | undefined;
  /** It is to be frozen and cannot be: since when, and when it was last tried. Monotonic. */
  readonly freezeTrouble: { readonly sinceMs: number; readonly lastMs: number } | undefined;
  /** Since when the engine lists it as being removed. Monotonic. */
  readonly goingSinceMs: number | undefined;
  /** It was to be removed and is still there. */
  readonly removalTrouble: RemovalTrouble | undefined;
}

/** What there is to know about a pilot that could not be removed. Monotonic ms. */
export interface RemovalTrouble {
  readonly sinceMs: number;
  /** Why it was to go when that was last tried. */
  readonly reason: RemovalReason;
  /** Failures in a row, for this reason. */
  readonly tries: number;
  /** Not tried again before this, unless there is another reason by then. */
  readonly dueMs: number;
  /** The engine's words. */
  readonly said: string;
  /** The engine has answered: it has not removed it, and does not do so in the background. */
  readonly refused: boolean;
}

/** A start that was asked for and never answered: nobody knows whether the engine has carried it out, or will. */
export interface Unanswered {
  readonly name: string;
  readonly cpus: number;
  /** When the first list after that was read. Monotonic ms. */
  readonly sinceMs: number;
}

/** What the engine does of what it is asked to; see effects.ts. Monotonic ms. */
export interface EffectsMemory {
  /** Pilots for which there was no answer in time, each with its last such moment, since anything worked. */
  readonly timeouts: readonly {
    readonly name: string;
    readonly atMs: number;
    /** Id of the pilot, where it was to be removed. */
    readonly removing: string | undefined;
  }[];
  /** Undefined while the engine is well. Else since when it is taken to hang, how often it was asked in vain, and when next. */
  readonly hold:
    { readonly sinceMs: number; readonly inVain: number; readonly pauseMs: number; readonly dueMs: number } | undefined;
}

export interface LastEviction {
  readonly atMs: number;
  /** How long growth is held after it. */
  readonly holdMs: number;
  /** A pilot was started for growth since. */
  readonly grownSince: boolean;
}

/** What new pilots are made from: an image goes with the command, binds and all that were written for it. */
export interface PilotSource {
  readonly config: Config;
  readonly revision: string;
}

export interface ImageMemory {
  /** What was wanted in the last cycle. */
  readonly wanted: string | undefined;
  /** What pilots were last started from. */
  readonly lastUsed: PilotSource | undefined;
  /** When `wanted` was last pulled; undefined = not since this daemon started. */
  readonly pulledAtMs: number | undefined;
  readonly failures: number;
  readonly failedAtMs: number | undefined;
  /** The registry has counted, and this was too often. */
  readonly rateLimited: boolean;
}

/** Ids of images that stay on the host whatever their age. */
export interface KeptImages {
  /** The last one that was both wanted and here, and since when on the boot clock. */
  readonly inForce: { readonly id: string; readonly sinceBootMs: number } | undefined;
  /** The last one that a pilot lived from; undefined = none since this daemon started. */
  readonly goodId: string | undefined;
}

/** What the first pilots of a configuration came to; see probation.ts. */
export interface ProbationMemory {
  /** What is watched: another configuration starts afresh. */
  readonly subject: string;
  /** Pilots that were started before are not judged. Boot clock. */
  readonly sinceBootMs: number;
  /** How many did their work and are gone. */
  readonly worked: number;
  /** The latest ends, oldest first: how it failed, or undefined where it did not. */
  readonly ends: readonly (PilotFault | undefined)[];
}

/** How a pilot failed: the kind of failure in a few words, and what else was said about it. */
export interface PilotFault {
  readonly how: string;
  readonly detail: string | undefined;
}

export interface LegacyMemory {
  readonly overheadSinceMs: number | undefined;
  readonly lastRemovalMs: number | undefined;
}

/** The state of a daemon that has just started. `seed` is any integer; daemons started at once should differ. */
export function initialState(seed: number): State {
  return {
    seed: seed >>> 0,
    beganBootMs: undefined,
    lastSeq: 0,
    samples: [],
    tokens: { growth: 0, replacement: 0 },
    growth: { step: 0, spoiled: false },
    startsSinceSample: 0,
    tracked: new Map(),
    unanswered: [],
    effects: { timeouts: [], hold: undefined },
    eviction: undefined,
    pressure: undefined,
    breaker: {
      subject: '',
      revisions: [],
      fizzles: 0,
      lastFizzle: undefined,
      cause: undefined,
      fault: undefined,
      open: undefined,
      wary: undefined,
    },
    memoryShortSinceMs: undefined,
    judged: { byCpu: [], byMemory: [] },
    image: {
      wanted: undefined,
      lastUsed: undefined,
      pulledAtMs: undefined,
      failures: 0,
      failedAtMs: undefined,
      rateLimited: false,
    },
    keptImages: { inForce: undefined, goodId: undefined },
    legacy: { overheadSinceMs: undefined, lastRemovalMs: undefined },
    probation: { subject: '', sinceBootMs: 0, worked: 0, ends: [] },
  };
}
