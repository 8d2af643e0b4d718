import type { Action, Pilot, StartTrouble } from './model.js';

// What a cycle decides, and why. Types only, like the nouns it is made of.

/** Why no (more) pilots are started or removed; `text` carries the numbers. */
export interface Hold {
  readonly gate:
    | 'draining'
    | 'force-stop'
    | 'no-sample'
    | 'stale-sample'
    | 'image'
    | 'policy'
    | 'engine-effects'
    | 'back-off'
    | 'cap'
    | 'foreign-cpu'
    | 'memory'
    | 'disk'
    | 'pressure'
    | 'tasks'
    | 'cool-down'
    | 'pace'
    | 'evict-off'
    | 'not-crowded';
  readonly text: string;
}

/** What one thing that starts depend on would let start in this cycle; `text` carries the numbers. */
export interface GateReading {
  readonly gate: Hold['gate'];
  /** Pilots; null = it sets no limit. */
  readonly most: number | null;
  /** Of a hold that ends by itself: ms until then. */
  readonly leftMs?: number;
  readonly text: string;
}

/** A pilot that the engine could not remove; it is tried again, ever less often. Monotonic ms. */
export interface StuckPilot {
  readonly pilot: Pilot;
  /** When that failed first. */
  readonly sinceMs: number;
  readonly tries: number;
  readonly nextTryMs: number;
  /** The engine's words. */
  readonly said: string;
  /** It may have a process still. */
  readonly holdsSlot: boolean;
}

/** An engine that lists pilots and does not do in time what it is asked to. Monotonic ms. */
export interface HangingEffects {
  readonly sinceMs: number;
  /** How often it was asked in vain since then. */
  readonly inVain: number;
  readonly nextTryMs: number;
}

/** The numbers behind a plan, for status and explanations. CPUs unless said otherwise. */
export interface Capacity {
  readonly cpus: number;
  readonly slack: number;
  readonly foreign: number | undefined;
  readonly peakForeign: number | undefined;
  /** CPUs that pilots may fill; undefined while there is no sample. */
  readonly room: number | undefined;
  readonly tolerable: number | undefined;
  /** CPUs promised to pilots that hold a slot. */
  readonly promised: number;
  /** Pilots that hold a slot. */
  readonly pilots: number;
  readonly maxDocks: number;
  /** Pilots that would fit in all; undefined while there is no sample. */
  readonly admissible: number | undefined;
}

/** What kind of trouble keeps pilots from living, and in which words it is told. */
export interface FizzleCause {
  readonly kind: 'no-work' | 'failing' | 'out-of-memory' | 'image' | 'host';
  /** Of the host: what it lacks, as far as its engine's words tell. */
  readonly start?: StartTrouble | undefined;
  readonly text: string;
}

/** Trouble that is somebody's fault: want of work is nobody's. `soon`: one is tried in every loop, and not after growing pauses. */
export type FailingPilots = FizzleCause & {
  readonly kind: Exclude<FizzleCause['kind'], 'no-work'>;
  readonly soon: boolean;
};

/** What the first pilots of a configuration have shown of it; they are counts of pilots. */
export interface Probation {
  /** Undefined: neither yet. */
  readonly verdict: 'proven' | 'condemned' | undefined;
  readonly worked: number;
  /** How many have to work. */
  readonly needed: number;
  readonly failed: number;
  /** Those that failed are out of so many. */
  readonly judged: number;
  /** How many failed, and how. */
  readonly text: string;
}

/** The decision of one cycle. */
export interface Plan<State> {
  readonly actions: readonly Action[];
  /** Starts that an earlier cycle asked for and that still wait for their turn are not wanted any more. */
  readonly withdrawStarts: boolean;
  readonly holds: readonly Hold[];
  /** Everything that starts depend on, limiting or not, in the order in which it is looked at. */
  readonly gates: readonly GateReading[];
  /** Undefined: the configuration in force is proven. */
  readonly probation: Probation | undefined;
  readonly capacity: Capacity;
  readonly stuck: readonly StuckPilot[];
  /** Undefined while the engine does what it is asked to. */
  readonly hanging: HangingEffects | undefined;
  /** Why pilots are started one at a time and seldom, if not for want of work. */
  readonly failing: FailingPilots | undefined;
  /** The daemon's work is done: nothing left to drain or to kill, or `force-stop-unfinished`: nothing that can be killed. */
  readonly finished: 'drain-stop' | 'force-stop' | 'force-stop-unfinished' | undefined;
  /** Ms until the next known deadline (TTL, cool-down, back-off); undefined = none before the timer. */
  readonly wakeInMs: number | undefined;
  readonly state: State;
}
