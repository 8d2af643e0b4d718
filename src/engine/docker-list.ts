import type { Pilot } from '../model.js';
import { EngineError, type Ownership } from './container-engine.js';
import { statusOf } from './docker-call.js';
import type { DockerConnection } from './docker-connection.js';
import { imageLabels } from './docker-images.js';
import { readSummaries } from './docker-reply.js';
import {
  fromContainerSummary,
  hasInheritedLabels,
  isRenamed,
  pilotLabels,
  type ContainerSummary,
  type Labels,
} from './pilot-container.js';

interface Candidate {
  readonly pilot: Pilot;
  readonly summary: ContainerSummary;
}

/** What is known of the labels of an image; an error: why nothing is. */
type ImageLook = Labels | EngineError;

/** Images that are remembered. A host has a few of them at a time, and in the life of a daemon there are ever new ones. */
const MOST_KNOWN = 100;

/** Lists pilots. The image of one is looked at once: what it carries never changes. */
export function createPilotList(connection: DockerConnection): (ownership: Ownership) => Promise<readonly Pilot[]> {
  const known = new Map<string, Labels>();

  async function look(id: string): Promise<ImageLook> {
    const before = known.get(id);
    if (before !== undefined) return before;
    const found = await lookAtLabels(connection, id);
    if (found instanceof EngineError) return found;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(id, found);
    return found;
  }

  return async (ownership) => {
    const candidates = (await listContainers(connection, ownership)).flatMap((summary): readonly Candidate[] => {
      const pilot = fromContainerSummary(summary, ownership);
      return pilot === undefined ? [] : [{ pilot, summary }];
    });
    const ids = new Set(candidates.flatMap(({ pilot }) => (pilot.adopted ? [] : (pilot.imageId ?? []))));
    const looks = new Map(await Promise.all([...ids].map(async (id) => [id, await look(id)] as const)));
    return candidates
      .filter(({ pilot, summary }) => pilot.adopted || hasOwnLabels(summary, looks.get(summary.ImageID)))
      .map(({ pilot }) => pilot);
  };
}

async function listContainers(
  connection: DockerConnection,
  ownership: Ownership,
): Promise<readonly ContainerSummary[]> {
  const own = { label: [`${pilotLabels.managed}=true`, `${pilotLabels.instance}=${ownership.instance}`] };
  const original = { name: ['^/?plancton-worker-[0-9a-z]{6}$'] };
  const containers = new Map<string, ContainerSummary>();
  for (const filters of ownership.adoptOriginal ? [own, original] : [own]) {
    const call = { op: 'list', what: 'Listing the pilots', deadlineMs: connection.deadlines.listMs } as const;
    const summaries = await connection.callPatiently(call, async (docker, abortSignal) =>
      readSummaries(await docker.listContainers({ all: true, filters, abortSignal })),
    );
    for (const summary of summaries) containers.set(summary.Id, summary);
  }
  return [...containers.values()];
}

/** Only the one label that is compared is kept: an image may carry many, and long ones. */
async function lookAtLabels(connection: DockerConnection, imageId: string): Promise<ImageLook> {
  try {
    const name = (await imageLabels(connection, imageId))[pilotLabels.name];
    return name === undefined ? {} : { [pilotLabels.name]: name };
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

/**
 * Whether what a container carries was given to it, and not to its image. Where the engine says that it cannot tell, such as of an image
 * that is gone, one that has the name of its labels is ours and one that somebody renamed is left alone. Without an answer it is not known
 * what is ours, and there is no list; one that was renamed must not keep all others from being listed.
 */
function hasOwnLabels(summary: ContainerSummary, look: ImageLook | undefined): boolean {
  if (look === undefined) return true;
  if (!(look instanceof EngineError)) return !hasInheritedLabels(summary, look);
  if (isRenamed(summary)) return false;
  if (statusOf(look) === undefined) throw look;
  return true;
}
