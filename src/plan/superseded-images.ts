import type { Config } from '../config/schema.js';
import type { DropImageAction, HostImage, Observation } from '../model.js';
import type { Census } from './census.js';
import { diskGate } from './gates.js';
import type { KeptImages } from './state.js';

export interface SupersededPlan {
  readonly drops: readonly DropImageAction[];
  readonly kept: KeptImages;
}

/** An image that carries our mark. */
interface MarkedImage extends HostImage {
  readonly markedWallMs: number;
}

function isMarked(image: HostImage): image is MarkedImage {
  return image.markedWallMs !== undefined;
}

/** Which image is in force, and which was the last that a pilot lived from for `fizzle_seconds`. */
function remember({ image, at }: Observation, { tracked }: Census, before: KeptImages): KeptImages {
  const isSame = image === null || image === undefined || image.id === before.inForce?.id;
  const inForce = isSame ? before.inForce : { id: image.id, sinceBootMs: at.bootMs };
  if (inForce === undefined || inForce.id === before.goodId) return { inForce, goodId: before.goodId };
  const isGood = [...tracked.values()].some(({ proven, bornBootMs }) => proven && bornBootMs >= inForce.sinceBootMs);
  return { inForce, goodId: isGood ? inForce.id : before.goodId };
}

/** When another of our images took its place; undefined = none has since. */
function supersededAtMs({ markedWallMs }: MarkedImage, marked: readonly MarkedImage[]): number | undefined {
  return marked.find((other) => other.markedWallMs > markedWallMs)?.markedWallMs;
}

function isShortOfDisk(config: Config, observation: Observation): boolean {
  const { disk } = observation.resources;
  return disk !== undefined && diskGate({ config, observation }).most === 0;
}

/** Neither a pull, whose image looks like nobody's until it is there, nor an end at hand, nor an unknown one. */
function isCalm({ inFlight, mode }: Observation): boolean {
  return inFlight.pulling.length === 0 && mode !== 'force-stop' && mode !== 'unknown';
}

/** Images of others are not asked for their age, and what is unknown is no reason to remove anything. */
function choose(
  config: Config,
  observation: Observation,
  { inForce, goodId }: KeptImages,
): DropImageAction | undefined {
  const { images = [], image, at } = observation;
  const keep = config.image_keep;
  if (keep === 'never' || image === undefined || !isCalm(observation)) return undefined;
  const marked = images.filter(isMarked).sort((a, b) => a.markedWallMs - b.markedWallMs);
  const superseded = marked.filter(({ id }) => id !== inForce?.id);
  // Until a pilot has lived from one since this daemon started, the one before is the best guess: good enough for a disk without room only.
  const lastGoodId = goodId ?? superseded.at(-1)?.id;
  const free = superseded.filter(({ id, needed }) => id !== lastGoodId && !needed);
  const isOld = (candidate: MarkedImage) => at.wallMs - (supersededAtMs(candidate, marked) ?? Infinity) >= keep * 1000;
  const old = goodId === undefined ? undefined : free.find(isOld);
  if (old !== undefined) return { type: 'drop-image', image: old, reason: 'superseded' };
  const [oldest] = free;
  if (oldest === undefined || !isShortOfDisk(config, observation)) return undefined;
  return { type: 'drop-image', image: oldest, reason: 'disk' };
}

/**
 * Which image that we brought goes: after `image_keep` or, where the engine's disk is short of room, at once; the one that has not been wanted
 * for longest first, one at each look, so that the room that it makes is seen before the next one goes. The image in force and the last one
 * that pilots lived from stay, and so does what anybody else has a use for.
 */
export function planSupersededImages(
  config: Config,
  observation: Observation,
  census: Census,
  before: KeptImages,
): SupersededPlan {
  const kept = remember(observation, census, before);
  const drop = choose(config, observation, kept);
  return { drops: drop === undefined ? [] : [drop], kept };
}
