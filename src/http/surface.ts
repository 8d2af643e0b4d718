import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import { answer, type Answer, type Facts } from './answers.js';
import { Door } from './door.js';

/** In the run directory. */
export const HTTP_SOCKET = 'http.sock';

/** Where people and programs look at one daemon, by HTTP. */
export interface Surface {
  /** To be called now and then: opens again what was closed or could not be opened. `address`: besides the socket, `127.0.0.1:PORT`; undefined: none. */
  tend(address: string | undefined): void;
  /** Why it is not all there; undefined: it is. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface SurfaceOptions {
  readonly clock: Clock;
  readonly facts: Facts;
  /** Made new; in a folder that is ours alone. */
  readonly socketPath: string;
  /** Told when it cannot listen. Must not throw. */
  readonly onTrouble: (message: string) => void;
}

/** Whoever is slower than this, or more than so many, is sent away. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const CHECK_MS = 5_000;
const LONGEST_MS = 20_000;
const MOST_CONNECTIONS = 64;

/** One server, which answers from the facts. */
function createListener({ facts, clock }: SurfaceOptions, mayAsk: (request: IncomingMessage) => boolean): Server {
  const options = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: 8192,
  };
  const server = createServer(options, (request, reply) => {
    void serve(facts, request, reply, mayAsk(request));
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    limitLife(socket, clock);
  });
  return server;
}

/** The deadlines of the server are for what it is sent; who does not read what it sends would stay for ever. */
function limitLife(socket: Socket, clock: Clock): void {
  const closed = new AbortController();
  socket.once('close', () => {
    closed.abort();
  });
  void clock.sleep(LONGEST_MS, closed.signal).then(() => socket.destroy());
}

/** Whether a request brings something, which nobody asked for. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function refusal(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

async function choose(facts: Facts, request: IncomingMessage, mayAsk: boolean): Promise<Answer> {
  if (!mayAsk) return refusal(421, 'this is not a name of this server');
  if (hasBody(request)) return refusal(413, 'no request has a body here');
  return answer(facts, request.method ?? '', request.url ?? '').catch(() => refusal(500, 'a bug in plancton'));
}

async function serve(facts: Facts, request: IncomingMessage, reply: ServerResponse, mayAsk: boolean): Promise<void> {
  const { status, contentType, body } = await choose(facts, request, mayAsk);
  reply.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'",
    // One question a connection: what is asked ahead would have to be kept.
    Connection: 'close',
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  reply.end(request.method === 'HEAD' ? '' : body, () => {
    // What is still being sent to us is not read to its end.
    if (hasBody(request)) request.destroy();
  });
}

const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * A page of somebody else's in a browser of this host may ask for any name that it has pointed here; only ours are answered. On whatever port: a
 * tunnel has another one.
 */
function isNamed({ headers }: IncomingMessage): boolean {
  return OWN_NAMES.includes((headers.host ?? '').toLowerCase().replace(/:\d+$/, ''));
}

class LocalSurface implements Surface {
  readonly #options: SurfaceOptions;
  readonly #socket: Door;
  #address: { readonly text: string; readonly door: Door } | undefined;

  constructor(options: SurfaceOptions) {
    this.#options = options;
    const { clock, socketPath, onTrouble } = options;
    const make = () => createListener(options, () => true);
    this.#socket = new Door({ clock, make, where: { path: socketPath }, onTrouble });
    this.#socket.tend();
  }

  tend(address: string | undefined): void {
    this.#socket.tend();
    if (address !== this.#address?.text) {
      void this.#address?.door.close();
      this.#address = address === undefined ? undefined : { text: address, door: this.#doorAt(address) };
    }
    this.#address?.door.tend();
  }

  trouble(): string | undefined {
    return this.#socket.trouble() ?? this.#address?.door.trouble();
  }

  async close(): Promise<void> {
    await Promise.all([this.#socket.close(), this.#address?.door.close()]);
  }

  #doorAt(address: string): Door {
    const { clock, onTrouble } = this.#options;
    const [host = '', port = ''] = address.split(':');
    const make = () => createListener(this.#options, isNamed);
    return new Door({ clock, make, where: { host, port: Number(port) }, onTrouble });
  }
}

/** Opens the socket at once. Never throws: a daemon that nobody can look at works all the same. */
export function openSurface(options: SurfaceOptions): Surface {
  return new LocalSurface(options);
}
