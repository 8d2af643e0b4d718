import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import type { PullProgress } from '../../../src/engine/container-engine.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { followPull } from '../../../src/engine/docker-pull.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';

const opened: HttpEngine[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

/** An engine whose pulls go as `pull` says, and that has every image afterwards. */
async function anEngine(pull: (reply: ServerResponse) => void, { hasImage = true } = {}) {
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.includes('/images/create') === true) pull(reply);
    else if (hasImage) sendJson(reply, 200, { Id: 'sha256:1' });
    else sendJson(reply, 404, { message: 'No such image' });
  });
  opened.push(server);
  const engine = createDockerEngine({
    clock: systemClock,
    host: server.host,
    registryAuthFile: '/nonexistent/config.json',
    deadlines: { pullStallMs: 1_500 },
  });
  return { server, engine };
}

function lines(reply: ServerResponse, ...messages: unknown[]): void {
  for (const message of messages) reply.write(`${JSON.stringify(message)}\r\n`);
}

const verdict = { status: 'Status: Downloaded newer image for x:1' };
const never = new AbortController().signal;

const failures: [string, string, (reply: ServerResponse) => void][] = [
  [
    'is refused before it begins',
    'refused',
    (reply) => {
      sendJson(reply, 500, { message: 'unauthorized' });
    },
  ],
  [
    'is of an unknown image',
    'not-found',
    (reply) => {
      sendJson(reply, 404, { message: 'manifest unknown' });
    },
  ],
  ['is never answered', 'timeout', () => undefined],
  [
    'falls silent',
    'timeout',
    (reply) => {
      lines(reply, { status: 'Pulling from x' });
    },
  ],
  [
    'tells an error half way',
    'refused',
    (reply) => {
      lines(reply, { status: 'Pulling' }, { errorDetail: { message: 'no space left' }, error: 'no space left' });
      reply.end();
    },
  ],
  [
    'tells an error after its verdict',
    'refused',
    (reply) => {
      lines(reply, verdict, { error: 'verification failed' });
      reply.end();
    },
  ],
  [
    'ends without a verdict',
    'malformed',
    (reply) => {
      lines(reply, { status: 'Pulling' });
      reply.end();
    },
  ],
  ['says nothing at all', 'malformed', (reply) => void reply.writeHead(200).end()],
  [
    'sends a line that is no JSON',
    'malformed',
    (reply) => {
      reply.write('<html>\n');
      lines(reply, verdict);
      reply.end();
    },
  ],
  [
    'ends in the middle of a line',
    'malformed',
    (reply) => {
      lines(reply, verdict);
      reply.end('{"status":"Dow');
    },
  ],
  [
    'is cut',
    'unreachable',
    (reply) => {
      lines(reply, { status: 'Pulling' });
      setTimeout(() => reply.socket?.destroy(), 20);
    },
  ],
  [
    'sends a line without end',
    'malformed',
    (reply) => {
      reply.end('x'.repeat(3 * 1024 * 1024));
    },
  ],
];

describe('a pull that', () => {
  it.each(failures)('%s has failed (%s)', async (_, kind, pull) => {
    const { engine, server } = await anEngine(pull);
    const pulling = engine.pullImage('x:1', () => undefined, never);
    await expect(pulling).rejects.toMatchObject({ name: 'EngineError', kind });
    await expect.poll(() => server.connections()).toBe(0);
  });

  it('ends well but brings no image has failed', async () => {
    const { engine } = await anEngine(
      (reply) => {
        lines(reply, verdict);
        reply.end();
      },
      { hasImage: false },
    );
    await expect(engine.pullImage('x:1', () => undefined, never)).rejects.toMatchObject({ kind: 'malformed' });
  });

  it('nobody wants any more is given up at once', async () => {
    const giveUp = new AbortController();
    const { engine, server } = await anEngine((reply) => {
      lines(reply, { status: 'Pulling' });
      setTimeout(() => {
        giveUp.abort();
      }, 20);
    });
    await expect(engine.pullImage('x:1', () => undefined, giveUp.signal)).rejects.toThrow('Pulling x:1: given up');
    await expect.poll(() => server.connections()).toBe(0);
  });

  it('goes on telling something may take longer than a silent one', async () => {
    const { engine } = await anEngine((reply) => {
      let left = 6;
      const timer = setInterval(() => {
        left -= 1;
        lines(reply, left > 0 ? { status: 'Extracting' } : verdict);
        if (left > 0) return;
        clearInterval(timer);
        reply.end();
      }, 100);
    });
    await expect(engine.pullImage('x:1', () => undefined, never)).resolves.toBeUndefined();
  });

  it('goes well is one, also when a letter comes in two pieces', async () => {
    const { engine } = await anEngine((reply) => {
      const bytes = Buffer.from(`{"status":"Grüße"}\n${JSON.stringify(verdict)}\n`);
      const middle = bytes.indexOf(0xc3) + 1;
      reply.write(bytes.subarray(0, middle));
      setTimeout(() => reply.end(bytes.subarray(middle)), 20);
    });
    await expect(engine.pullImage('x:1', () => undefined, never)).resolves.toBeUndefined();
  });
});

describe('progress', () => {
  it('adds up the layers, and a layer counts once', async () => {
    const told: PullProgress[] = [];
    const { engine } = await anEngine((reply) => {
      lines(
        reply,
        { id: 'a', status: 'Downloading', progressDetail: { current: 10, total: 100 } },
        { id: 'b', status: 'Downloading', progressDetail: { current: 50, total: 50 } },
        { id: 'a', status: 'Download complete' },
        { id: 'a', status: 'Extracting', progressDetail: { current: 5, total: 100 } },
      );
      setTimeout(() => {
        lines(reply, verdict);
        reply.end();
      }, 150);
    });
    await engine.pullImage('x:1', (progress) => told.push(progress), never);
    expect(told.at(-1)).toEqual({ doneBytes: 150, totalBytes: 150, status: verdict.status });
  });
});

describe('the address of a pull', () => {
  it.each([
    ['busybox', 'fromImage=busybox&tag=latest'],
    ['registry.example:5000/group/worker:v2', 'fromImage=registry.example%3A5000%2Fgroup%2Fworker&tag=v2'],
    [`x:1@sha256:${'a'.repeat(64)}`, `fromImage=x&tag=sha256%3A${'a'.repeat(64)}`],
  ])('takes %s apart', async (reference, query) => {
    const { engine, server } = await anEngine((reply) => {
      lines(reply, verdict);
      reply.end();
    });
    await engine.pullImage(reference, () => undefined, never);
    expect(server.requests).toContain(`POST /v1.41/images/create?${query}`);
  });

  it('is never made of what is no image reference', async () => {
    const { engine, server } = await anEngine((reply) => {
      lines(reply, verdict);
      reply.end();
    });
    await expect(engine.pullImage('x?a=b', () => undefined, never)).rejects.toMatchObject({ kind: 'refused' });
    await expect(engine.findImage('../containers')).rejects.toMatchObject({ kind: 'refused' });
    expect(server.requests).toEqual([]);
  });
});

it('a pull that tells of progress without end is over after two hours', async () => {
  const clock = createFakeClock();
  const stream = new PassThrough();
  const pulling = followPull(stream, {
    clock,
    what: 'Pulling x:1',
    stallMs: 120_000,
    longestMs: 7_200_000,
    giveUp: never,
    onProgress: () => undefined,
  });
  let failure: unknown;
  pulling.catch((error: unknown) => (failure = error));
  let minutes = 0;
  while (failure === undefined && minutes < 200) {
    stream.write(`${JSON.stringify({ status: 'Downloading', id: 'a' })}\n`);
    await new Promise(setImmediate);
    await clock.advance(60_000);
    minutes += 1;
  }
  expect(failure).toMatchObject({ kind: 'timeout' });
  expect(minutes).toBe(120);
});
