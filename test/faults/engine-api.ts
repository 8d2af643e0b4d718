import http from 'node:http';

/** No answer in time. */
export class EngineTimeout extends Error {}

interface Options {
  readonly body?: object | undefined;
  /** Without one an answer is waited for however long it takes. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Asks an engine at `unix:///...` directly, past any proxy. Rejects on a status of 400 and above. */
export function askEngine(
  host: string,
  method: string,
  path: string,
  { body, deadlineMs, signal }: Options = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socketPath = host.slice('unix://'.length);
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const options = { socketPath, method, path, headers, agent: false };
    const request = http.request({ ...options, ...(signal === undefined ? {} : { signal }) }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('error', reject);
      reply.on('end', () => {
        if ((reply.statusCode ?? 500) < 400) resolve(text === '' ? undefined : JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${text}`));
      });
    });
    request.on('error', reject);
    if (deadlineMs !== undefined) request.setTimeout(deadlineMs, () => request.destroy(new EngineTimeout(path)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
