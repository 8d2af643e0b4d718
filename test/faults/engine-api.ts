import http from 'node:http';

/** Asks an engine at `unix:///...` directly, past any proxy. Rejects on a status of 400 and above. */
export function askEngine(host: string, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: host.slice('unix://'.length), method, path, agent: false };
    const request = http.request(options, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('error', reject);
      reply.on('end', () => {
        if ((reply.statusCode ?? 500) < 400) resolve(text === '' ? undefined : JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${text}`));
      });
    });
    request.on('error', reject);
    request.end();
  });
}
