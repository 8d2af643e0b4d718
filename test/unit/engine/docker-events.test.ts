import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { pilotLabels } from '../../../src/engine/pilot-container.js';
import type { PilotEnd } from '../../../src/model.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';

const opened: HttpEngine[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

const idOf = (number: number) => number.toString(16).padStart(64, '0');
const labels = { [pilotLabels.managed]: 'true', [pilotLabels.instance]: 'test' };

function die(id = idOf(1), overrides: object = {}): object {
  return {
    Type: 'container',
    Action: 'die',
    Actor: { ID: id, Attributes: { ...labels, exitCode: '0' } },
    timeNano: 1_767_225_600_123_000_000,
    ...overrides,
  };
}

function lines(reply: ServerResponse, ...messages: unknown[]): void {
  for (const message of messages) reply.write(`${JSON.stringify(message)}\n`);
}

/** Follows an engine whose events go as `events` says, and which answers inspections as `inspect` does. */
async function follow(
  events: (reply: ServerResponse) => void,
  {
    inspect = (reply: ServerResponse) => {
      sendJson(reply, 404, { message: 'No such container' });
    },
    sinceWallMs = undefined as number | undefined,
  } = {},
) {
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.includes('/events') === true) events(reply);
    else inspect(reply);
  });
  opened.push(server);
  const engine = createDockerEngine({
    clock: systemClock,
    host: server.host,
    registryAuthFile: '/nonexistent',
    deadlines: { listMs: 3000 },
  });
  const stop = new AbortController();
  const told: [string, number, PilotEnd | undefined][] = [];
  let open = 0;
  const ended: Promise<unknown> = engine
    .followEnds({
      instance: 'test',
      sinceWallMs,
      onOpen: () => (open += 1),
      onEnd: (...end) => told.push(end),
      signal: stop.signal,
    })
    .catch((error: unknown) => error);
  const inspections = () => server.requests.filter((request) => request.endsWith('/json')).length;
  return { server, told, ended, stop, inspections, opened: () => open };
}

const broken: [string, string, (reply: ServerResponse) => void][] = [
  [
    'is refused',
    'refused',
    (reply) => {
      sendJson(reply, 500, { message: 'no events today' });
    },
  ],
  ['is not answered', 'timeout', () => undefined],
  ['ends', 'unreachable', (reply) => void reply.writeHead(200).end()],
  [
    'is cut',
    'unreachable',
    (reply) => {
      reply.write('{"Type":');
      setTimeout(() => reply.socket?.destroy(), 20);
    },
  ],
  ['is no JSON', 'malformed', (reply) => void reply.write('<html>\n')],
  ['is a list', 'malformed', (reply) => void reply.write('[1]\n')],
  ['sends a line without end', 'malformed', (reply) => void reply.write('x'.repeat(3 * 1024 * 1024))],
  [
    'names no container',
    'malformed',
    (reply) => {
      lines(reply, { Type: 'container', Action: 'die' });
    },
  ],
  [
    'names a container by a path',
    'malformed',
    (reply) => {
      lines(reply, die('../../images/json'));
    },
  ],
  [
    'knows no time',
    'malformed',
    (reply) => {
      lines(reply, die(idOf(1), { timeNano: 'now' }));
    },
  ],
];

describe('a stream of events that', () => {
  it.each(broken)('%s is given up (%s), and nothing was told', async (_, kind, events) => {
    const { ended, server, told } = await follow(events);
    await expect(ended).resolves.toMatchObject({ name: 'EngineError', kind });
    await expect.poll(() => server.connections()).toBe(0);
    expect(told).toEqual([]);
  });

  it('tells ends in any pieces tells each of them', async () => {
    const { told, opened: open } = await follow((reply) => {
      const text = [1, 2, 3].map((number) => `${JSON.stringify(die(idOf(number)))}\n`).join('');
      reply.write(text.slice(0, 50));
      setTimeout(() => reply.write(text.slice(50, -60)), 20);
      setTimeout(() => reply.write(text.slice(-60)), 40);
    });
    await expect.poll(() => told.map(([id]) => id).sort()).toEqual([1, 2, 3].map(idOf));
    expect(told[0]?.[1]).toBeCloseTo(1_767_225_600_123, 0);
    expect(open()).toBe(1);
  });

  it('tells of other things, or of what is not ours, tells nothing', async () => {
    const foreign = { ID: idOf(7), Attributes: { ...labels, [pilotLabels.instance]: 'another' } };
    const { told, inspections } = await follow((reply) => {
      lines(
        reply,
        die(idOf(7), { Action: 'start' }),
        die(idOf(7), { Type: 'image' }),
        die(idOf(7), { Actor: foreign }),
        die(idOf(7), { Actor: { ID: idOf(7), Attributes: {} } }),
        die(idOf(1)),
      );
    });
    await expect.poll(() => told.map(([id]) => id)).toEqual([idOf(1)]);
    expect(inspections()).toBe(1);
  });

  it('has nothing to tell goes on, until nobody wants it any more', async () => {
    const {
      ended,
      stop,
      server,
      opened: open,
    } = await follow((reply) => {
      reply.flushHeaders();
    });
    await expect.poll(open).toBe(1);
    stop.abort();
    await expect(ended).resolves.toMatchObject({ kind: 'timeout' });
    await expect.poll(() => server.connections()).toBe(0);
  });

  it('floods is given up, after few questions', async () => {
    const flood = Array.from({ length: 20_000 }, (_, number) => `${JSON.stringify(die(idOf(number)))}\n`).join('');
    const { ended, inspections, server } = await follow((reply) => void reply.write(flood));
    await expect(ended).resolves.toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('more than 1000 a second') as string,
    });
    await expect.poll(() => server.connections()).toBe(0);
    expect(inspections()).toBeLessThan(1000);
  });
});

describe('an end', () => {
  it('is told only when the engine can say how, which is when it lists it', async () => {
    let answer: () => void = () => undefined;
    const { told, inspections } = await follow(
      (reply) => {
        lines(reply, die());
      },
      {
        inspect: (reply) => {
          answer = () => {
            sendJson(reply, 200, {});
          };
        },
      },
    );
    await expect.poll(inspections).toBe(1);
    expect(told).toEqual([]);
    answer();
    await expect.poll(() => told.length).toBe(1);
  });

  it('is told with how it came, as far as the engine tells', async () => {
    const State = {
      ...{ Status: 'exited', Pid: 0, ExitCode: 3, OOMKilled: false, Error: '' },
      ...{ StartedAt: '2026-01-01T00:00:00Z', FinishedAt: '2026-01-01T00:00:09Z' },
    };
    const inspect = (reply: ServerResponse) => {
      sendJson(reply, 200, { State });
    };
    const { told } = await follow(
      (reply) => {
        lines(reply, die());
      },
      { inspect },
    );
    const startedWallMs = Date.UTC(2026, 0, 1);
    const end = { exitCode: 3, oomKilled: false, startedWallMs, finishedWallMs: startedWallMs + 9000 };
    await expect.poll(() => told.map(([, , how]) => how)).toEqual([end]);
  });

  it('is looked into once when it is told again meanwhile', async () => {
    const { told, inspections } = await follow((reply) => {
      lines(reply, die(), die(), die());
    });
    await expect.poll(() => told.length).toBe(1);
    expect(inspections()).toBe(1);
  });

  it('is told all the same when the engine does not answer', async () => {
    const { told } = await follow(
      (reply) => {
        lines(reply, die());
      },
      {
        inspect: (reply) => {
          sendJson(reply, 500, { message: 'busy' });
        },
      },
    );
    await expect.poll(() => told.length).toBe(1);
  });
});

describe('the question', () => {
  it('asks for the ends of our containers only, from a moment on', async () => {
    const { server } = await follow(
      (reply) => {
        reply.flushHeaders();
      },
      { sinceWallMs: 1_767_225_600_123 },
    );
    await expect.poll(() => server.requests.some((request) => request.includes('/events'))).toBe(true);
    const url = server.requests.find((request) => request.includes('/events'))?.split(' ')[1] ?? '';
    const query = new URL(url, 'http://engine').searchParams;
    expect(query.get('since')).toBe('1767225600.123');
    expect(JSON.parse(query.get('filters') ?? '')).toEqual({
      type: ['container'],
      event: ['die'],
      label: [`${pilotLabels.managed}=true`, `${pilotLabels.instance}=test`],
    });
  });
});
