import type { Config } from '../config/schema.js';
import type { Observation, PullAction, PullReason } from '../model.js';
import type { ImageMemory } from './state.js';

/** First pause after a failed pull; doubles with each further failure up to the longest. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;

export interface ImagePlan {
  readonly pulls: readonly PullAction[];
  /** The reference to start pilots from; undefined = there is none on this host. */
  readonly use: string | undefined;
  readonly memory: ImageMemory;
  /** Ms until the next pull is due; undefined = not by time. */
  readonly dueInMs: number | undefined;
}

/** What the pulls that ended since the last cycle mean for the next ones. */
function rememberPulls(observation: Observation, before: ImageMemory): ImageMemory {
  let memory = before;
  for (const { action, result } of observation.outcomes) {
    if (action.type !== 'pull' || action.reference !== before.wanted) continue;
    memory =
      result === 'done'
        ? { ...memory, pulledAtMs: observation.at.monoMs, failures: 0, failedAtMs: undefined }
        : { ...memory, failures: memory.failures + 1, failedAtMs: observation.at.monoMs };
  }
  return memory;
}

function pauseLeftMs(memory: ImageMemory, image: Observation['image'], nowMs: number): number {
  const { failedAtMs, failures, pulledAtMs } = memory;
  if (failedAtMs !== undefined) {
    return failedAtMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) - nowMs;
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
 * Where no wanted image is (still being pulled, or its registry is away), pilots go on from the one before; after a
 * restart of the daemon that is the one its youngest pilot runs.
 */
function imageToUse(config: Config, observation: Observation, memory: ImageMemory): string | undefined {
  if (observation.image !== null && observation.image !== undefined) return config.docker_image;
  if (observation.image === undefined) return undefined;
  // An image that was here and has been taken away is waited for: there is no going back to the one before.
  if (memory.lastUsed === config.docker_image) return undefined;
  if (memory.lastUsed !== undefined) return memory.lastUsed;
  const running = observation.pilots.filter(
    (pilot) => pilot.state === 'running' && pilot.image !== config.docker_image,
  );
  return running.sort((a, b) => b.createdWallMs - a.createdWallMs)[0]?.image;
}

/** Which image new pilots get, and whether to ask the registry: once at start, on a change, when it has expired, or when it is missing. */
export function planImage(config: Config, observation: Observation, before: ImageMemory): ImagePlan {
  const wanted = config.docker_image;
  const changed = before.wanted !== wanted;
  const memory = changed
    ? { ...before, wanted, pulledAtMs: undefined, failures: 0, failedAtMs: undefined }
    : rememberPulls(observation, before);
  const use = imageToUse(config, observation, memory);
  const reason = pullReason(config, observation, memory);
  const nowMs = observation.at.monoMs;
  const waitMs = pauseLeftMs(memory, observation.image, nowMs);
  const busy = observation.inFlight.pulling.includes(wanted);
  const due = reason !== undefined && waitMs <= 0 && !busy && observation.mode !== 'force-stop';
  return {
    pulls: due ? [{ type: 'pull', reference: wanted, reason }] : [],
    use,
    memory,
    dueInMs: reason !== undefined && waitMs > 0 && !busy ? waitMs : undefined,
  };
}
