import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import type { ContainerEngine } from '../../../src/engine/container-engine.js';
import type { EngineDeadlines } from '../../../src/engine/docker-connection.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { pilotLabels, toCreateOptions, type Labels } from '../../../src/engine/pilot-container.js';
import { aSpec } from '../../support/builders.js';
import { sendJson, startHttpEngine, type Handler, type HttpEngine } from '../../support/http-engine.js';

const ownership = { instance: 'test', adoptOriginal: false };
const deadlines: EngineDeadlines = {
  versionMs: 2000,
  infoMs: 2000,
  listMs: 400,
  inspectMs: 400,
  logMs: 400,
  createMs: 400,
  startMs: 400,
  stopMs: 400,
  removeMs: 1500,
  dropImageMs: 400,
  followMs: 60_000,
  pullStallMs: 400,
  pullMs: 60_000,
};
const opened: HttpEngine[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function anEngine(handle: Handler, options: { readonly version?: object } = {}) {
  const server = await startHttpEngine(handle, options);
  opened.push(server);
  return { server, engine: connect(server.host) };
}

function connect(host: string) {
  return createDockerEngine({ clock: systemClock, host, registryAuthFile: '/nonexistent/config.json', deadlines });
}

/** The ways a reply to a list can go wrong after the engine said 200. */
const brokenReplies: [string, string, (reply: ServerResponse) => void][] = [
  ['is never answered', 'timeout', () => undefined],
  [
    'stalls after its headers',
    'timeout',
    (reply) => {
      reply.writeHead(200).flushHeaders();
    },
  ],
  ['stalls in its body', 'timeout', (reply) => void reply.writeHead(200).write('[{"Id"')],
  [
    'drips without end',
    'timeout',
    (reply) => {
      const timer = setInterval(() => reply.write(' '), 20);
      reply.on('close', () => {
        clearInterval(timer);
      });
    },
  ],
  [
    'is cut in its body',
    'unreachable',
    (reply) => {
      reply.writeHead(200, { 'Content-Length': 1000 }).write('[{"Id"');
      setTimeout(() => reply.socket?.destroy(), 20);
    },
  ],
  [
    'is cut in a chunked body',
    'unreachable',
    (reply) => {
      reply.writeHead(200).write('[]');
      setTimeout(() => reply.socket?.destroy(), 20);
    },
  ],
  [
    'ends half way through',
    'unreachable',
    (reply) => {
      reply.writeHead(200, { 'Content-Length': 1000 }).write('[{"Id"');
      setTimeout(() => reply.socket?.end(), 20);
    },
  ],
  ['is cut before its headers', 'unreachable', (reply) => reply.socket?.destroy()],
  ['is empty', 'malformed', (reply) => void reply.writeHead(200).end()],
  ['is null', 'malformed', (reply) => void reply.writeHead(200).end('null')],
  ['is a web page', 'malformed', (reply) => void reply.writeHead(200).end('<html>Log in</html>')],
  ['is half of one', 'malformed', (reply) => void reply.writeHead(200).end('[{"Id":"a"')],
  ['is an object', 'malformed', (reply) => void reply.writeHead(200).end('{}')],
  ['has one strange entry', 'malformed', (reply) => void reply.writeHead(200).end('[{"Id":7}]')],
  ['is not HTTP', 'malformed', (reply) => reply.socket?.end('SSH-2.0-OpenSSH\r\n')],
  [
    'is an error',
    'refused',
    (reply) => {
      sendJson(reply, 500, { message: 'layer store is broken' });
    },
  ],
  ['is an error without words', 'refused', (reply) => void reply.writeHead(502).end()],
];

describe('a list that', () => {
  it.each(brokenReplies)('%s is a failure (%s), never "no pilots"', async (_, kind, answer) => {
    const { engine, server } = await anEngine((_request, reply) => {
      answer(reply);
    });
    await expect(engine.listPilots(ownership)).rejects.toMatchObject({ name: 'EngineError', kind });
    await expect.poll(() => server.connections()).toBe(0);
  });

  it('is refused tells what the engine said', async () => {
    const { engine } = await anEngine((_, reply) => {
      sendJson(reply, 500, { message: 'layer store is broken' });
    });
    await expect(engine.listPilots(ownership)).rejects.toThrow('Listing the pilots: layer store is broken');
  });
});

describe('a list without end', () => {
  it('is given up before it has filled our memory, however fast it comes', async () => {
    let sentBytes = 0;
    const server = await startHttpEngine((_, reply) => {
      const spaces = Buffer.alloc(1024 * 1024, ' ');
      const send = () => {
        while (!reply.destroyed) {
          sentBytes += spaces.length;
          if (!reply.write(spaces)) {
            reply.once('drain', send);
            return;
          }
        }
      };
      send();
    });
    opened.push(server);
    const patient = createDockerEngine({ clock: systemClock, host: server.host, registryAuthFile: '/nonexistent' });
    await expect(patient.listPilots(ownership)).rejects.toThrow('larger than 67108864 bytes');
    expect(sentBytes).toBeLessThan(80 * 1024 * 1024);
    await expect.poll(() => server.connections()).toBe(0);
  });
});

describe('hung calls', () => {
  it('leave no connection behind', async () => {
    const { engine, server } = await anEngine(() => undefined);
    const calls = Array.from({ length: 50 }, () => engine.listPilots(ownership));
    const results = await Promise.allSettled(calls);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await expect.poll(() => server.connections()).toBe(0);
  });
});

describe('an engine that is not there', () => {
  it.each([
    ['has no socket', 'unix:///nonexistent/docker.sock', 'unreachable'],
    ['has an address nobody understands', 'carrier-pigeon://x', 'refused'],
    ['is ssh', 'ssh://host', 'refused'],
  ])('because it %s is told from a refusal', async (_, host, kind) => {
    await expect(connect(host).listPilots(ownership)).rejects.toMatchObject({ kind });
  });

  it('any more, because it went away between two calls, is unreachable', async () => {
    const { engine, server } = await anEngine((_, reply) => {
      sendJson(reply, 200, []);
    });
    await engine.listPilots(ownership);
    await server.close();
    opened.length = 0;
    await expect(engine.listPilots(ownership)).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

/** An engine as today's are: it refuses what is older than 1.44. */
function modernEngine(seen: string[]): Handler {
  return (request, reply) => {
    const version = /^\/v(\d+\.\d+)\//.exec(request.url ?? '')?.[1] ?? 'none';
    seen.push(version);
    if (Number(version.split('.')[1]) >= 44) sendJson(reply, 200, []);
    else
      sendJson(reply, 400, { message: `client version ${version} is too old. Minimum supported API version is 1.44` });
  };
}

describe('the API version', () => {
  it.each([
    ['1.41', '1.12', '1.41'],
    ['1.44', '1.24', '1.44'],
    ['1.52', '1.44', '1.51'],
  ])('spoken to an engine of %s (oldest %s) is %s', async (ApiVersion, MinAPIVersion, spoken) => {
    const { engine, server } = await anEngine(
      (_, reply) => {
        sendJson(reply, 200, []);
      },
      {
        version: { ApiVersion, MinAPIVersion },
      },
    );
    await engine.listPilots(ownership);
    expect(server.requests.at(-1)).toMatch(new RegExp(`^GET /v${spoken}/containers/json`));
  });

  it.each([
    ['too old', { ApiVersion: '1.39', MinAPIVersion: '1.12' }, /speaks API 1\.39; 1\.40 .* or newer is needed/],
    ['too new', { ApiVersion: '1.70', MinAPIVersion: '1.60' }, /wants API 1\.60 or newer, .* update Plancton/],
  ])('of an engine that is %s is refused in words', async (_, version, words) => {
    const { engine } = await anEngine(
      (_request, reply) => {
        sendJson(reply, 200, []);
      },
      { version },
    );
    await expect(engine.listPilots(ownership)).rejects.toThrow(words);
  });

  it('is accepted by an engine that wants 1.44 at least', async () => {
    const seen: string[] = [];
    const { engine } = await anEngine(modernEngine(seen), { version: { ApiVersion: '1.52', MinAPIVersion: '1.44' } });
    await expect(engine.listPilots(ownership)).resolves.toEqual([]);
    expect(seen).toEqual(['1.51']);
  });

  it('is negotiated again after the engine was replaced by a newer one', async () => {
    const version = { ApiVersion: '1.41', MinAPIVersion: '1.12' };
    const seen: string[] = [];
    let handle: Handler = (_, reply) => {
      sendJson(reply, 200, []);
    };
    const { engine } = await anEngine(
      (...call) => {
        handle(...call);
      },
      { version },
    );
    await engine.listPilots(ownership);
    Object.assign(version, { ApiVersion: '1.52', MinAPIVersion: '1.44' });
    handle = modernEngine(seen);
    await expect(engine.listPilots(ownership)).rejects.toMatchObject({ kind: 'invalid' });
    await expect(engine.listPilots(ownership)).resolves.toEqual([]);
    expect(seen).toEqual(['1.41', '1.51']);
  });
});

const info = {
  ServerVersion: '20.10.24',
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '1',
  SecurityOptions: ['name=seccomp,profile=default'],
  DockerRootDir: '/var/lib/docker',
};

describe('a create request', () => {
  const id = 'c1'.repeat(32);
  const answer: Handler = (request, reply) => {
    if (request.url?.endsWith('/info') === true) sendJson(reply, 200, info);
    else sendJson(reply, 201, { Id: id, Warnings: [] });
  };

  it('carries the environment in its body and only the name in its address', async () => {
    const { engine, server } = await anEngine(answer);
    await expect(engine.createPilot(aSpec({ env: { TOKEN: 'hunter2' } }), undefined)).resolves.toBe(id);
    expect(server.requests.at(-1)).toBe('POST /v1.41/containers/create?name=plancton-worker-aaaaaa');
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toMatchObject({ Env: ['TOKEN=hunter2'] });
  });

  it('asks for no AppArmor profile where the engine has no AppArmor', async () => {
    const { engine, server } = await anEngine(answer);
    await engine.createPilot(aSpec({ securityOptions: ['apparmor=x', 'no-new-privileges'] }), undefined);
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toMatchObject({
      HostConfig: { SecurityOpt: ['no-new-privileges'] },
    });
  });

  it('is sent once, however it ends', async () => {
    const { engine, server } = await anEngine((request, reply) => {
      if (request.url?.endsWith('/info') === true) sendJson(reply, 200, info);
    });
    await expect(engine.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'timeout' });
    expect(server.requests.filter((request) => request.includes('/create'))).toHaveLength(1);
  });

  it.each([null, {}, { Id: '' }, { Id: 'c1' }, { Id: `../${id}` }, { Id: id.toUpperCase() }, { Id: `${id}0` }])(
    'that brings no id back is a failure: %j',
    async (body) => {
      const { engine } = await anEngine((request, reply) => {
        sendJson(reply, 200, request.url?.endsWith('/info') === true ? info : body);
      });
      await expect(engine.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'malformed' });
    },
  );
});

describe('a removal that somebody else has begun', () => {
  const inProgress = { message: 'removal of container c1 is already in progress' };

  it('is over when the container is gone, not before', async () => {
    let refusals = 0;
    const { engine } = await anEngine((_, reply) => {
      if (refusals === 2) {
        sendJson(reply, 404, { message: 'No such container: c1' });
        return;
      }
      refusals += 1;
      sendJson(reply, 409, inProgress);
    });
    await expect(engine.removePilot('c1')).resolves.toBeUndefined();
    expect(refusals).toBe(2);
  });

  it('and never ends is told as what the engine says, in the time of one call', async () => {
    const { engine } = await anEngine((_, reply) => {
      sendJson(reply, 409, inProgress);
    });
    await expect(engine.removePilot('c1')).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('already in progress') as string,
    });
  });
});

describe('a list', () => {
  it('is one request, whatever the number of pilots', async () => {
    const { engine, server } = await anEngine((_, reply) => {
      sendJson(reply, 200, []);
    });
    await engine.listPilots(ownership);
    await engine.listPilots(ownership);
    expect(server.requests.filter((request) => request !== 'GET /version')).toHaveLength(2);
    expect(server.requests.filter((request) => request === 'GET /version')).toHaveLength(1);
  });

  it('keeps what an engine sends beyond its filter out', async () => {
    const foreign = { Id: 'x', Names: ['/db'], Image: 'i', Created: 1, State: 'running', Status: 'Up', Labels: null };
    const { engine } = await anEngine((_, reply) => {
      sendJson(reply, 200, [foreign]);
    });
    await expect(engine.listPilots({ ...ownership, adoptOriginal: true })).resolves.toEqual([]);
  });
});

describe('the CPU time of a pilot', () => {
  const stats = { read: '2026-01-01T00:00:00Z', cpu_stats: { cpu_usage: { total_usage: 1_234_567 } } };

  it('is read once, without waiting for a second sample', async () => {
    const { engine, server } = await anEngine((_, reply) => {
      sendJson(reply, 200, stats);
    });
    await expect(engine.pilotCpuNs('c1')).resolves.toBe(1_234_567);
    expect(server.requests.at(-1)).toBe('GET /v1.41/containers/c1/stats?stream=false&one-shot=true');
  });

  it.each([
    ['knows nothing', 'refused', { ...stats, read: '0001-01-01T00:00:00Z' }],
    ['sends something else', 'malformed', { read: stats.read }],
  ])('is never taken for zero when the engine %s', async (_, kind, body) => {
    const { engine } = await anEngine((_request, reply) => {
      sendJson(reply, 200, body);
    });
    await expect(engine.pilotCpuNs('c1')).rejects.toMatchObject({ kind });
  });
});

describe('a request that the engine has nothing to say to but "done"', () => {
  it.each([
    ['removal', (engine: ContainerEngine) => engine.removePilot('c1')],
    ['stop', (engine: ContainerEngine) => engine.stopPilot('c1', 1)],
    ['start', (engine: ContainerEngine) => engine.startPilot('c1')],
  ])('is not done where somebody else answers a %s', async (_, call) => {
    const { engine } = await anEngine((_request, reply) => void reply.writeHead(200).end('<html>Log in</html>'));
    await expect(call(engine)).rejects.toMatchObject({ kind: 'malformed' });
  });
});

describe('what was made of a pilot', () => {
  const id = 'c1'.repeat(32);
  const spec = aSpec();
  const { HostConfig, ...Config } = toCreateOptions(spec, undefined, { appArmor: false, logDriver: 'json-file' });
  const made = { Id: id, Name: `/${spec.name}`, Config, HostConfig };
  const labelled = (labels: Labels | null) => ({ Config: { ...Config, Labels: labels } });

  async function settingsOf(reply: object) {
    const { engine } = await anEngine((_, answer) => {
      sendJson(answer, 200, reply);
    });
    return engine.settingsOf(id, spec);
  }

  it('is told where it is that pilot, with or without a slash before its name', async () => {
    await expect(settingsOf(made)).resolves.toMatchObject({ image: spec.image });
    await expect(settingsOf({ ...made, Name: spec.name })).resolves.toMatchObject({ image: spec.image });
  });

  it.each([
    ['runc', 'runc', ''],
    ['kata', 'kata', ''],
    ['kata', 'runc', 'runc'],
    ['runc', 'other', 'other'],
    [undefined, 'other', ''],
    ['crun', 'oci', ''],
  ])(
    'is told with its runtime where that is not the one of the engine: %s, %s',
    async (DefaultRuntime, Runtime, told) => {
      const { engine } = await anEngine((request, reply) => {
        const isInfo = request.url?.endsWith('/info') === true;
        sendJson(
          reply,
          200,
          isInfo ? { ...info, DefaultRuntime } : { ...made, HostConfig: { ...HostConfig, Runtime } },
        );
      });
      await expect(engine.settingsOf(id, spec)).resolves.toMatchObject({ runtime: told });
    },
  );

  it('is of the runtime of the engine also when that has got another one meanwhile', async () => {
    let runtime = 'runc';
    const { engine } = await anEngine((request, reply) => {
      const isInfo = request.url?.endsWith('/info') === true;
      const host = { ...HostConfig, Runtime: runtime };
      sendJson(reply, 200, isInfo ? { ...info, DefaultRuntime: runtime } : { ...made, HostConfig: host });
    });
    await engine.info();
    runtime = 'crun';
    await expect(engine.settingsOf(id, spec)).resolves.toMatchObject({ runtime: '' });
  });

  it.each<[string, object]>([
    ['id', { Id: 'd1'.repeat(32) }],
    ['name', { Name: '/owners-database' }],
    ['label of a name', labelled({ ...Config.Labels, [pilotLabels.name]: 'plancton-worker-bbbbbb' })],
    ['instance', labelled({ ...Config.Labels, [pilotLabels.instance]: 'another' })],
    ['container, without labels', labelled(null)],
  ])('is not told where it has another %s: that may be anybody else', async (_, changes) => {
    await expect(settingsOf({ ...made, ...changes })).rejects.toMatchObject({ name: 'EngineError', kind: 'malformed' });
  });
});
