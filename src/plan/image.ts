import type { Config } from '../config/schema.js';
import type { Observation, PullAction, PullReason } from '../model.js';
import { diskGate } from './gates.js';
import type { ImageMemory, PilotSource } from './state.js';

/** First pause after a failed pull; doubles with each further failure up to the longest. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;
/** The same where a registry limits how often it may be asked, which counts failures too: a handful of requests an hour. */
const FIRST_RATE_PAUSE_MS = 1_800_000;
const LONGEST_RATE_PAUSE_MS = 3_600_000;
/** Nothing has failed. */
const NO_FAILURE = { failures: 0, failedAtMs: undefined, rateLimited: false } as const;

export interface ImagePlan {
  readonly pulls: readonly PullAction[];
  /** What to start pilots from; undefined = its image is not on this host. */
  readonly use: PilotSource | undefined;
  readonly memory: ImageMemory;
  /** Ms until the next pull is due; undefined = not by time. */
  readonly dueInMs: number | undefined;
}

/** What the pulls that ended since the last cycle mean for the next ones. */
function rememberPulls(observation: Observation, before: ImageMemory): ImageMemory {
  let memory = before;
  const { monoMs } = observation.at;
  for (const { action, result, error } of observation.outcomes) {
    if (action.type !== 'pull' || action.reference !== before.wanted) continue;
    const rateLimited = error?.pull === 'rate-limited';
    memory =
      result === 'done'
        ? { ...memory, pulledAtMs: monoMs, ...NO_FAILURE }
        : { ...memory, failures: memory.failures + 1, failedAtMs: monoMs, rateLimited };
  }
  return memory;
}

function pauseLeftMs(memory: ImageMemory, image: Observation['image'], nowMs: number): number {
  const { failedAtMs, failures, rateLimited, pulledAtMs } = memory;
  if (failedAtMs !== undefined) {
    const firstMs = rateLimited ? FIRST_RATE_PAUSE_MS : FIRST_PAUSE_MS;
    const longestMs = rateLimited ? LONGEST_RATE_PAUSE_MS : LONGEST_PAUSE_MS;
    return failedAtMs + Math.min(longestMs, firstMs * 2 ** (failures - 1)) - nowMs;
  }
  // A pull that brought nothing, or whose image somebody removed, is no reason to ask again at once.
  return image === null && pulledAtMs !== undefined ? pulledAtMs + FIRST_PAUSE_MS - nowMs : 0;
}

function pullReason(config: Config, observation: Observation, memory: ImageMemory): PullReason | undefined {
  if (observation.image === undefined) return undefined;
  if (observation.image === null) return 'missing';
  // A digest names its content: what is here cannot be outdated.
  if (config.docker_image.includes('@sha256:')) return undefined;
  if (memory.pulledAtMs === undefined) return 'changed';
  return observation.at.monoMs - memory.pulledAtMs >= config.image_expiration * 1000 ? 'expired' : undefined;
}

/**
 * Where the wanted image is not here yet (being pulled, or its registry is away), pilots go on as they were: the image before with the
 * settings before, since nobody wrote the new command for the old image. Their size is the one in force, which the slots are cut to.
 */
function sourceToUse(config: Config, observation: Observation, memory: ImageMemory): PilotSource | undefined {
  const { image, revision } = observation;
  if (image === undefined) return undefined;
  if (image !== null) return { config, revision };
  const { lastUsed } = memory;
  // An image that was here and has been taken away is waited for: there is no going back to the one before.
  if (lastUsed === undefined || lastUsed.config.docker_image === config.docker_image) return undefined;
  return { ...lastUsed, config: { ...lastUsed.config, cpus_per_dock: config.cpus_per_dock } };
}

/** Which image new pilots get, and whether to ask the registry: once at start, on a change, when it has expired, or when it is missing; never while the disk is short of room. */
export function planImage(config: Config, observation: Observation, before: ImageMemory): ImagePlan {
  const wanted = config.docker_image;
  const changed = before.wanted !== wanted;
  const memory = changed
    ? { ...before, wanted, pulledAtMs: undefined, ...NO_FAILURE }
    : rememberPulls(observation, before);
  const use = sourceToUse(config, observation, memory);
  const reason = pullReason(config, observation, memory);
  const nowMs = observation.at.monoMs;
  const waitMs = pauseLeftMs(memory, observation.image, nowMs);
  const busy = observation.inFlight.pulling.includes(wanted);
  // What may not be started need not be here either.
  const mayPull = observation.mode !== 'force-stop' && observation.policy.refusals.length === 0;
  // An image is what fills a disk fastest.
  const hasRoom = diskGate({ config, observation }).most > 0;
  const due = reason !== undefined && waitMs <= 0 && !busy && mayPull && hasRoom;
  return {
    pulls: due ? [{ type: 'pull', reference: wanted, reason }] : [],
    use,
    memory,
    dueInMs: reason !== undefined && waitMs > 0 && !busy ? waitMs : undefined,
  };
}
