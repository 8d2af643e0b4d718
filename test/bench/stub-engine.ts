import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { CreateOptions } from '../../src/engine/pilot-container.js';
import { sendJson, startHttpEngine, type Handler } from '../support/http-engine.js';
import { roomy } from './bench-site.js';
import { kindOf } from './counting-proxy.js';
import type { Events } from './timeline.js';

/** An engine without containers that answers at once, for benches that ask what the daemon takes and not what an engine does. */
export interface StubEngine {
  /** The value for DOCKER_HOST. */
  readonly host: string;
  /** Every start and end so far; ms of the monotonic clock. */
  readonly events: Events;
  /** From each look at the list to the first creation that follows, ms: how long a cycle takes that starts a pilot. */
  readonly cyclesMs: readonly number[];
}

/** This many pilots of such an engine: however soon one ends, it has done its work. */
export function stubbed(slots: number) {
  return { ...roomy, max_docks: slots, docks_per_loop: slots, min_free_mem: 0, fizzle_seconds: 0 };
}

interface Container {
  readonly id: string;
  readonly name: string;
  readonly body: CreateOptions;
  readonly createdMs: number;
  startedMs: number | undefined;
  finishedMs: number | undefined;
}

type Reply = Parameters<Handler>[1];

/** What one request asks for. */
interface Asked {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly reply: Reply;
}

const imageId = `sha256:${'b'.repeat(64)}`;
const imageSummary = { Id: imageId, ParentId: '', RepoTags: ['busybox:latest'], RepoDigests: [], Size: 2_000_000 };
const info = {
  ServerVersion: '20.10.24',
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '1',
  LoggingDriver: 'json-file',
  SecurityOptions: [],
  DockerRootDir: '/tmp',
};

class StubContainers {
  readonly events: Events[number][] = [];
  readonly cyclesMs: number[] = [];
  #listedMs: number | undefined;
  /** The oldest first. */
  readonly #all = new Map<string, Container>();
  readonly #listeners = new Set<Reply>();
  readonly #lifetimeMs: () => number;

  constructor(lifetimeMs: () => number) {
    this.#lifetimeMs = lifetimeMs;
  }

  list({ reply }: Asked): void {
    this.#listedMs = systemClock.now().monoMs;
    sendJson(reply, 200, [...this.#all.values()].reverse().map(toSummary));
  }

  create({ query, body, reply }: Asked): void {
    if (this.#listedMs !== undefined) this.cyclesMs.push(systemClock.now().monoMs - this.#listedMs);
    this.#listedMs = undefined;
    const id = randomBytes(32).toString('hex');
    const asked = JSON.parse(body) as CreateOptions;
    const times = { createdMs: Date.now(), startedMs: undefined, finishedMs: undefined };
    this.#all.set(id, { id, name: query.get('name') ?? '', body: asked, ...times });
    sendJson(reply, 201, { Id: id, Warnings: [] });
  }

  start({ id, reply }: Asked): void {
    const container = this.#all.get(id);
    if (container !== undefined) {
      container.startedMs = Date.now();
      this.#note('start', container);
      void systemClock.sleep(this.#lifetimeMs()).then(() => {
        this.#end(id);
      });
    }
    sendNothing(reply);
  }

  stop({ id, reply }: Asked): void {
    this.#end(id);
    sendNothing(reply);
  }

  remove({ id, reply }: Asked): void {
    this.#end(id);
    this.#all.delete(id);
    sendNothing(reply);
  }

  look({ id, reply }: Asked, tell: (container: Container) => unknown): void {
    const container = this.#all.get(id);
    if (container === undefined) sendJson(reply, 404, { message: `No such container: ${id}` });
    else sendJson(reply, 200, tell(container));
  }

  follow({ reply }: Asked): void {
    this.#listeners.add(reply);
    reply.on('close', () => this.#listeners.delete(reply));
    reply.writeHead(200, { 'Content-Type': 'application/json' });
    reply.flushHeaders();
  }

  #end(id: string): void {
    const container = this.#all.get(id);
    if (container?.startedMs === undefined || container.finishedMs !== undefined) return;
    container.finishedMs = Date.now();
    this.#note('die', container);
    const Actor = { ID: id, Attributes: { ...container.body.Labels, exitCode: '0' } };
    const line = JSON.stringify({ Type: 'container', Action: 'die', Actor, timeNano: container.finishedMs * 1e6 });
    for (const reply of this.#listeners) reply.write(`${line}\n`);
  }

  #note(action: 'start' | 'die', { body }: Container): void {
    this.events.push({ action, image: body.Image, atMs: systemClock.now().monoMs });
  }
}

function sendNothing(reply: Reply): void {
  reply.writeHead(204).end();
}

function stateOf({ startedMs, finishedMs }: Container): 'created' | 'running' | 'exited' {
  if (startedMs === undefined) return 'created';
  return finishedMs === undefined ? 'running' : 'exited';
}

function toSummary(container: Container): object {
  const { id, name, body, createdMs } = container;
  const State = stateOf(container);
  return {
    ...{ Id: id, Names: [`/${name}`], Image: body.Image, ImageID: imageId, Labels: body.Labels },
    ...{ Created: Math.floor(createdMs / 1000), State, Status: State === 'exited' ? 'Exited (0) now' : 'Up now' },
  };
}

function toDate(ms: number | undefined): string {
  return ms === undefined ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();
}

function toInspection(container: Container): object {
  const { id, name, body, startedMs, finishedMs } = container;
  const { HostConfig, ...Config } = body;
  const Status = stateOf(container);
  const State = { Status, Pid: Status === 'running' ? 1 : 0, ExitCode: 0, OOMKilled: false };
  return {
    Id: id,
    Name: `/${name}`,
    Config,
    HostConfig,
    State: { ...State, StartedAt: toDate(startedMs), FinishedAt: toDate(finishedMs) },
  };
}

function toStatistics(): object {
  return { read: new Date().toISOString(), cpu_stats: { cpu_usage: { total_usage: 0 } } };
}

/**
 * One with `busybox:latest` and nothing else, whose containers end by themselves, with 0, after a time between the shortest and the longest, ms. Gone when the
 * bench has ended.
 */
export async function startStubEngine([shortest, longest]: readonly [number, number]): Promise<StubEngine> {
  // All the same length would go on ending in step.
  const containers = new StubContainers(() => shortest + Math.random() * (longest - shortest));
  const routes: Readonly<Record<string, (asked: Asked) => void>> = {
    'GET /info': ({ reply }) => {
      sendJson(reply, 200, info);
    },
    'GET /images/json': ({ reply }) => {
      sendJson(reply, 200, [imageSummary]);
    },
    'GET /images/busybox:latest/json': ({ reply }) => {
      // Always new: nobody has to ask a registry for it.
      sendJson(reply, 200, { Id: imageId, Created: new Date().toISOString() });
    },
    [`GET /images/${imageId}/json`]: ({ reply }) => {
      sendJson(reply, 200, { Id: imageId, Config: { Labels: {} } });
    },
    'GET /events': (asked) => {
      containers.follow(asked);
    },
    'GET /containers/json': (asked) => {
      containers.list(asked);
    },
    'POST /containers/create': (asked) => {
      containers.create(asked);
    },
    'GET /containers/ID/json': (asked) => {
      containers.look(asked, toInspection);
    },
    'GET /containers/ID/stats': (asked) => {
      containers.look(asked, toStatistics);
    },
    'POST /containers/ID/start': (asked) => {
      containers.start(asked);
    },
    'POST /containers/ID/stop': (asked) => {
      containers.stop(asked);
    },
    'DELETE /containers/ID': (asked) => {
      containers.remove(asked);
    },
  };
  const engine = await startHttpEngine(({ method = '', url = '' }, reply, body) => {
    // It would remember millions.
    engine.requests.length = engine.bodies.length = 0;
    const route = routes[`${method} ${kindOf(url)}`];
    const [id = ''] = /[0-9a-f]{64}/.exec(url) ?? [];
    const query = new URLSearchParams(url.split('?')[1]);
    if (route === undefined) sendJson(reply, 404, { message: `the stub does not know ${method} ${url}` });
    else route({ id, query, body, reply });
  });
  onTestFinished(() => engine.close());
  return { host: engine.host, events: containers.events, cyclesMs: containers.cyclesMs };
}
