import { formatImageReference, parseImageReference, type ImageReference } from '../config/image-reference.js';
import type { LocalImage } from '../model.js';
import { EngineError, type PullProgress } from './container-engine.js';
import { statusOf } from './docker-call.js';
import type { DockerConnection } from './docker-connection.js';
import { followPull } from './docker-pull.js';
import { readImageId } from './docker-reply.js';
import { readRegistryAuth } from './registry-auth.js';

/** The image as it is on this host; null when it is not. */
export async function findImage(connection: DockerConnection, reference: string): Promise<LocalImage | null> {
  const name = formatImageReference(parse(reference));
  const call = { what: `Looking for image ${reference}`, deadlineMs: connection.deadlines.inspectMs };
  return connection.call(call, async (docker, abortSignal) => {
    const options: object = { abortSignal };
    try {
      return { reference, id: readImageId(await docker.getImage(name).inspect(options)) };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  });
}

export interface PullRequest {
  readonly reference: string;
  /** Docker `config.json` format; need not exist. */
  readonly registryAuthFile: string;
  readonly onProgress: (progress: PullProgress) => void;
  readonly giveUp: AbortSignal;
}

/** Pulls an image and makes sure that it is there. */
export async function pullImage(connection: DockerConnection, request: PullRequest): Promise<void> {
  const { reference, registryAuthFile, onProgress, giveUp } = request;
  const { name, tag, digest } = parse(reference);
  const what = `Pulling ${reference}`;
  const stallMs = connection.deadlines.pullStallMs;
  const stream = await connection.call({ what, deadlineMs: stallMs, giveUp }, async (docker, abortSignal) => {
    const auth = await readRegistryAuth(registryAuthFile, name);
    const _query = { fromImage: name, tag: digest ?? tag ?? 'latest' };
    return docker.createImage(auth, { _query, _body: {}, abortSignal });
  });
  await followPull(stream, { clock: connection.clock, what, stallMs, giveUp, onProgress });
  if ((await findImage(connection, reference)) === null) {
    throw new EngineError('malformed', `${what}: the container engine says it is done, but has no such image`);
  }
}

function parse(reference: string): ImageReference {
  const parsed = parseImageReference(reference);
  if (parsed !== undefined) return parsed;
  throw new EngineError('refused', `${reference} is not an image reference (name[:tag][@digest])`);
}
