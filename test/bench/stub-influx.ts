import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What is the matter with a database. */
export type Ailment = 'nothing' | 'hangs' | 'answers 500' | 'is away';

/** Something in the place of an InfluxDB, which counts what it is given and keeps nothing. */
export interface StubInflux {
  /** The value for influxdb_url. */
  readonly target: string;
  /** Lines that it has taken. */
  lines(): number;
  /** From now on nothing is the matter with it. */
  heal(): Promise<void>;
}

export async function startStubInflux(ailment: Ailment): Promise<StubInflux> {
  let now = ailment;
  let lines = 0;
  const answer = (reply: ServerResponse, body: string) => {
    if (now === 'hangs') return;
    if (now === 'nothing') lines += body.split('\n').length - 1;
    reply.writeHead(now === 'nothing' ? 204 : 500).end();
  };
  const server = createServer((request, reply) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      answer(reply, body);
    });
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(close);
  const port = await listen(0);
  if (ailment === 'is away') await close();
  return {
    target: `http://127.0.0.1:${port}#bench`,
    lines: () => lines,
    heal: async () => {
      now = 'nothing';
      if (!server.listening) await listen(port);
    },
  };
}
