import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { readTexts } from '../../../src/engine/docker-logs.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';

const id = 'a'.repeat(64);
const opened: HttpEngine[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

function piece(stream: number, text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

async function textOf(...chunks: readonly (Buffer | string)[]): Promise<string> {
  const texts: string[] = [];
  for await (const text of readTexts(chunks)) texts.push(text);
  return texts.join('');
}

function stateOf(Status: string): object {
  const times = { StartedAt: '2026-01-01T00:00:00Z', FinishedAt: '2026-01-01T00:00:09Z' };
  return { State: { Status, Pid: 0, ExitCode: 0, OOMKilled: false, Error: '', ...times } };
}

/** An engine whose logs are these bytes, in these pieces, each time; `states`: of the container, one for each question. */
async function anEngine(replies: readonly Buffer[], states: readonly string[] = ['exited']) {
  const left = [...states];
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.endsWith('/json') === true) {
      sendJson(reply, 200, stateOf(left.shift() ?? 'exited'));
      return;
    }
    reply.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    for (const bytes of replies) reply.write(bytes);
    reply.end();
  });
  opened.push(server);
  const options = { clock: systemClock, registryAuthFile: '/nonexistent', deadlines: { logMs: 2000 } };
  const questions = () => server.requests.filter((request) => request.includes('/logs'));
  return { server, questions, engine: createDockerEngine({ ...options, host: server.host }) };
}

describe('the text of a log', () => {
  const wrapped = Buffer.concat([piece(1, 'one\n'), piece(2, 'zwölf\n'), piece(1, '')]);

  it('is that of both streams, in order, in whatever pieces it comes', async () => {
    expect(await textOf(wrapped)).toBe('one\nzwölf\n');
    for (let at = 0; at <= wrapped.length; at += 1) {
      expect(await textOf(wrapped.subarray(0, at), wrapped.subarray(at))).toBe('one\nzwölf\n');
    }
    expect(await textOf(...[...wrapped].map((byte) => Buffer.from([byte])))).toBe('one\nzwölf\n');
  });

  it('has whole characters where the engine has cut one', async () => {
    const [head, tail] = [Buffer.from('ö').subarray(0, 1), Buffer.from('ö').subarray(1)];
    expect(await textOf(piece(1, head), piece(2, 'x'), piece(1, tail))).toBe('xö');
  });

  it('is taken as it is where the container has a terminal', async () => {
    expect(await textOf('all of it in one piece\r\n', 'and another')).toBe('all of it in one piece\r\nand another');
    expect(await textOf('hi\n')).toBe('hi\n');
    expect(await textOf()).toBe('');
  });

  it('ends where it is cut', async () => {
    expect(await textOf(wrapped.subarray(0, -12))).toBe('one\n');
  });

  it('is refused where the pieces are out of reason', async () => {
    const huge = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    await expect(textOf(huge)).rejects.toMatchObject({ kind: 'malformed' });
    await expect(textOf(piece(1, 'a'), Buffer.from('no header'))).rejects.toMatchObject({ kind: 'malformed' });
  });
});

describe('the end of a log', () => {
  it('has no more bytes than were asked for, and begins with a line and with a whole character', async () => {
    const { engine, server } = await anEngine([piece(1, 'first line\nsecond ö\n'), piece(2, 'third\n')]);
    const tail = (maxBytes: number) => engine.logTail(id, { lines: 7, maxBytes });
    expect(await tail(100)).toBe('first line\nsecond ö\nthird\n');
    expect(await tail(20)).toBe('second ö\nthird\n');
    expect(await tail(8)).toBe('third\n');
    expect(await tail(4)).toBe('ird\n');
    expect(server.requests.at(-1)).toMatch(/\/logs\?.*tail=7/);
  });

  it('does not begin in the middle of a character', async () => {
    const { engine } = await anEngine([piece(1, 'xöö')]);
    expect(await engine.logTail(id, { lines: 1, maxBytes: 3 })).toBe('ö');
  });

  it('is that of an engine that says it cannot read it', async () => {
    const server = await startHttpEngine((_, reply) => {
      sendJson(reply, 501, { message: 'configured logging driver does not support reading' });
    });
    opened.push(server);
    const engine = createDockerEngine({ clock: systemClock, host: server.host, registryAuthFile: '/nonexistent' });
    const message = expect.stringContaining('does not support reading') as string;
    await expect(engine.logTail(id, { lines: 1, maxBytes: 9 })).rejects.toMatchObject({ kind: 'refused', message });
  });
});

describe('a log that is followed', () => {
  it('is told in pieces, until the container ends', async () => {
    const { engine, questions } = await anEngine([piece(1, 'one\n'), piece(2, 'two\n')]);
    const texts: string[] = [];
    const { signal } = new AbortController();
    await engine.followLog(id, { lines: 5, onText: (text) => texts.push(text), signal });
    expect(texts.join('')).toBe('one\ntwo\n');
    expect(questions()).toEqual([expect.stringMatching(/\/logs\?.*tail=5.*follow=true|\/logs\?.*follow=true.*tail=5/)]);
  });

  it('is asked for again from where it was when its stream ends before the container', async () => {
    const { engine, questions } = await anEngine([piece(1, 'one\n')], ['running', 'exited']);
    const texts: string[] = [];
    const { signal } = new AbortController();
    await engine.followLog(id, { lines: 5, onText: (text) => texts.push(text), signal });
    expect(texts.join('')).toBe('one\none\n');
    expect(questions()[1]).toMatch(/since=\d{10}/);
  });

  it('is given up when nobody wants it any more, and leaves nothing open', async () => {
    const stop = new AbortController();
    const server = await startHttpEngine((_, reply) => {
      reply.write(piece(1, 'one\n'));
    });
    opened.push(server);
    const engine = createDockerEngine({ clock: systemClock, host: server.host, registryAuthFile: '/nonexistent' });
    const onText = () => {
      stop.abort();
    };
    const following = engine.followLog(id, { lines: 5, onText, signal: stop.signal });
    await expect(following).rejects.toMatchObject({ kind: 'timeout' });
    await expect.poll(() => server.connections()).toBe(0);
  });
});
