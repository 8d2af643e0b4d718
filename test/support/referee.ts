import { makeDecoys, type Decoy } from './referee/decoys.js';
import { openEngineWindow } from './referee/engine-window.js';
import { DecoyJudge } from './referee/judge-decoys.js';
import { PilotJudge, type Order } from './referee/judge-pilots.js';
import { isAlive, type Rule, type Violation } from './referee/sightings.js';
import { Watch, type Quiet, type Watched } from './referee/watch.js';

export type { Violation } from './referee/sightings.js';

export interface RefereeOptions extends Watched {
  /** `unix:///...`: the engine itself, not what stands before it. It must be on this host, and have `image`. */
  readonly dockerHost: string;
  /** Of the decoys; `busybox:latest` by default. */
  readonly image?: string;
  /** False: no decoy is named like a pilot, for who knows its own by nothing else. */
  readonly decoysWithPrefix?: boolean;
}

/**
 * Watches an engine and /proc beside a daemon, with nothing of the daemon's own code, and judges what must hold at every moment (P1, P2,
 * P4 to P13) and once all is quiet (P14 to P16).
 */
export interface Referee {
  readonly decoys: readonly Decoy[];
  /** Ids of the pilots that live, by the engine's list. */
  pilots(): Promise<readonly string[]>;
  /** How many pilots were started since the watch began. */
  starts(): number;
  /** Another `max_docks` holds from now on: say so before it is raised, and after it was lowered. */
  cap(maxDocks: number): void;
  /** The daemon has let it be known that it follows this order. */
  acknowledged(order: Order): void;
  /** Waits until what should be is; what is not by then is a violation. */
  settle(quiet: Quiet): Promise<void>;
  /** What was seen so far, and what a look at the end shows. */
  verdict(): Promise<readonly Violation[]>;
  /** Ends the watch and takes the decoys away. */
  stop(): Promise<void>;
}

/** Makes the decoys and begins to watch. */
export async function startReferee(options: RefereeOptions): Promise<Referee> {
  const engine = openEngineWindow(options.dockerHost);
  const { instance, image = 'busybox:latest', decoysWithPrefix } = options;
  const decoys = await makeDecoys(engine, instance, image, decoysWithPrefix);
  const book = new Map<string, Violation>();
  const blame = (rule: Rule, evidence: string, atMs = Date.now()) => {
    const key = `${rule} ${evidence}`;
    if (!book.has(key)) book.set(key, { rule, at: new Date(atMs).toISOString(), evidence });
  };
  const { limits } = options;
  const watch = new Watch(options, {
    engine,
    blame,
    isDecoy: (id) => decoys.find(id) !== undefined,
    decoys: new DecoyJudge(decoys, blame),
    pilots: new PilotJudge(limits, blame),
  });
  await watch.begin();
  return {
    decoys: decoys.all,
    pilots: async () => (await watch.listPilots()).filter(({ state }) => isAlive(state)).map(({ id }) => id),
    starts: () => watch.pilots.starts,
    cap: (maxDocks) => {
      watch.pilots.cap(maxDocks);
    },
    acknowledged: (order) => {
      watch.pilots.order(order);
    },
    settle: (quiet) => watch.settle(quiet),
    verdict: async () => {
      await watch.close();
      return [...book.values()];
    },
    stop: async () => {
      await watch.stop();
      await decoys.remove();
    },
  };
}
