import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { systemClock } from '../../src/clock.js';
import type { Delivery } from './chaos-rules.js';

/** A reply as it would be without any fault. */
export interface Source {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Readable;
}

type Piece = Buffer | string;

/** Gives the client what the fault leaves of a reply. Resolves to whether that is all there will be; `never` and stalls do not end. */
export async function deliver(reply: ServerResponse, source: Source, delivery: Delivery): Promise<boolean> {
  switch (delivery) {
    case 'never':
      return false;
    case 'reset':
    case 'half-close':
      return close(reply, delivery);
    case 'half-head':
      reply.socket?.write(`HTTP/1.1 ${source.status} OK\r\nContent-Le`);
      return close(reply, 'reset');
    case 'head-only':
      writeHead(reply, source.status, source.headers);
      return false;
    case 'whole':
      writeHead(reply, source.status, source.headers);
      return send(reply, source.body);
    default:
      return deliverSpoilt(reply, source, delivery);
  }
}

async function deliverSpoilt(
  reply: ServerResponse,
  { status, headers, body }: Source,
  delivery: Extract<Delivery, object>,
): Promise<boolean> {
  if ('lateMs' in delivery) await systemClock.sleep(delivery.lateMs);
  const changesLength = 'lines' in delivery || ('cutAt' in delivery && delivery.then === 'end');
  writeHead(reply, status, changesLength ? { ...headers, 'content-length': undefined } : headers);
  if ('cutAt' in delivery) return cut(reply, body, delivery);
  if ('dripMs' in delivery) return send(reply, drip(body, delivery.dripMs));
  if ('lines' in delivery) return sendLines(reply, body, delivery.lines);
  return send(reply, body);
}

/** Headers go out at once: a stream may have nothing to tell for long. */
function writeHead(reply: ServerResponse, status: number, headers: OutgoingHttpHeaders): void {
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.setHeader(name, value);
  reply.writeHead(status);
  reply.flushHeaders();
}

function close(reply: ServerResponse, how: 'reset' | 'half-close'): boolean {
  if (how === 'reset') reply.socket?.destroySoon();
  else reply.socket?.end();
  return true;
}

async function send(reply: ServerResponse, pieces: AsyncIterable<Piece>): Promise<boolean> {
  for await (const piece of pieces) await write(reply, piece);
  if (reply.destroyed) return false;
  const finished = once(reply, 'finish');
  reply.end();
  await finished;
  return true;
}

/** Waits for a slow client; rejects when it has left. */
async function write(reply: ServerResponse, piece: Piece): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    reply.write(piece, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

async function cut(
  reply: ServerResponse,
  body: AsyncIterable<Buffer>,
  { cutAt, then }: Extract<Delivery, { cutAt: number }>,
): Promise<boolean> {
  let left = cutAt;
  if (left > 0) {
    for await (const chunk of body) {
      await write(reply, chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
  }
  if (then !== 'end') return close(reply, then);
  return send(reply, nothing());
}

async function* nothing(): AsyncGenerator<Piece> {
  // Ends at once.
}

async function* drip(body: AsyncIterable<Buffer>, everyMs: number): AsyncGenerator<Piece> {
  for await (const chunk of body) {
    for (const byte of chunk) {
      yield Buffer.of(byte);
      await systemClock.sleep(everyMs);
    }
  }
}

async function sendLines(
  reply: ServerResponse,
  body: AsyncIterable<Buffer>,
  change: 'twice' | 'garbage' | 'silence',
): Promise<boolean> {
  if (change === 'garbage') await write(reply, garbage);
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    if (change === 'silence') continue;
    for (const line of lines) await write(reply, `${line}\n${change === 'twice' ? `${line}\n` : garbage}`);
  }
  return send(reply, nothing());
}

const garbage = '{"status": %%% \u0000 no JSON\n';
