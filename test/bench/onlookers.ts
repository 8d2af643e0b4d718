import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { HTTP_SOCKET } from '../../src/http/surface.js';

const scrapeSeconds = 15;

/** Who looks at a daemon by HTTP: somebody whose browser shows the page, and a Prometheus. */
export interface Onlookers {
  /** Characters that the page was told so far. */
  told(): number;
  /** Replies that Prometheus has had so far. */
  scrapes(): number;
  stop(): void;
}

async function ask(where: http.RequestOptions, path: string): Promise<IncomingMessage> {
  const request = http.get({ ...where, path, agent: false });
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  if (reply.statusCode !== 200) throw new Error(`${path}: HTTP ${reply.statusCode ?? ''}`);
  return reply;
}

async function readAll(reply: IncomingMessage): Promise<void> {
  reply.resume();
  await once(reply, 'end');
}

/**
 * Opens the page at `address`, which asks what it asks and then follows what happens, and scrapes the socket in `runDir`. They leave with the bench at
 * the latest.
 */
export async function bringOnlookers(runDir: string, address: string): Promise<Onlookers> {
  const [host = '', port = ''] = address.split(':');
  const page = { host, port };
  const socket = { socketPath: join(runDir, HTTP_SOCKET), headers: { host: 'plancton' } };
  const left = new AbortController();
  const stop = () => {
    left.abort();
  };
  onTestFinished(stop);
  for (const path of ['/', '/api/v1/status', '/api/v1/history']) await readAll(await ask(page, path));
  let told = 0;
  const live = await ask({ ...page, signal: left.signal }, '/api/v1/events');
  live.on('data', (chunk: Buffer) => (told += chunk.length));
  live.on('error', () => undefined);
  let scrapes = 0;
  void (async () => {
    while (!left.signal.aborted) {
      await readAll(await ask(socket, '/metrics'));
      scrapes += 1;
      await systemClock.sleep(scrapeSeconds * 1000, left.signal);
    }
  })();
  return { told: () => told, scrapes: () => scrapes, stop };
}
