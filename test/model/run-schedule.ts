import { SETTINGS } from './configurations.js';
import { endWorld } from './endings.js';
import type { Schedule } from './schedule.js';
import { World } from './world.js';

/** What came of one schedule. */
export interface Report {
  /** Of which promise, and how it was broken; undefined: none. */
  readonly violation: string | undefined;
  /** Steps done before it. */
  readonly steps: number;
  /** How often what was decided. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Runs a schedule up to the first promise that is broken. */
export async function runSchedule({ seed, steps, ending }: Schedule): Promise<Report> {
  const world = new World(seed, seed % SETTINGS.length);
  const { oracle } = world;
  await world.startDaemon();
  let done = 0;
  for (const step of steps) {
    if (oracle.violation !== undefined) break;
    await world.step(step);
    done += 1;
  }
  if (oracle.violation === undefined) await endWorld(world, ending);
  return { violation: oracle.violation, steps: done, counts: oracle.counts };
}
