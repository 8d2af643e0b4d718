import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import { answer, LIVE_PATH, text, type Answer, type Facts, type Rights } from './answers.js';
import type { ShownState } from '../report/shown.js';
import type { Live } from './live.js';

export interface ListenerOptions {
  readonly clock: Clock;
  readonly facts: Facts;
  readonly live: Live;
  readonly mayAsk: (request: IncomingMessage) => boolean;
  readonly control: (request: IncomingMessage) => Promise<ShownState['control']>;
  readonly ask: Rights['ask'];
}

/** Whoever is slower than this, or more than so many, is sent away. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const CHECK_MS = 5_000;
const LONGEST_MS = 20_000;
const MOST_CONNECTIONS = 64;

/** For every answer. The page uses nothing but our own files, and nobody else's page uses ours. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': [
    "default-src 'none'",
    ...['script-src', 'style-src', 'img-src', 'connect-src'].map((kind) => `${kind} 'self'`),
    ...['base-uri', 'form-action', 'frame-ancestors'].map((kind) => `${kind} 'none'`),
  ].join('; '),
};

/** One server, which answers from the facts. */
export function createListener(options: ListenerOptions): Server {
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: 8192,
  };
  const watching = new WeakSet<Socket>();
  const server = createServer(limits, (request, reply) => {
    if (mayWatch(options, request)) {
      watching.add(request.socket);
      watch(options.live, reply);
    } else void serve(options, request, reply);
  });
  server.maxConnections = MOST_CONNECTIONS;
  // What is asked ahead would be answered all at once, and kept for somebody who does not read.
  server.maxRequestsPerSocket = 1;
  server.on('connection', (socket: Socket) => {
    limitLife(socket, options.clock, watching);
  });
  return server;
}

/** The deadlines of the server are for what it is sent; who does not read what it sends would stay for ever. Watchers are limited where they are told. */
function limitLife(socket: Socket, clock: Clock, watching: WeakSet<Socket>): void {
  const closed = new AbortController();
  socket.once('close', () => {
    closed.abort();
  });
  void clock.sleep(LONGEST_MS, closed.signal).then(() => {
    if (!watching.has(socket)) socket.destroy();
  });
}

/** Whether a request brings something, which nobody asked for. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0] ?? '';
}

function isForLive(request: IncomingMessage): boolean {
  return request.method === 'GET' && pathOf(request) === LIVE_PATH;
}

function mayWatch({ live, mayAsk }: ListenerOptions, request: IncomingMessage): boolean {
  return isForLive(request) && mayAsk(request) && !hasBody(request) && !live.isFull;
}

function watch(live: Live, reply: ServerResponse): void {
  reply.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
  live.add(reply);
}

/** Browsers say where what changes something comes from; programs do not. */
function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'] ?? 'same-origin';
  const { host = '', origin = `http://${host}` } = headers;
  return site === 'same-origin' && origin === `http://${host}`;
}

async function choose(options: ListenerOptions, request: IncomingMessage): Promise<Answer> {
  const { facts, mayAsk, control, ask } = options;
  if (!mayAsk(request)) return text(421, 'this is not a name of this server');
  if (request.method === 'POST' && !isFromOwnPage(request))
    return text(403, 'this was sent by a page of somebody else');
  if (hasBody(request)) return text(413, 'no request has a body here');
  if (isForLive(request)) return text(503, 'too many are watching already');
  try {
    return await answer(facts, { control: () => control(request), ask }, request.method ?? '', pathOf(request));
  } catch {
    return text(500, 'a bug in plancton');
  }
}

async function serve(options: ListenerOptions, request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const { status, contentType, body, allow } = await choose(options, request);
  reply.writeHead(status, {
    ...HEADERS,
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
    ...(allow === undefined ? {} : { Allow: allow }),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  });
  reply.end(request.method === 'HEAD' ? '' : body, () => {
    // What is still being sent to us is not read to its end.
    if (hasBody(request)) request.destroy();
  });
}
