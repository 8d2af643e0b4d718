import { formatImageReference, parseImageReference, type ImageReference } from '../config/image-reference.js';
import type { HostImage, LocalImage } from '../model.js';
import { EngineError, type PullProgress } from './container-engine.js';
import { statusOf } from './docker-call.js';
import type { DockerConnection } from './docker-connection.js';
import { followPull } from './docker-pull.js';
import {
  expectNothing,
  expectRemovals,
  readImage,
  readImageLabels,
  readImageSummaries,
  readUsedImageIds,
} from './docker-reply.js';
import { newMarks, toHostImages } from './image-mark.js';
import type { Labels } from './pilot-container.js';
import { pullTroubleOf } from './pull-trouble.js';
import { readRegistryAuth } from './registry-auth.js';

/** The image as it is on this host; null when it is not. */
export async function findImage(connection: DockerConnection, reference: string): Promise<LocalImage | null> {
  const name = formatImageReference(parse(reference));
  const what = `Looking for image ${reference}`;
  const call = { op: 'image-inspect', what, deadlineMs: connection.deadlines.inspectMs } as const;
  return connection.call(call, async (docker, abortSignal) => {
    const options: object = { abortSignal };
    try {
      return { reference, ...readImage(await docker.getImage(name).inspect(options)) };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  });
}

/** The labels of an image on this host. */
export async function imageLabels(connection: DockerConnection, id: string): Promise<Labels> {
  const what = `Looking at image ${id}`;
  const call = { op: 'image-inspect', what, deadlineMs: connection.deadlines.inspectMs } as const;
  return connection.call(call, async (docker, abortSignal) => {
    const options: object = { abortSignal };
    return readImageLabels(await docker.getImage(id).inspect(options));
  });
}

export interface PullRequest {
  readonly reference: string;
  /** Docker `config.json` format; need not exist. */
  readonly registryAuthFile: string;
  readonly onProgress: (progress: PullProgress) => void;
  readonly giveUp: AbortSignal;
}

/** Pulls an image and makes sure that it is there. What it rejects with tells what is wrong with the registry, if anything is. */
export async function pullImage(connection: DockerConnection, request: PullRequest): Promise<void> {
  const { reference, giveUp } = request;
  try {
    await pull(connection, request);
  } catch (error) {
    if (!(error instanceof EngineError) || giveUp.aborted) throw error;
    const { kind, message, cause } = error;
    throw new EngineError(kind, message, { cause, pull: pullTroubleOf(error, reference) });
  }
}

async function pull(connection: DockerConnection, request: PullRequest): Promise<void> {
  const { reference, registryAuthFile, onProgress, giveUp } = request;
  const { name, tag, digest } = parse(reference);
  const what = `Pulling ${reference}`;
  const { pullStallMs: stallMs, pullMs: longestMs } = connection.deadlines;
  const opening = { op: 'image-pull', what, deadlineMs: stallMs, giveUp } as const;
  const stream = await connection.call(opening, async (docker, abortSignal) => {
    const auth = await readRegistryAuth(registryAuthFile, name);
    const _query = { fromImage: name, tag: digest ?? tag ?? 'latest' };
    return docker.createImage(auth, { _query, _body: {}, abortSignal });
  });
  await followPull(stream, { clock: connection.clock, what, stallMs, longestMs, giveUp, onProgress });
  if ((await findImage(connection, reference)) === null) {
    throw new EngineError('malformed', `${what}: the container engine says it is done, but has no such image`);
  }
}

/** All images of the host, and which of them `instance` has marked. */
export async function listImages(connection: DockerConnection, instance: string): Promise<readonly HostImage[]> {
  const deadlineMs = connection.deadlines.listMs;
  const looking = { op: 'image-list', what: 'Listing the images', deadlineMs } as const;
  const summaries = await connection.call(looking, async (docker, abortSignal) =>
    readImageSummaries(await docker.listImages({ all: true, abortSignal })),
  );
  // After the images: what was made from one in between is seen.
  const asking = { op: 'list', what: 'Listing what uses the images', deadlineMs } as const;
  const used = await connection.call(asking, async (docker, abortSignal) =>
    readUsedImageIds(await docker.listContainers({ all: true, abortSignal })),
  );
  return toHostImages(summaries, used, instance);
}

export interface MarkRequest {
  readonly reference: string;
  readonly instance: string;
  /** What there was before the pull. */
  readonly before: readonly HostImage[];
}

/** Marks an image that a pull has brought, and the tags that came with it. */
export async function markImage(connection: DockerConnection, request: MarkRequest): Promise<void> {
  const { reference, instance, before } = request;
  const what = `Marking image ${reference}`;
  const found = await findImage(connection, reference);
  const image = (await listImages(connection, instance)).find(({ id }) => id === found?.id);
  if (image === undefined) throw new EngineError('not-found', `${what}: it is gone`);
  for (const { repo, tag } of newMarks({ image, before, instance, wallMs: connection.clock.now().wallMs })) {
    await connection.call(
      { op: 'image-tag', what, deadlineMs: connection.deadlines.inspectMs },
      async (docker, abortSignal) => {
        const options = { repo, tag, abortSignal };
        expectNothing(await docker.getImage(image.id).tag(options));
      },
    );
  }
}

/**
 * Removes an image that `instance` has marked, name by name and the marks last: what breaks off in between is still known as ours. Nothing is
 * forced, so that with the last name the engine itself refuses where a container has been made from the image meanwhile.
 */
export async function dropImage(connection: DockerConnection, id: string, instance: string): Promise<boolean> {
  const image = (await listImages(connection, instance)).find((candidate) => candidate.id === id);
  if (image === undefined) return true;
  if (image.marks.length === 0 || image.needed) return false;
  for (const name of [...image.names, ...image.marks]) {
    if (!(await removeName(connection, name))) return false;
  }
  return true;
}

/** Takes one name from an image, which goes with its last one; gone is success. False: a container uses it. */
async function removeName(connection: DockerConnection, name: string): Promise<boolean> {
  const what = `Removing image ${name}`;
  const call = { op: 'image-remove', what, deadlineMs: connection.deadlines.dropImageMs } as const;
  return connection.call(call, async (docker, abortSignal) => {
    // Without its parents: they are not ours to judge.
    const options: object = { noprune: true, abortSignal };
    try {
      expectRemovals(await docker.getImage(name).remove(options));
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404) return true;
      if (status === 409) return false;
      throw error;
    }
  });
}

function parse(reference: string): ImageReference {
  const parsed = parseImageReference(reference);
  if (parsed !== undefined) return parsed;
  throw new EngineError('refused', `${reference} is not an image reference (name[:tag][@digest])`);
}
