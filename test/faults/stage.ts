import { systemClock } from '../../src/clock.js';
import type { ContainerDiary } from '../support/container-diary.js';
import type { Decoys } from './decoys.js';
import { askEngine } from './engine-api.js';
import type { Lane } from './lane.js';

/** One daemon of the matrix, and what there is to see of its pilots. */
export interface Stage {
  readonly engineHost: string;
  readonly lane: Lane;
  readonly diary: ContainerDiary;
  readonly decoys: Decoys;
  /** Its pilots, and only they, are made of these images. */
  readonly images: readonly string[];
  /** Makes one more image for its pilots, that only the registry has; gives its name. Only where its life is one of new images. */
  readonly publish?: (() => Promise<string>) | undefined;
}

const giveUpMs = 90_000;
/** For what can be tried another time. */
export const patienceMs = 30_000;

/** False when it did not become so in a long while. */
export async function until(condition: () => boolean, forMs = giveUpMs): Promise<boolean> {
  const endMs = systemClock.now().monoMs + forMs;
  while (!condition()) {
    if (systemClock.now().monoMs > endMs) return false;
    await systemClock.sleep(20);
  }
  return true;
}

function eventsOf({ diary, images }: Stage): ContainerDiary['events'] {
  return diary.events.filter(({ image }) => images.includes(image));
}

/** When the first of its pilots was started after this moment, by the engine's clock. */
export function startAfter(stage: Stage, wallMs: number): number | undefined {
  return eventsOf(stage).find(({ action, atMs }) => action === 'start' && atMs > wallMs)?.atMs;
}

/** Ids of its pilots that have started and not ended, the oldest first, and how many there were at most at a time. */
export function running(stage: Stage): { readonly now: readonly string[]; readonly most: number } {
  const alive = new Set<string>();
  let most = 0;
  for (const { action, id } of eventsOf(stage)) {
    if (action === 'start') alive.add(id);
    if (action === 'die') alive.delete(id);
    most = Math.max(most, alive.size);
  }
  return { now: [...alive], most };
}

/** Ends the oldest of its pilots, behind the back of the daemon. */
export async function killOne(stage: Stage): Promise<void> {
  const [victim = ''] = running(stage).now;
  // It may have ended by itself.
  await askEngine(stage.engineHost, 'POST', `/containers/${victim}/kill`).catch(() => undefined);
}

/** The daemon sees its engine, and a pilot runs and does not stand still. */
export function isCalm(stage: Stage): boolean {
  const { trouble, pilots } = stage.lane.status() ?? {};
  if (pilots === undefined || trouble !== undefined) return false;
  return running(stage).now.length > 0 && pilots.every(({ state }) => state !== 'paused');
}
