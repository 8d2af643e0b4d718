import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { startChaosProxy, type ChaosProxy } from '../../support/chaos-proxy.js';
import type { ChaosRule, Fault } from '../../support/chaos-rules.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';
import { tempDirectory } from '../../support/temp-directory.js';

let engine: HttpEngine;
let proxy: ChaosProxy;

beforeEach(async () => {
  engine = await startHttpEngine((request, reply) => {
    if (request.url?.endsWith('/events') === true) reply.write('{"n":1}\n{"n":2}\n');
    else sendJson(reply, 200, { said: 'by the engine' });
  });
  proxy = await startChaosProxy(`${tempDirectory()}/engine.sock`, engine.host);
});

afterEach(async () => {
  await proxy.stop();
  await engine.close();
});

const said = '{"said":"by the engine"}';

interface Got {
  readonly status: number | undefined;
  readonly text: string;
  /** `closed`: cut before it was complete. `silent`: nothing more came in a while. */
  readonly end: 'complete' | 'closed' | 'silent';
}

/** Asks the proxy and takes what comes. */
function ask(path = '/v1.41/containers/json?all=1', method = 'GET', body = ''): Promise<Got> {
  return new Promise((resolve) => {
    let status: number | undefined;
    let text = '';
    const finish = (end: Got['end']) => {
      resolve({ status, text, end });
      request.destroy();
    };
    const request = http.request({ socketPath: proxy.socketPath, path, method, agent: false }, (reply) => {
      status = reply.statusCode;
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('end', () => {
        finish('complete');
      });
      reply.on('error', () => {
        finish('closed');
      });
    });
    request.on('error', () => {
      finish('closed');
    });
    request.setTimeout(300, () => {
      finish('silent');
    });
    request.end(body);
  });
}

function breakList(fault: Fault, more: Partial<ChaosRule> = {}) {
  return proxy.add({ method: 'GET', path: /^\/containers\/json$/, ...fault, ...more });
}

describe('a proxy without rules', () => {
  it('passes requests and replies on', async () => {
    await expect(ask('/v1.41/containers/create?name=x', 'POST', '{"Image":"i"}')).resolves.toEqual({
      ...{ status: 200, text: said, end: 'complete' },
    });
    expect(engine.requests).toEqual(['POST /v1.41/containers/create?name=x']);
    expect(engine.bodies).toEqual(['{"Image":"i"}']);
    expect(proxy.requests).toMatchObject([{ method: 'POST', path: '/containers/create' }]);
    expect([...(proxy.requests[0]?.phases ?? [])]).toEqual(['arrived', 'executed', 'replied']);
  });

  it('takes the connection to the engine down with that of the client', async () => {
    await expect(ask('/v1.41/events')).resolves.toMatchObject({ end: 'silent' });
    await expect.poll(() => engine.connections()).toBe(0);
  });

  it('is as an engine that ended while nobody listens', async () => {
    await proxy.leave();
    await expect(ask()).resolves.toEqual({ status: undefined, text: '', end: 'closed' });
    await proxy.comeBack();
    await expect(ask()).resolves.toMatchObject({ text: said });
  });
});

const nothing = { status: undefined, text: '' };
const ok = { status: 200, text: said };

/** What the client gets; the first column says whether the engine did what was asked. */
const faults: [boolean, string, Fault, Got][] = [
  [false, 'is closed at once', { forward: false, delivery: 'reset' }, { ...nothing, end: 'closed' }],
  [true, 'is closed once done', { forward: true, delivery: 'reset' }, { ...nothing, end: 'closed' }],
  [false, 'is half-closed at once', { forward: false, delivery: 'half-close' }, { ...nothing, end: 'closed' }],
  [true, 'is half-closed once done', { forward: true, delivery: 'half-close' }, { ...nothing, end: 'closed' }],
  [false, 'hangs', { forward: false, delivery: 'never' }, { ...nothing, end: 'silent' }],
  [true, 'hangs once done', { forward: true, delivery: 'never' }, { ...nothing, end: 'silent' }],
  [true, 'waits first', { forward: true, waitMs: 20 }, { ...ok, end: 'complete' }],
  [true, 'waits once done', { forward: true, delivery: { lateMs: 20 } }, { ...ok, end: 'complete' }],
  [true, 'stops in its headers', { forward: true, delivery: 'half-head' }, { ...nothing, end: 'closed' }],
  [true, 'stops after its headers', { forward: true, delivery: 'head-only' }, { status: 200, text: '', end: 'silent' }],
  [true, 'drips', { forward: true, delivery: { dripMs: 1 } }, { ...ok, end: 'complete' }],
  [
    true,
    'is cut',
    { forward: true, delivery: { cutAt: 5, then: 'reset' } },
    { status: 200, text: '{"sai', end: 'closed' },
  ],
  [
    true,
    'is cut before its first byte',
    { forward: true, delivery: { cutAt: 0, then: 'half-close' } },
    { status: 200, text: '', end: 'closed' },
  ],
  [
    true,
    'is short',
    { forward: true, delivery: { cutAt: 5, then: 'end' } },
    { status: 200, text: '{"sai', end: 'complete' },
  ],
  [
    false,
    'is an error of the engine',
    { forward: false, answer: { status: 500, body: '{"message":"no"}' } },
    { status: 500, text: '{"message":"no"}', end: 'complete' },
  ],
  [
    true,
    'is an error though it was done',
    { forward: true, answer: { status: 503, body: '' } },
    { status: 503, text: '', end: 'complete' },
  ],
];

describe('a request that', () => {
  it.each(faults)('reaches the engine: %s, and %s', async (reaches, _, fault, got) => {
    const rule = breakList(fault);
    await expect(ask()).resolves.toEqual(got);
    expect(rule.strikes).toBe(1);
    expect(engine.requests).toHaveLength(reaches ? 1 : 0);
    expect(rule.count('executed')).toBe(reaches ? 1 : 0);
    expect(rule.count('replied')).toBe(got.end === 'silent' ? 0 : 1);
  });

  it('waits is done even where its client has left', async () => {
    const rule = breakList({ forward: true, waitMs: 500 });
    await expect(ask()).resolves.toMatchObject({ end: 'silent' });
    expect(engine.requests).toHaveLength(0);
    await rule.reached('executed');
    expect(engine.requests).toHaveLength(1);
    await expect.poll(() => engine.connections()).toBe(0);
  });
});

describe('a stream of lines', () => {
  it.each([
    ['twice', '{"n":1}\n{"n":1}\n{"n":2}\n{"n":2}\n'],
    ['silence', ''],
  ] as const)('can come as %s', async (lines, text) => {
    proxy.add({ method: 'GET', path: /^\/events$/, forward: true, delivery: { lines } });
    await expect(ask('/v1.41/events')).resolves.toEqual({ status: 200, text, end: 'silent' });
  });

  it('can have garbage before, between and after', async () => {
    proxy.add({ method: 'GET', path: /^\/events$/, forward: true, delivery: { lines: 'garbage' } });
    const { text } = await ask('/v1.41/events');
    expect(text.split('\n').map((line) => line.includes('no JSON'))).toEqual([true, false, true, false, true, false]);
  });
});

describe('a rule', () => {
  const closed: Fault = { forward: false, delivery: 'reset' };

  it('strikes from the nth request on, as often as it was told', async () => {
    const rule = breakList(closed, { nth: 2, times: 2 });
    const ends: string[] = [];
    for (let i = 0; i < 4; i += 1) ends.push((await ask()).end);
    expect(ends).toEqual(['complete', 'closed', 'closed', 'complete']);
    expect(rule.strikes).toBe(2);
  });

  it('leaves other paths and methods alone', async () => {
    const rule = breakList(closed);
    await expect(ask('/v1.41/containers/json/x')).resolves.toMatchObject({ end: 'complete' });
    await expect(ask('/containers/json', 'DELETE')).resolves.toMatchObject({ end: 'complete' });
    expect(rule.strikes).toBe(0);
  });

  it('strikes no more when it was removed, or all were', async () => {
    const rule = breakList(closed);
    rule.remove();
    await expect(ask()).resolves.toMatchObject({ text: said });
    breakList(closed);
    proxy.heal();
    await expect(ask()).resolves.toMatchObject({ text: said });
  });

  it('holds the request at each phase until its hook lets it go', async () => {
    const seen: string[] = [];
    const onPhase: ChaosRule['onPhase'] = async (phase) => {
      await systemClock.sleep(10);
      seen.push(`${phase}, engine asked ${engine.requests.length} times`);
    };
    breakList({ forward: true }, { onPhase });
    await ask();
    await expect
      .poll(() => seen)
      .toEqual([
        ...['arrived, engine asked 0 times', 'executed, engine asked 1 times', 'replied, engine asked 1 times'],
      ]);
  });

  it('tells when so many requests have come to a phase', async () => {
    const rule = breakList({ forward: true });
    const second = rule.reached('executed', 2).then(() => engine.requests.length);
    await ask();
    await ask();
    await expect(second).resolves.toBe(2);
    await expect(rule.reached('arrived')).resolves.toBeUndefined();
  });
});
