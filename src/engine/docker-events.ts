import { Readable } from 'node:stream';
import pLimit from 'p-limit';
import type { Clock } from '../clock.js';
import type { PilotEnd } from '../model.js';
import { EngineError, type EndsListener } from './container-engine.js';
import { callEngine } from './docker-call.js';
import type { DockerConnection } from './docker-connection.js';
import { readMessages } from './docker-messages.js';
import { readContainerState, readEnd } from './docker-reply.js';
import { pilotLabels } from './pilot-container.js';

const what = 'Following the events of the container engine';
/** No host has so many pilots that end; who says so costs us no more than this. */
const mostASecond = 1000;
const inspectionsAtOnce = 8;
/** So many ends at a time are looked into one by one; beyond that a look at the list is cheaper. */
const mostWaiting = 100;

/** Follows the stream of events for the ends of pilots. The engine chooses which events to send; what it sends is checked all the same. */
export async function followEnds(connection: DockerConnection, listener: EndsListener): Promise<never> {
  const { clock, deadlines } = connection;
  const stream = await openStream(connection, listener);
  const over = new AbortController();
  try {
    listener.onOpen();
    const call = { clock, what, deadlineMs: deadlines.followMs, giveUp: listener.signal };
    await callEngine(call, () => tellEnds(connection, stream, listener, over.signal));
    throw new EngineError('unreachable', `${what}: it has ended them`);
  } finally {
    over.abort();
    if (stream instanceof Readable) stream.destroy();
  }
}

function openStream(connection: DockerConnection, listener: EndsListener): Promise<NodeJS.ReadableStream> {
  const { instance, sinceWallMs, signal } = listener;
  const label = [`${pilotLabels.managed}=true`, `${pilotLabels.instance}=${instance}`];
  const filters = { type: ['container'], event: ['die'], label };
  // Nanoseconds do not fit into a number: rounded up by a hair, the moment would be after the end that was told last.
  const since = sinceWallMs === undefined ? {} : { since: Math.floor(sinceWallMs) / 1000 };
  const call = { op: 'events', what, deadlineMs: connection.deadlines.listMs, giveUp: signal } as const;
  return connection.call(call, (docker, abortSignal) => {
    const options: object = { filters, ...since, abortSignal };
    return docker.getEvents(options);
  });
}

/** Reads to the end of the stream. An end that is told again while it is looked into counts once. */
async function tellEnds(
  connection: DockerConnection,
  stream: NodeJS.ReadableStream,
  { instance, onEnd }: EndsListener,
  over: AbortSignal,
): Promise<void> {
  const inspections = pLimit(inspectionsAtOnce);
  const lookedInto = new Set<string>();
  const count = createRate(connection.clock);
  for await (const message of readMessages(stream)) {
    if (count() > mostASecond) throw new EngineError('malformed', `${what}: more than ${mostASecond} a second`);
    const end = readEnd(message, instance);
    if (end === undefined || lookedInto.has(end.id)) continue;
    if (inspections.pendingCount >= mostWaiting) {
      onEnd(end.id, end.atWallMs, undefined);
      continue;
    }
    lookedInto.add(end.id);
    void inspections(async () => {
      const how = over.aborted ? undefined : await untilListed(connection, end.id, over);
      lookedInto.delete(end.id);
      if (!over.aborted) onEnd(end.id, end.atWallMs, how);
    });
  }
}

/**
 * The engine tells of an end before it has taken down the network and the mounts of the container, and only then notes it in what the
 * list is made from. Asked about that container it answers when it is done. Whatever it answers: the next look at the list will tell. Resolves with
 * how it ended, as far as that is known.
 */
async function untilListed(
  connection: DockerConnection,
  id: string,
  giveUp: AbortSignal,
): Promise<PilotEnd | undefined> {
  const what = `Waiting for the end of pilot ${id.slice(0, 12)}`;
  const call = { op: 'inspect', what, deadlineMs: connection.deadlines.inspectMs, giveUp } as const;
  return connection
    .call(call, async (docker, abortSignal) =>
      readContainerState(await docker.getContainer(id).inspect({ abortSignal })),
    )
    .then(({ end }) => end)
    .catch(() => undefined);
}

/** Counts what happens within a second. */
function createRate(clock: Clock): () => number {
  let sinceMs = clock.now().monoMs;
  let count = 0;
  return () => {
    const { monoMs } = clock.now();
    if (monoMs - sinceMs >= 1000) [sinceMs, count] = [monoMs, 0];
    count += 1;
    return count;
  };
}
