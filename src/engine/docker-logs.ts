import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { EngineError, type LogListener, type LogTail } from './container-engine.js';
import { callEngine } from './docker-call.js';
import type { DockerConnection } from './docker-connection.js';
import { readContainerState } from './docker-reply.js';

const headerBytes = 8;
/** The engine cuts lines into pieces of 16 KiB. */
const largestFrame = 1024 * 1024;

const whatOf = (id: string) => `Reading the log of pilot ${id.slice(0, 12)}`;

/** The end of what a container has written. */
export async function logTail(connection: DockerConnection, id: string, tail: LogTail): Promise<string> {
  const call = { op: 'logs', what: whatOf(id), deadlineMs: connection.deadlines.logMs } as const;
  const reply: unknown = await connection.call(call, (docker, abortSignal) => {
    return docker.getContainer(id).logs({ stdout: true, stderr: true, tail: tail.lines, follow: false, abortSignal });
  });
  // Of an empty log there is an empty text.
  const bytes = Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply));
  const kept: string[] = [];
  for await (const text of readTexts([bytes])) kept.push(text);
  return endOf(kept.join(''), tail.maxBytes);
}

/** Follows what a container writes, until it has ended; a stream that ends before is opened again where it was. */
export async function followLog(connection: DockerConnection, id: string, listener: LogListener): Promise<void> {
  let heardWallMs: number | undefined;
  const onText = (text: string) => {
    heardWallMs = connection.clock.now().wallMs;
    listener.onText(text);
  };
  let from: LogStart = { tail: listener.lines };
  do {
    const stream = await openLog(connection, id, from, listener.signal);
    heardWallMs ??= connection.clock.now().wallMs;
    await readOn(connection, id, stream, { ...listener, onText });
    // What was written in the same second may come twice; that is better than not at all.
    from = { since: Math.floor(heardWallMs / 1000) };
  } while (await isAlive(connection, id));
}

/** The last so many lines, or all since a moment in seconds since 1970. */
type LogStart = { readonly tail: number } | { readonly since: number };

function openLog(
  connection: DockerConnection,
  id: string,
  from: LogStart,
  giveUp: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  const opening = { op: 'logs', what: whatOf(id), deadlineMs: connection.deadlines.logMs, giveUp } as const;
  return connection.call(opening, (docker, abortSignal) => {
    return docker.getContainer(id).logs({ stdout: true, stderr: true, ...from, follow: true, abortSignal });
  });
}

/** Until the stream ends, or has been open for as long as one may be. */
async function readOn(
  { clock, deadlines }: DockerConnection,
  id: string,
  stream: NodeJS.ReadableStream,
  { onText, signal }: Pick<LogListener, 'onText' | 'signal'>,
): Promise<void> {
  const call = { clock, what: whatOf(id), deadlineMs: deadlines.followMs, giveUp: signal };
  try {
    await callEngine(call, async () => {
      for await (const text of readTexts(stream)) onText(text);
    });
  } catch (error) {
    const isLong = error instanceof EngineError && error.kind === 'timeout' && !signal.aborted;
    if (!isLong) throw error;
  } finally {
    if (stream instanceof Readable) stream.destroy();
  }
}

async function isAlive(connection: DockerConnection, id: string): Promise<boolean> {
  const call = { op: 'inspect', what: whatOf(id), deadlineMs: connection.deadlines.inspectMs } as const;
  try {
    const { status } = await connection.call(call, async (docker, abortSignal) =>
      readContainerState(await docker.getContainer(id).inspect({ abortSignal })),
    );
    return status === 'running' || status === 'paused' || status === 'restarting';
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not-found') return false;
    throw error;
  }
}

/** No more than the last `maxBytes`, whole characters and, if there is one in it, from the beginning of a line on. */
function endOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  // The bytes that go on with a character look like 10xxxxxx.
  let from = bytes.length - maxBytes;
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
  const end = bytes.subarray(from).toString();
  const line = end.indexOf('\n') + 1;
  return line === end.length ? end : end.slice(line);
}

/**
 * What both streams of a container say, in order. The engine wraps each piece: which stream (0 to 2), three zeroes, its length in four bytes. Of a
 * container with a terminal there is one stream, and nothing is wrapped. Throws an EngineError (malformed) for pieces out of reason.
 */
export async function* readTexts(
  chunks: AsyncIterable<Buffer | string> | Iterable<Buffer | string>,
): AsyncGenerator<string, void> {
  const decoders = [0, 1, 2].map(() => new StringDecoder('utf8'));
  let rest: Buffer = Buffer.alloc(0);
  let isWrapped: boolean | undefined;
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, typeof chunk === 'string' ? Buffer.from(chunk) : chunk]);
    if (rest.length >= headerBytes) isWrapped ??= looksWrapped(rest);
    if (isWrapped === undefined) continue;
    const { texts, left } = isWrapped ? unwrap(rest, decoders) : { texts: [decode(decoders, 0, rest)], left: 0 };
    rest = left === 0 ? Buffer.alloc(0) : rest.subarray(rest.length - left);
    yield* texts;
  }
  // Less than a header cannot be wrapped; after pieces it is one that was cut.
  if (isWrapped === undefined && rest.length > 0) yield rest.toString();
}

function looksWrapped(bytes: Buffer): boolean {
  return (bytes[0] ?? 0) <= 2 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
}

function decode(decoders: readonly StringDecoder[], stream: number, bytes: Buffer): string {
  return decoders[stream]?.write(bytes) ?? '';
}

/** The whole pieces; `left`: bytes at the end that are not one yet. */
function unwrap(bytes: Buffer, decoders: readonly StringDecoder[]) {
  const texts: string[] = [];
  let at = 0;
  while (bytes.length - at >= headerBytes) {
    const header = bytes.subarray(at, at + headerBytes);
    const length = header.readUInt32BE(4);
    if (!looksWrapped(header) || length > largestFrame) {
      throw new EngineError(
        'malformed',
        'The container engine sent something strange where the log of a pilot was expected',
      );
    }
    if (bytes.length - at - headerBytes < length) break;
    texts.push(decode(decoders, header[0] ?? 0, bytes.subarray(at + headerBytes, at + headerBytes + length)));
    at += headerBytes + length;
  }
  return { texts, left: bytes.length - at };
}
