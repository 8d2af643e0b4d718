import { createReadStream } from 'node:fs';
import http from 'node:http';
import type { Clock } from '../../clock.js';
import { CliError, exitCodes } from '../exit-codes.js';

const deadlineMs = 120_000;

/** Where requests to an engine go; TLS is left to those who have set it up with their own tools. */
function addressOf(engineHost: string): http.RequestOptions {
  if (engineHost.startsWith('unix://')) return { socketPath: engineHost.slice('unix://'.length) };
  const { hostname, port } = new URL(engineHost.replace(/^tcp:/, 'http:'));
  return { hostname, port: port === '' ? '2375' : port };
}

function post(engineHost: string, path: string, tarFile: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-tar' };
    const request = http.request({ ...addressOf(engineHost), method: 'POST', path, headers, signal }, (reply) => {
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', (part: string) => {
        text += part;
      });
      reply.on('error', reject);
      reply.on('end', () => {
        // Errors after the first byte come inside a reply that began with 200.
        if (reply.statusCode === 200 && !text.includes('"error"')) resolve(text);
        else reject(new Error(text.trim() || `the engine answered ${String(reply.statusCode)}`));
      });
    });
    request.on('error', reject);
    createReadStream(tarFile).on('error', reject).pipe(request);
  });
}

/** Makes an image of one layer from a tar file. Throws a CliError (69) with what the engine said. */
export async function importImage(engineHost: string, tarFile: string, reference: string, clock: Clock): Promise<void> {
  const [repo = reference, tag = 'latest'] = reference.split(':');
  const giveUp = new AbortController();
  const done = new AbortController();
  void clock.sleep(deadlineMs, done.signal).then(() => {
    giveUp.abort();
  });
  try {
    const query = new URLSearchParams({ fromSrc: '-', repo, tag });
    await post(engineHost, `/images/create?${query.toString()}`, tarFile, giveUp.signal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.unavailable, `the engine took no image ${reference}: ${why}`, { cause: error });
  } finally {
    done.abort();
  }
}
