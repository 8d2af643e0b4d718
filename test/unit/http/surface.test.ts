import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../../src/clock.js';
import type { Wish } from '../../../src/http/answers.js';
import { openSurface, type SurfaceOptions } from '../../../src/http/surface.js';
import { createMetrics } from '../../../src/report/metrics.js';
import { aStatus } from '../../support/a-status.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { freePort } from '../../support/free-port.js';
import { tempDirectory } from '../../support/temp-directory.js';

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

function ask(
  where: http.RequestOptions,
  path: string,
  { method = 'GET', headers = {}, body = '' } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...where, path, method, headers, agent: false }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('end', () => {
        resolve({ status: reply.statusCode ?? 0, body: text, headers: reply.headers });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

type Facts = SurfaceOptions['facts'];

function open(
  facts: Partial<Facts> = {},
  path = join(tempDirectory(), 'http.sock'),
  { clock = systemClock, ask: put }: { readonly clock?: Clock; readonly ask?: () => Promise<void> } = {},
) {
  const troubles: string[] = [];
  const wishes: Wish[] = [];
  const metrics = createMetrics({ version: '1', clock: systemClock });
  const surface = openSurface({
    clock,
    facts: { status: () => aStatus(), hangs: () => undefined, metrics: () => Promise.resolve(metrics), ...facts },
    journalFolder: join(tempDirectory(), 'journal'),
    socketPath: path,
    checkToken: (token) => Promise.resolve(token === 'sesame' ? 'right' : 'wrong'),
    ask: (wish) => {
      wishes.push(wish);
      return put?.() ?? Promise.resolve();
    },
    onTrouble: (message) => troubles.push(message),
  });
  onTestFinished(() => surface.close());
  const get = (url: string, options?: Parameters<typeof ask>[2]) => ask({ socketPath: path }, url, options);
  return { surface, troubles, wishes, path, get, listening: () => expect.poll(() => existsSync(path)).toBe(true) };
}

describe('the socket', () => {
  it('answers what a daemon is asked', async () => {
    const { get, listening, path } = open();
    await listening();
    await expect.poll(() => (statSync(path).mode & 0o777).toString(8)).toBe('600');
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get('/readyz?x=1')).toMatchObject({ status: 200, body: 'ok\n' });
    const page = await get('/');
    expect(page.headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const { body, headers } = await get('/api/v1/status');
    expect(JSON.parse(body)).toMatchObject({ kind: 'Status', running: true, overdue: false, hostname: 'wn042' });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    const figures = await get('/metrics');
    expect(figures.headers['content-type']).toContain('version=0.0.4');
    expect(figures.body).toMatch(/^plancton_up 1$/m);
    expect(await get('/healthz', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it.each<[string, Partial<Facts>, string, string]>([
    ['whose loop hangs', { hangs: () => 'no cycle has ended for 99 s' }, '/healthz', 'no cycle has ended for 99 s'],
    ['that has just come', { status: () => undefined }, '/healthz', 'no cycle has ended yet'],
    [
      'without an engine',
      { status: () => aStatus({ health: 'waiting', trouble: 'no engine' }) },
      '/readyz',
      'no engine',
    ],
    [
      'that may start nothing',
      { status: () => aStatus({ gates: [{ gate: 'policy', most: 0, text: 'there is no policy' }] }) },
      '/readyz',
      'there is no policy',
    ],
    ['that is drained', { status: () => aStatus({ mode: 'drain' }) }, '/readyz', 'mode drain'],
  ])('says so of a daemon %s', async (_, facts, path, text) => {
    const { get, listening } = open(facts);
    await listening();
    expect(await get(path)).toMatchObject({ status: 503, body: `${text}\n` });
  });

  it('refuses everything else plainly', async () => {
    const { get, listening, wishes } = open({ metrics: () => Promise.reject(new Error('secret')) });
    await listening();
    expect(await get('/nothing')).toMatchObject({ status: 404, body: expect.stringContaining('/healthz') as string });
    const list = expect.stringMatching(
      /\/api\/v1\/events, and by POST \/api\/v1\/drain and \/api\/v1\/resume/,
    ) as string;
    expect(await get('/nothing', { method: 'POST' })).toMatchObject({ status: 404, body: list });
    expect(await get('/api/v1/events', { method: 'HEAD' })).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(await get('/../etc/passwd')).toMatchObject({ status: 404 });
    expect(await get('/healthz', { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await get('/metrics')).toMatchObject({ status: 500, body: 'a bug in plancton\n' });
    const large = { method: 'GET', headers: { 'content-length': '10000000' }, body: 'x'.repeat(10_000_000) };
    // Who goes on sending may see the connection break before the answer.
    const answer = await get('/healthz', large).catch(() => ({ status: 413 }));
    expect(answer.status).toBe(413);
    expect(await get('/api/v1/drain', { method: 'POST', headers: { 'content-length': '1' }, body: 'x' })).toMatchObject(
      {
        status: 413,
      },
    );
    expect((await get('/healthz')).status).toBe(200);
    expect(wishes).toEqual([]);
  });

  it('takes wishes, which nobody but root can bring here', async () => {
    const { get, listening, wishes } = open();
    await listening();
    expect(JSON.parse((await get('/api/v1/status')).body)).toMatchObject({ control: 'yes' });
    expect(await get('/api/v1/drain', { method: 'POST' })).toMatchObject({ status: 202, body: '{"asked":"drain"}\n' });
    expect(await get('/api/v1/resume', { method: 'POST' })).toMatchObject({ status: 202 });
    expect(await get('/api/v1/drain')).toMatchObject({ status: 405 });
    expect(wishes).toEqual(['drain', 'active']);
  });

  it('says why a wish cannot be put down', async () => {
    const ask = () => Promise.reject(new Error('cannot write /run/plancton/drain: is there space?'));
    const { get, listening } = open({}, undefined, { ask });
    await listening();
    const answer = await get('/api/v1/drain', { method: 'POST' });
    expect(answer).toMatchObject({ status: 503, body: 'cannot write /run/plancton/drain: is there space?\n' });
  });

  it('takes no wishes from pages of others, to whom a tunnel may lead, and answers to no name of theirs', async () => {
    const { get, listening, wishes } = open();
    await listening();
    const host = 'localhost:9107';
    for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
      expect(await get('/api/v1/drain', { method: 'POST', headers: { host, ...headers } })).toMatchObject({
        status: 403,
      });
    }
    expect(await get('/healthz', { headers: { host: 'evil.example' } })).toMatchObject({ status: 421 });
    expect(await get('/healthz', { headers: { host: 'plancton' } })).toMatchObject({ status: 200 });
    expect(wishes).toEqual([]);
    const own = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect(await get('/api/v1/drain', { method: 'POST', headers: own })).toMatchObject({ status: 202 });
  });

  it('answers what is asked ahead on a connection neither at once nor at all, and keeps no place for it', async () => {
    const { listening, path, get } = open();
    await listening();
    const request = (url: string) => `GET ${url} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const socket = net.connect(path).on('error', () => undefined);
    socket.write(request('/healthz') + request('/api/v1/events').repeat(8));
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard.match(/200 OK/g)).toHaveLength(1);
    const watcher = http.get({ socketPath: path, path: '/api/v1/events', agent: false });
    const reply = await new Promise<http.IncomingMessage>((resolve) => watcher.once('response', resolve));
    expect(reply.statusCode).toBe(200);
    watcher.destroy();
    expect((await get('/healthz')).status).toBe(200);
  });

  it('takes the place of one that a killed daemon has left, and of nothing else', async () => {
    const path = join(tempDirectory(), 'http.sock');
    const before = net.createServer().listen(path);
    await new Promise((resolve) => before.once('listening', resolve));
    const { get } = open({}, path);
    await expect.poll(() => get('/healthz').then(({ body }) => body)).toBe('ok\n');
    before.close();

    const taken = join(tempDirectory(), 'http.sock');
    writeFileSync(taken, 'mine');
    const { troubles, surface } = open({}, taken);
    await expect.poll(() => troubles).toEqual([expect.stringContaining('nobody can look at this daemon at')]);
    expect(surface.trouble()).toContain('EADDRINUSE');
  });

  it('is not held up by many that say nothing', async () => {
    const { get, listening, path } = open();
    await listening();
    const idle = Array.from({ length: 200 }, () => net.connect(path).on('error', () => undefined));
    await expect.poll(() => idle.filter(({ destroyed, closed }) => destroyed || closed).length).toBeGreaterThan(100);
    const answered = () =>
      get('/healthz').then(
        ({ status }) => status,
        () => 0,
      );
    // They are still there when somebody else is answered: those that say nothing for long are sent away.
    await expect.poll(answered, { timeout: 30_000, interval: 500 }).toBe(200);
    for (const socket of idle) socket.destroy();
  }, 60_000);

  it('ends every connection in time, also of those that do not read what they have asked for', async () => {
    const path = join(tempDirectory(), 'http.sock');
    const clock = createFakeClock();
    open({}, path, { clock });
    await expect.poll(() => existsSync(path)).toBe(true);
    const socket = net.connect(path).on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    let isClosed = false;
    socket.once('close', () => (isClosed = true));
    await expect
      .poll(async () => {
        await clock.advance(10_000);
        return isClosed;
      })
      .toBe(true);
  });

  it('is made anew when its folder was', async () => {
    const folder = join(tempDirectory(), 'run');
    mkdirSync(folder);
    const clock = createFakeClock();
    const path = join(folder, 'http.sock');
    const { surface } = open({}, path, { clock });
    await expect.poll(() => existsSync(path)).toBe(true);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    surface.show(aStatus(), undefined);
    expect(existsSync(path)).toBe(false);
    await clock.advance(30_000);
    surface.show(aStatus(), undefined);
    await expect.poll(() => existsSync(path)).toBe(true);
  });

  it('is gone when it is closed', async () => {
    const { surface, listening, path } = open();
    await listening();
    await surface.close();
    expect(existsSync(path)).toBe(false);
  });
});

describe('the address', () => {
  it('is listened on while it is wanted', async () => {
    const port = await freePort();
    const { surface } = open();
    const get = () =>
      ask({ host: '127.0.0.1', port }, '/healthz')
        .then(({ status }) => status)
        .catch(() => 0);
    expect(await get()).toBe(0);
    surface.show(aStatus(), `127.0.0.1:${port}`);
    await expect.poll(get).toBe(200);
    surface.show(aStatus(), `127.0.0.1:${port}`);
    expect(await get()).toBe(200);
    surface.show(aStatus(), undefined);
    await expect.poll(get).toBe(0);
  });

  it('answers to its own names only', async () => {
    const port = await freePort();
    const { surface } = open();
    surface.show(aStatus(), `127.0.0.1:${port}`);
    const as = (host: string) => ask({ host: '127.0.0.1', port }, '/healthz', { headers: { host } });
    await expect
      .poll(() =>
        as(`localhost:${port}`)
          .then(({ status }) => status)
          .catch(() => 0),
      )
      .toBe(200);
    expect(await as('LOCALHOST:19107')).toMatchObject({ status: 200 });
    for (const host of ['evil.example.org', `evil.example.org:${port}`, 'localhost.evil.example.org']) {
      expect(await as(host)).toMatchObject({ status: 421 });
    }
  });

  it('takes wishes with the token of this host only', async () => {
    const port = await freePort();
    const { surface, wishes } = open();
    surface.show(aStatus(), `127.0.0.1:${port}`);
    const post = (headers: Record<string, string> = {}) =>
      ask({ host: '127.0.0.1', port }, '/api/v1/drain', { method: 'POST', headers });
    await expect
      .poll(() =>
        post().then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(401);
    expect((await post()).headers['www-authenticate']).toBe('Bearer');
    for (const authorization of ['Bearer ', 'Bearer other', 'Basic sesame', 'sesame', 'Bearer sesame x']) {
      expect(await post({ authorization })).toMatchObject({ status: 401 });
    }
    expect(wishes).toEqual([]);
    expect(await post({ authorization: 'Bearer sesame' })).toMatchObject({ status: 202 });
    expect(wishes).toEqual(['drain']);
  });

  it('that is taken is said', async () => {
    const port = await freePort();
    const other = net.createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const { surface, troubles } = open();
    surface.show(aStatus(), `127.0.0.1:${port}`);
    await expect.poll(() => troubles.join()).toContain('EADDRINUSE');
    expect(surface.trouble()).toContain('EADDRINUSE');
    surface.show(aStatus(), undefined);
    expect(surface.trouble()).toBeUndefined();
  });
});
