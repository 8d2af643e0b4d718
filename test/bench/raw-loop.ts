import http from 'node:http';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { pilotLabels } from '../../src/engine/pilot-container.js';
import { tempDirectory } from '../support/temp-directory.js';
import { benchSite, ctl } from './bench-site.js';
import { startCountingProxy } from './counting-proxy.js';
import { waitFor } from './measure.js';

/** A create request, to be sent again and again. */
type CreateBody = Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> };

/** What a daemon with these settings asks the engine for, word for word, but as of another Plancton and from `image`. */
export async function recordCreateBody(
  settings: Readonly<Record<string, unknown>>,
  image: string,
  dockerHost = inject('dockerHost'),
): Promise<CreateBody> {
  const proxy = await startCountingProxy(join(tempDirectory(), 'proxy.sock'), dockerHost);
  onTestFinished(() => proxy.stop());
  const site = benchSite({ ...settings, max_docks: 1 }, { dockerHost: proxy.host });
  await ctl(site, 'start');
  await waitFor('a pilot was asked for', 60_000, () => proxy.createBodies.length > 0);
  await ctl(site, 'force-stop');
  const body = JSON.parse(proxy.createBodies[0] ?? '') as CreateBody;
  return { ...body, Image: image, Labels: { ...body.Labels, [pilotLabels.instance]: 'raw' } };
}

/** The plainest way there is to an engine: requests and nothing else. Its connections end with the bench. */
export interface RawLoop {
  /** Creates and starts `count` containers, `atATime` side by side; resolves to their ids once all were started. */
  fill(count: number, atATime: number): Promise<readonly string[]>;
  remove(ids: readonly string[]): Promise<void>;
}

export function rawLoop(body: CreateBody, dockerHost = inject('dockerHost')): RawLoop {
  const agent = new http.Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
  });
  const socketPath = dockerHost.slice('unix://'.length);
  const text = JSON.stringify(body);
  const ask = (method: string, path: string, sent = '') => askEngine({ agent, socketPath, method, path }, sent);

  async function createAndStart(): Promise<string> {
    const { Id } = JSON.parse(await ask('POST', '/containers/create', text)) as { readonly Id: string };
    await ask('POST', `/containers/${Id}/start`);
    return Id;
  }

  async function fill(count: number, atATime: number): Promise<readonly string[]> {
    const ids: string[] = [];
    let left = count;
    async function worker(): Promise<void> {
      while (left > 0) {
        left -= 1;
        ids.push(await createAndStart());
      }
    }
    await Promise.all(Array.from({ length: atATime }, worker));
    return ids;
  }

  return {
    fill,
    remove: async (ids) => {
      for (const id of ids) await ask('DELETE', `/containers/${id}?force=1&v=1`);
    },
  };
}

function askEngine(options: http.RequestOptions, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers =
      body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const request = http.request({ ...options, headers }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('end', () => {
        if ((reply.statusCode ?? 500) < 400) resolve(text);
        else reject(new Error(`${options.method ?? ''} ${options.path ?? ''}: ${text}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
