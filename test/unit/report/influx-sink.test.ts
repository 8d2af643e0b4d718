import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInfluxSink, type InfluxSink } from '../../../src/report/influx-sink.js';
import type { Point } from '../../../src/report/line-protocol.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';

function points(...values: readonly number[]): Point[] {
  return values.map((value) => ({ series: 's', tags: {}, fields: { f: value }, atMs: 1 }));
}

describe('the InfluxDB sink', () => {
  let clock: FakeClock;
  let server: Server;
  let target = '';
  let status = 204;
  let said = '';
  /** What arrived: path and values. */
  let requests: {
    readonly path: string;
    readonly values: readonly number[];
    readonly authorization?: string | undefined;
  }[] = [];
  let troubles: string[] = [];
  let sink: InfluxSink;
  let lastSleepMs: number | undefined;

  beforeEach(async () => {
    clock = createFakeClock();
    [requests, troubles, status, said] = [[], [], 204, ''];
    server = createServer((request, answer) => {
      let text = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        requests.push({
          path: request.url ?? '',
          authorization: request.headers.authorization,
          values: [...text.matchAll(/f=([\d.]+)/g)].map((hit) => Number(hit[1])),
        });
        answer.writeHead(status, status === 302 ? { location: '/elsewhere' } : {});
        answer.end(said);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    target = `http://127.0.0.1:${(server.address() as AddressInfo).port}#m`;
    const sleep = (ms: number, signal?: AbortSignal) => {
      lastSleepMs = ms;
      return clock.sleep(ms, signal);
    };
    sink = createInfluxSink({
      targets: [target],
      clock: { now: () => clock.now(), sleep },
      onTrouble: (message) => troubles.push(message),
    });
  });
  afterEach(async () => {
    const closing = sink.close(0);
    await clock.advance(1);
    await closing;
    server.closeAllConnections();
    server.close();
  });

  const arrived = (count: number) => expect.poll(() => requests.length, { timeout: 10_000 }).toBe(count);
  /** The answer to the last request has been seen, and a pause has begun. */
  const pausing = (ms: number) => expect.poll(() => lastSleepMs, { timeout: 10_000 }).toBe(ms);
  const quiet = () => expect.poll(() => clock.sleepers, { timeout: 10_000 }).toBe(0);

  it('sends what was written in one turn in one request', async () => {
    sink.write(points(1, 2));
    sink.write(points(3));
    await arrived(1);
    expect(requests[0]).toMatchObject({ path: '/write?db=m', values: [1, 2, 3] });
  });

  it('keeps points while the server is away, tries again after growing pauses, and tells once', async () => {
    status = 503;
    sink.write(points(1));
    for (const [attempt, pauseMs] of [1000, 2000, 4000, 8000].entries()) {
      await arrived(attempt + 1);
      await pausing(pauseMs);
      await clock.advance(pauseMs - 1);
      expect(requests).toHaveLength(attempt + 1);
      await clock.advance(1);
    }
    await arrived(5);
    await pausing(16_000);
    sink.write(points(2));
    status = 204;
    await clock.advance(16_000);
    await arrived(6);
    expect(requests.at(-1)?.values).toEqual([1, 2]);
    await quiet();
    expect(troubles.map((message) => message.replace(/:\d+#/, ':PORT#'))).toEqual([
      'InfluxDB http://127.0.0.1:PORT#m cannot be written to: HTTP 503',
      'InfluxDB http://127.0.0.1:PORT#m takes points again; 0 were lost',
    ]);
  });

  it('drops the oldest points beyond ten thousand and says how many', async () => {
    status = 503;
    sink.write(points(0));
    await arrived(1);
    await pausing(1000);
    for (let block = 0; block < 11; block += 1) sink.write(points(...Array.from({ length: 1000 }, () => block)));
    status = 204;
    await clock.advance(1000);
    await arrived(2);
    expect(requests[1]?.values).toHaveLength(500);
    expect(requests[1]?.values[0]).toBe(1);
    await pausing(5000);
    await clock.advance(5000);
    await arrived(3);
    expect(requests[2]?.values).toHaveLength(9500);
    await quiet();
    expect(troubles[1]).toContain('1001 were lost');
    expect(sink.states()[0]?.points).toEqual({ written: 10_000, waiting: 0, lost: 1001 });
  });

  it('tells what waits, and at its end what it could not get rid of', async () => {
    status = 503;
    sink.write(points(1, 2));
    await arrived(1);
    await pausing(1000);
    sink.write(points(3));
    expect(sink.states()[0]?.points).toEqual({ written: 0, waiting: 3, lost: 0 });
    const closed = sink.close(0);
    await clock.advance(0);
    await closed;
    await quiet();
    expect(troubles).toHaveLength(2);
    expect(troubles[1]).toContain('is not written to any more; 3 points were lost');
  });

  it('follows no redirect and reads no endless answer', async () => {
    status = 302;
    sink.write(points(1));
    await arrived(1);
    await pausing(1000);
    [status, said] = [500, 'x'.repeat(100_000)];
    await clock.advance(1000);
    await arrived(2);
    await pausing(2000);
    expect(requests.map(({ path }) => path)).toEqual(['/write?db=m', '/write?db=m']);
    expect(troubles).toEqual([expect.stringContaining('HTTP 302')]);
  });

  it('sends what comes shortly after a request together', async () => {
    sink.write(points(1));
    await arrived(1);
    await quiet();
    sink.write(points(2));
    await pausing(5000);
    sink.write(points(3));
    await clock.advance(4999);
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    await arrived(2);
    expect(requests[1]?.values).toEqual([2, 3]);
  });

  it.each([
    ['?org=lab', '/api/v2/write?org=lab&bucket=m&precision=ns', 'Token t0ken'],
    ['?version=3', '/api/v3/write_lp?db=m&precision=nanosecond', 'Bearer t0ken'],
  ])('writes to a newer InfluxDB (%s), and asks it for no database', async (query, path, authorization) => {
    status = 404;
    sink.setTargets([target.replace('http://', 'http://:t0ken@').replace('#', `${query}#`)]);
    sink.write(points(1));
    await arrived(1);
    await pausing(1000);
    status = 204;
    await clock.advance(1000);
    await arrived(2);
    await quiet();
    expect(requests.map((request) => [request.path, request.authorization])).toEqual([
      [path, authorization],
      [path, authorization],
    ]);
    expect(troubles.map((message) => message.replace(/^.*#m \(.*?\) /, ''))).toEqual([
      'cannot be written to: HTTP 404',
      'takes points again; 0 were lost',
    ]);
  });

  it.each([
    ['a token', ':sesame%2Fopen@', '?org=lab', 'Token sesame/open'],
    ['a token in the place of the user', 'sesame%2Fopen@', '?version=3', 'Bearer sesame/open'],
    ['a password', 'ann:sesame%2Fopen@', '', `Basic ${Buffer.from('ann:sesame/open').toString('base64')}`],
    [
      'a password in the query',
      '',
      '?u=ann&p=sesame/open',
      `Basic ${Buffer.from('ann:sesame/open').toString('base64')}`,
    ],
  ])('repeats no %s that the server repeats', async (_, user, query, sent) => {
    [status, said] = [401, JSON.stringify({ message: `${sent} (sesame/open) is not known` })];
    sink.setTargets([target.replace('http://', `http://${user}`).replace('#', `${query}#`)]);
    sink.write(points(1));
    await arrived(1);
    await pausing(1000);
    expect(requests[0]?.authorization).toBe(sent);
    expect(troubles).toEqual([expect.stringMatching(/HTTP 401 \{"message":"\w+ … \(…\) is not known"\}$/)]);
    status = 500;
    await clock.advance(1000);
    await pausing(2000);
    expect(sink.states()[0]?.trouble).toMatch(/HTTP 500 \{"message":"\w+ … \(…\) is not known"\}$/);
  });

  it.each([
    ['of InfluxDB 2', 422, `${'a long story '.repeat(30)} dropped=2`, 2],
    ['of InfluxDB 3', 400, '{"data":[{"line_number":1},{"line_number":3}]}', 2],
    ['without a number', 413, 'too large', 3],
  ])('sends what was refused (%s) no more, and counts what was lost', async (_, code, words, lost) => {
    [status, said] = [code, words];
    sink.write(points(1, 2, 3));
    await arrived(1);
    await quiet();
    status = 204;
    sink.write(points(4));
    await pausing(5000);
    await clock.advance(5000);
    await arrived(2);
    await quiet();
    expect(requests[1]?.values).toEqual([4]);
    expect(troubles[1]).toContain(`; ${lost} were lost`);
    expect(sink.states()[0]?.points).toEqual({ written: 4 - lost, waiting: 0, lost });
  });

  it('gets what waits to a target that is given up', async () => {
    sink.write(points(1));
    await arrived(1);
    await quiet();
    sink.write(points(2));
    await pausing(5000);
    sink.setTargets([]);
    await arrived(2);
    await quiet();
    expect([requests[1]?.values, troubles]).toEqual([[2], []]);
  });

  it('asks for the database once per try, and only after a write that found none', async () => {
    status = 404;
    sink.write(points(1));
    await arrived(2);
    await pausing(1000);
    expect(requests.map(({ path }) => path)).toEqual(['/write?db=m', '/query']);
    expect(troubles).toEqual([expect.stringContaining('it cannot be made (HTTP 404)')]);
  });

  it('keeps what waits for a target that stays, and forgets one that goes', async () => {
    status = 503;
    sink.write(points(1));
    await arrived(1);
    await pausing(1000);
    sink.setTargets([target, 'http://127.0.0.1:1#other']);
    status = 204;
    await clock.advance(1000);
    await arrived(2);
    expect(requests[1]?.values).toEqual([1]);
    sink.setTargets([]);
    sink.write(points(2));
    await clock.advance(10_000);
    expect(requests).toHaveLength(2);
  });

  it('says which target it cannot read, without repeating it', () => {
    sink.setTargets([target, 'htps://user:geheim@db#m']);
    expect(troubles).toEqual([expect.stringContaining('target 2 is not')]);
    expect(troubles[0]).not.toContain('geheim');
  });

  it('sends what waits when it is closed, and takes nothing afterwards', async () => {
    sink.write(points(1));
    await sink.close(5000);
    sink.write(points(2));
    expect(requests.map(({ values }) => values)).toEqual([[1]]);
  });
});
