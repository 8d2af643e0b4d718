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
  const call = { what: whatOf(id), deadlineMs: connection.deadlines.logMs };
  const reply: unknown = await connection.call(call, (docker, abortSignal) => {
    return docker.getContainer(id).logs({ ...question(tail.lines), follow: false, abortSignal });
  });
  // Of an empty log there is an empty text.
  const bytes = Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply));
  const kept: string[] = [];
  for await (const text of readTexts([bytes])) kept.push(text);
  return endOf(kept.join(''), tail.maxBytes);
}

/** Follows what a container writes, until it has ended; what takes longer than one request may is asked for again. */
export async function followLog(connection: DockerConnection, id: string, listener: LogListener): Promise<void> {
  let { lines } = listener;
  for (;;) {
    try {
      await followOnce(connection, id, { ...listener, lines });
      return;
    } catch (error) {
      const isOver = error instanceof EngineError && error.kind === 'timeout' && !listener.signal.aborted;
      const { status } = isOver ? await stateOf(connection, id) : { status: '' };
      if (status !== 'running' && status !== 'paused') throw error;
      lines = 0;
    }
  }
}

async function stateOf(connection: DockerConnection, id: string): Promise<{ readonly status: string }> {
  const call = { what: whatOf(id), deadlineMs: connection.deadlines.inspectMs };
  return connection.call(call, async (docker, abortSignal) =>
    readContainerState(await docker.getContainer(id).inspect({ abortSignal })),
  );
}

async function followOnce(connection: DockerConnection, id: string, listener: LogListener): Promise<void> {
  const { clock, deadlines } = connection;
  const { lines, onText, signal } = listener;
  const what = whatOf(id);
  const opening = { what, deadlineMs: deadlines.logMs, giveUp: signal };
  const stream = await connection.call(opening, (docker, abortSignal) => {
    return docker.getContainer(id).logs({ ...question(lines), follow: true, abortSignal });
  });
  try {
    await callEngine({ clock, what, deadlineMs: deadlines.followMs, giveUp: signal }, async () => {
      for await (const text of readTexts(stream)) onText(text);
    });
  } finally {
    if (stream instanceof Readable) stream.destroy();
  }
}

function question(lines: number) {
  return { stdout: true, stderr: true, tail: lines };
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
