import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Handler = (request: IncomingMessage, reply: ServerResponse, body: string) => void;

/** Something on a Unix socket that speaks HTTP as it likes, in place of an engine. */
export interface HttpEngine {
  readonly host: string;
  /** Every request so far, as `METHOD /path?query`. */
  readonly requests: string[];
  /** Bodies of those requests. */
  readonly bodies: string[];
  /** Connections open now. */
  connections(): number;
  close(): Promise<void>;
}

/** Answers `GET /version` by itself, with API 1.41 unless told otherwise; everything else is up to `handle`. */
export async function startHttpEngine(
  handle: Handler,
  { version = { ApiVersion: '1.41', MinAPIVersion: '1.12' } }: { readonly version?: object } = {},
): Promise<HttpEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'plancton-http-engine-'));
  const socketPath = join(dir, 'docker.sock');
  const requests: string[] = [];
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
      bodies.push(body);
      if (request.url === '/version') sendJson(reply, 200, version);
      else handle(request, reply, body);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    host: `unix://${socketPath}`,
    requests,
    bodies,
    connections: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function sendJson(reply: ServerResponse, status: number, value: unknown): void {
  reply.writeHead(status, { 'Content-Type': 'application/json' });
  reply.end(JSON.stringify(value));
}
