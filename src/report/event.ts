import type { Hold, Plan, StuckPilot } from '../decision.js';
import type { PostMortem } from './post-mortem.js';
import type { EngineFailure, Observation, Outcome, Pilot, PilotUsage, SeenMode } from '../model.js';

/** What tells a pilot to those who ask for an address or an image. */
export type SeenPilot = Pick<Pilot, 'name' | 'id' | 'image' | 'imageId' | 'revision' | 'flavour' | 'address'>;

/** Everything that happens, as data. Sinks word it, count it or ship it; no other code logs. */
export type DaemonEvent =
  | { readonly type: 'daemon-started'; readonly version: string; readonly instance: string; readonly source: string }
  | { readonly type: 'daemon-stopping'; readonly why: string }
  | { readonly type: 'config-accepted'; readonly revision: string; readonly warnings: readonly string[] }
  | {
      readonly type: 'config-refused';
      readonly revision: string;
      readonly problems: readonly string[];
      /** The revision that stays in force; undefined = there is none. */
      readonly kept: string | undefined;
    }
  /** Its first pilots work. */
  | { readonly type: 'config-proven'; readonly revision: string }
  /** Its first pilots failed: the revision that was proven before is in force again. */
  | {
      readonly type: 'config-rolled-back';
      readonly revision: string;
      readonly inForce: string;
      readonly problems: readonly string[];
      /** Pilots, out of those that were judged. */
      readonly failed: number;
      readonly judged: number;
      readonly atWallMs: number;
    }
  | { readonly type: 'config-unreachable'; readonly message: string }
  /** The source of the configuration was asked for a newer one; `answered`: it has said what there is. */
  | { readonly type: 'config-asked'; readonly answered: boolean }
  | { readonly type: 'engine-lost'; readonly failure: EngineFailure }
  | { readonly type: 'engine-found'; readonly version: string; readonly apiVersion: string; readonly yields: string }
  /** Why the loop is not told of the ends of pilots; its own looks find them later. */
  | { readonly type: 'events-lost'; readonly message: string }
  | { readonly type: 'events-followed' }
  /** A call of the engine is over. `code`: `ok`, the HTTP status that it was refused with, or the kind of failure. */
  | { readonly type: 'engine-called'; readonly op: string; readonly code: string; readonly tookMs: number }
  | { readonly type: 'mode-changed'; readonly mode: SeenMode }
  /** Binds that get no mounts made later; empty = none any more. */
  | { readonly type: 'private-binds'; readonly paths: readonly string[] }
  | { readonly type: 'limit-changed'; readonly holds: readonly Hold[] }
  /** The daemon ends, and these could not be removed. */
  | { readonly type: 'pilots-left'; readonly stuck: readonly StuckPilot[] }
  | {
      readonly type: 'action-ended';
      readonly outcome: Outcome;
      readonly atWallMs: number;
      /** Of a pilot that is gone: what it had used at the last look at the host. */
      readonly usage?: PilotUsage | undefined;
    }
  /** Running for the first time that this daemon looks: whose address it is. */
  | { readonly type: 'pilot-seen'; readonly pilot: SeenPilot }
  /** A pilot came to no good end, and goes. */
  | { readonly type: 'post-mortem'; readonly postMortem: PostMortem }
  | {
      readonly type: 'pull-progress';
      readonly reference: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly type: 'sink-trouble'; readonly sink: string; readonly message: string }
  /** It is out of its trouble. */
  | { readonly type: 'sink-recovered'; readonly sink: string; readonly message: string }
  | {
      readonly type: 'cycle';
      readonly number: number;
      readonly observation: Observation;
      readonly plan: Pick<Plan<unknown>, 'actions' | 'capacity' | 'holds' | 'gates'>;
      readonly uptimeMs: number;
      /** From its beginning until all that was planned was begun. */
      readonly tookMs: number;
    }
  | {
      readonly type: 'cycle-held';
      readonly number: number;
      readonly atWallMs: number;
      readonly uptimeMs: number;
      readonly tookMs: number;
    };

/** Takes events; must be quick and must not throw. */
export type EventSink = (event: DaemonEvent) => void;

/** Is told when a place where what happens is kept or sent to gets into trouble, and, with `isOver`, when it is out of it. Must not throw. */
export type TellTrouble = (message: string, isOver?: boolean) => void;

/** How a place is where what happens is kept or sent to. */
export interface SinkState {
  /** `journal`, or a target without its credentials. */
  readonly name: string;
  /** What is wrong; undefined while nothing is known to be. */
  readonly trouble: string | undefined;
  /** Of one that keeps what it cannot get rid of, since it was first written to. */
  readonly points?: { readonly written: number; readonly waiting: number; readonly lost: number };
}

/** One sink out of many: a sink that throws all the same costs the others nothing. */
export function fanOut(sinks: readonly EventSink[]): EventSink {
  return (event) => {
    for (const sink of sinks) {
      try {
        sink(event);
      } catch {
        // Reporting must never hurt the loop, and there is nobody left to report it to.
      }
    }
  };
}
