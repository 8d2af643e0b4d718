import { once } from 'node:events';
import http from 'node:http';

/** Stands between a client and the engine, passes everything on and remembers what was asked. */
export interface CountingProxy {
  /** The value for DOCKER_HOST. */
  readonly host: string;
  /** `GET /containers/json` and the like, without API version, query and ids, in order. */
  readonly calls: readonly string[];
  /** Bodies of the requests to create a container. */
  readonly createBodies: readonly string[];
  stop(): Promise<void>;
}

/** `dockerHost` is `unix:///...`. */
export async function startCountingProxy(socketPath: string, dockerHost: string): Promise<CountingProxy> {
  const engineSocket = dockerHost.slice('unix://'.length);
  const calls: string[] = [];
  const createBodies: string[] = [];
  const server = http.createServer((request, reply) => {
    const { method = 'GET', url = '/', headers } = request;
    calls.push(`${method} ${kindOf(url)}`);
    if (kindOf(url) === '/containers/create') {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => createBodies.push(body));
    }
    const onward = http.request({ socketPath: engineSocket, path: url, method, headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      // The stream of events may say nothing for long, and its head must arrive nevertheless.
      reply.flushHeaders();
      answer.pipe(reply);
    });
    onward.on('error', () => reply.destroy());
    reply.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    host: `unix://${socketPath}`,
    calls,
    createBodies,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The path of a request without API version, query and ids. */
export function kindOf(url: string): string {
  const path = url.split('?')[0] ?? '';
  return path.replace(/^\/v[\d.]+/, '').replace(/\/[0-9a-f]{64}/, '/ID');
}
