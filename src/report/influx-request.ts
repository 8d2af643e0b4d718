import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../clock.js';
import type { InfluxTarget } from './influx-target.js';

/** What a server answered; of its text only the beginning. */
export interface InfluxReply {
  readonly status: number;
  readonly text: string;
}

/** Posts points to the database. Rejects when no answer comes within five seconds, or when `signal` gives up. */
export function postPoints(target: InfluxTarget, lines: readonly string[], clock: Clock, signal: AbortSignal) {
  return post(target, target.writePath, `${lines.join('\n')}\n`, clock, signal);
}

/** Asks the server to make the database; fine when it is there. Rejects like `postPoints`. */
export function postCreateDatabase(target: InfluxTarget, clock: Clock, signal: AbortSignal) {
  const name = target.database.replace(/["\\]/g, '\\$&');
  return post(target, '/query', `q=${encodeURIComponent(`CREATE DATABASE "${name}"`)}`, clock, signal);
}

const deadlineMs = 5000;
const longestReply = 4096;

async function post(
  target: InfluxTarget,
  path: string,
  body: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<InfluxReply> {
  const done = new AbortController();
  // Not AbortSignal.any: each request would leave a little in a signal that lives on.
  const abandon = new AbortController();
  const giveUp = () => {
    abandon.abort();
  };
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  const late = new AbortController();
  void clock.sleep(deadlineMs, done.signal).then(() => {
    if (done.signal.aborted) return;
    late.abort();
    giveUp();
  });
  try {
    return await exchange(target, path, body, abandon.signal);
  } catch (error) {
    throw late.signal.aborted ? new Error(`no answer within ${deadlineMs} ms`) : error;
  } finally {
    signal.removeEventListener('abort', giveUp);
    done.abort();
  }
}

/** A connection of its own: at one exchange in half a minute, keeping one open gains nothing and may find it closed. */
function exchange(target: InfluxTarget, path: string, body: string, signal: AbortSignal): Promise<InfluxReply> {
  const options: https.RequestOptions = {
    method: 'POST',
    agent: false,
    signal,
    rejectUnauthorized: target.verifyTls,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      ...(target.authorization === undefined ? {} : { authorization: target.authorization }),
    },
  };
  return new Promise((resolve, reject) => {
    const request = target.baseUrl.startsWith('https:') ? https.request : http.request;
    const sent = request(`${target.baseUrl}${path}`, options, (answer) => {
      let text = '';
      const finish = () => {
        resolve({ status: answer.statusCode ?? 0, text: text.slice(0, longestReply) });
      };
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length <= longestReply) return;
        finish();
        answer.destroy();
      });
      answer.on('end', finish);
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
