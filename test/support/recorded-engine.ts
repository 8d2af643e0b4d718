import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'engine-replies');

/** A reply of a real engine (20.10.24), byte for byte. */
export interface RecordedReply {
  readonly raw: Buffer;
  /** Up to and with the empty line. */
  readonly head: string;
  /** Without the framing of chunks. */
  readonly body: Buffer;
}

export function readRecordedReply(name: string): RecordedReply {
  const raw = readFileSync(join(fixtures, `${name}.http`));
  const end = raw.indexOf('\r\n\r\n') + 4;
  const head = raw.subarray(0, end).toString();
  const body = raw.subarray(end);
  return { raw, head, body: isChunked(head) ? unchunk(body) : body };
}

/** The reply with less of its body, framed as if that were all of it. */
export function withBody({ head }: RecordedReply, body: Buffer): Buffer {
  const length = `Content-Length: ${body.length}`;
  if (!isChunked(head)) return Buffer.concat([Buffer.from(head.replace(/Content-Length: \d+/, length)), body]);
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  const chunk = body.length === 0 ? [] : [size, body, Buffer.from('\r\n')];
  return Buffer.concat([Buffer.from(head), ...chunk, Buffer.from('0\r\n\r\n')]);
}

function isChunked(head: string): boolean {
  return head.includes('Transfer-Encoding: chunked');
}

function unchunk(framed: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < framed.length;) {
    const begin = framed.indexOf('\r\n', at) + 2;
    const end = begin + parseInt(framed.subarray(at, begin).toString(), 16);
    chunks.push(framed.subarray(begin, end));
    at = end + 2;
  }
  return Buffer.concat(chunks);
}

/** Gives the recorded replies, one a connection, and other bytes where it is told to. */
export interface RecordedEngine {
  readonly host: string;
  /** First lines of the requests so far: `GET /version HTTP/1.1`. */
  readonly requests: readonly string[];
  /** From now on these bytes are the reply to such requests. `stays`: the connection is not closed after them. */
  answer(request: RegExp, bytes: Buffer, options?: { readonly stays?: boolean }): void;
  close(): Promise<void>;
}

export async function startRecordedEngine(): Promise<RecordedEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'plancton-recorded-engine-'));
  const path = join(dir, 'docker.sock');
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let answered: { readonly request: RegExp; readonly bytes: Buffer; readonly stays: boolean } = {
    ...{ request: /^$/, bytes: Buffer.alloc(0), stays: false },
  };
  const reply = (socket: Socket, line: string) => {
    requests.push(line);
    if (!answered.request.test(line)) socket.end(readRecordedReply(usualReply(line)).raw);
    else if (answered.stays) socket.write(answered.bytes);
    else socket.end(answered.bytes);
  };
  const server = net.createServer((socket) => {
    let text = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const began = isWhole(text);
      text += chunk.toString();
      if (!began && isWhole(text)) reply(socket, text.slice(0, text.indexOf('\r\n')));
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    host: `unix://${path}`,
    requests,
    answer: (request, bytes, { stays = false } = {}) => {
      answered = { request, bytes, stays };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n');
  const length = Number(/^content-length: (\d+)/im.exec(request)?.[1] ?? 0);
  return end >= 0 && request.length >= end + 4 + length;
}

function usualReply(line: string): string {
  if (/^DELETE .*\/images\//.test(line)) return 'image-deleted';
  if (/\/images\/[^ ]*\/tag\b/.test(line)) return 'tagged';
  if (line.includes('/images/json')) return 'image-list';
  if (line.includes('/images/site/pilot')) return 'image-marked';
  if (/^DELETE|\/(start|stop|pause|unpause) /.test(line)) return 'done';
  if (line.includes('/images/create')) return 'pull';
  if (line.includes('/images/')) return 'image';
  if (line.includes('/containers/create')) return 'create';
  if (line.includes('/containers/json')) return 'list';
  return /\/(version|info|events|stats)\b/.exec(line)?.[1] ?? 'inspect-running';
}
