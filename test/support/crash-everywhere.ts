import { nameOf, type CrashPoint } from './crash-points.js';
import type { Crash, CrashStage } from './crash-stage.js';
import type { LocalRegistry } from './local-registry.js';
import { openCrashStage } from './open-crash-stage.js';
import type { PrivateEngine } from './private-engine.js';

export interface CrashTour {
  readonly engine: Pick<PrivateEngine, 'host' | 'docker'>;
  readonly registry: LocalRegistry;
  readonly points: readonly CrashPoint[];
  /** How often at each point. */
  readonly runs: number;
  /** How many daemons are killed side by side: much of the time is spent waiting. */
  readonly stages: number;
  /** Told of each as it has happened. */
  readonly onCrash?: (crash: Crash) => void;
}

/** Kills daemons at all those points. A point that was never reached, or a world that does not come to rest, is told like a violation. */
export async function crashEverywhere(tour: CrashTour): Promise<readonly Crash[]> {
  const { points, runs, stages } = tour;
  const stops = Array.from({ length: runs }, (_, run) => points.map((point) => ({ point, run: run + 1 }))).flat();
  const rest = stops.filter(({ point }) => !needsGit(point));
  const walks = Array.from({ length: stages }, () => walk(tour, rest, false));
  const ofGit = stops.filter(({ point }) => needsGit(point));
  return (await Promise.all([walk(tour, ofGit, true), ...walks])).flat();
}

interface Stop {
  readonly point: CrashPoint;
  readonly run: number;
}

function needsGit(point: CrashPoint): boolean {
  return point.at === 'call' && point.needsRevision;
}

/** Takes one after the other from the queue, which others may take from, too. */
async function walk({ engine, registry, onCrash }: CrashTour, queue: Stop[], git: boolean): Promise<readonly Crash[]> {
  const crashes: Crash[] = [];
  let stage: CrashStage | undefined;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { point, run } = next;
    let crash: Crash;
    try {
      stage ??= await openCrashStage(engine, registry, { git });
      crash = await stage.crash(point, run);
    } catch (error) {
      const violations = [error instanceof Error ? error.message : String(error)];
      crash = { point: nameOf(point), run, killedAt: '', violations };
      // Whatever state that one is in, it is not to spoil what follows.
      stage = undefined;
    }
    crashes.push(crash);
    onCrash?.(crash);
  }
  return crashes;
}
