import { describe, expect, it } from 'vitest';
import { EngineError, type ContainerEngine } from '../../../src/engine/container-engine.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { aSpec } from '../../support/builders.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';
import {
  readRecordedReply,
  startRecordedEngine,
  withBody,
  type RecordedEngine,
  type RecordedReply,
} from '../../support/recorded-engine.js';

const id = 'd90908357cdf52e853aa236ed505619486479726d79abbbffe0d48508cde735f';
/** Of the image that carries a mark. */
const markedId = 'sha256:48b65e493aaf6ffd34fc675447279563c20e3443f41ffd5cead9f3604432f573';
const never = new AbortController().signal;
const dayMs = 86_400_000;
/** At the same time, each with an engine of its own. */
const lanes = 8;

interface Case {
  readonly what: string;
  /** The request whose reply is cut; all others are answered in full. */
  readonly request: RegExp;
  readonly reply: string;
  readonly call: (engine: ContainerEngine) => Promise<unknown>;
  readonly truth: unknown;
  /** The status says all that matters. */
  readonly statusOnly?: boolean;
  /** Where the reply tells nothing the engine is asked whether it is so; here it says yes. */
  readonly isSo?: boolean;
}

const done = { reply: 'done', truth: undefined, statusOnly: true } as const;

const cases: readonly Case[] = [
  {
    what: 'the version',
    request: /\/version/,
    reply: 'version',
    call: (engine) => engine.info(),
    truth: expect.objectContaining({ apiVersion: '1.41' }),
  },
  {
    what: 'what the engine is',
    request: /\/info/,
    reply: 'info',
    call: (engine) => engine.info(),
    truth: expect.objectContaining({ version: '20.10.24+dfsg1', dataRoot: '/var/lib/docker-under-tests/data' }),
  },
  {
    what: 'the list',
    request: /\/containers\/json/,
    reply: 'list',
    call: (engine) => engine.listPilots({ instance: 'test', adoptOriginal: false }),
    truth: [expect.objectContaining({ id, name: aSpec().name, state: 'running', cpus: 0.5 })],
  },
  {
    what: 'a creation',
    request: /\/containers\/create/,
    reply: 'create',
    call: (engine) => engine.createPilot(aSpec(), undefined),
    truth: id,
  },
  {
    what: 'the settings of a pilot',
    request: /\/json/,
    reply: 'inspect-running',
    call: (engine) => engine.settingsOf(id, aSpec()),
    truth: expect.objectContaining({ image: 'busybox:latest', cpus: 0.5, memoryBytes: 50_000_000, extras: [] }),
  },
  {
    what: 'the end of a pilot',
    request: /\/json/,
    reply: 'inspect-exited',
    call: (engine) => engine.pilotEnd(id),
    truth: expect.objectContaining({ exitCode: 137, oomKilled: false }),
  },
  { ...done, what: 'a start', request: /\/start/, call: (engine) => engine.startPilot(id) },
  {
    ...done,
    what: 'a start of what runs',
    request: /\/start/,
    reply: 'already-started',
    call: (engine) => engine.startPilot(id),
  },
  { ...done, what: 'a stop', request: /\/stop/, call: (engine) => engine.stopPilot(id, 10) },
  { ...done, what: 'a pause', request: /\/pause/, call: (engine) => engine.pausePilot(id) },
  { ...done, what: 'an unpause', request: /\/unpause/, call: (engine) => engine.unpausePilot(id), isSo: true },
  { ...done, what: 'a removal', request: /^DELETE/, call: (engine) => engine.removePilot(id) },
  {
    ...done,
    what: 'the removal of what is gone',
    request: /^DELETE/,
    reply: 'no-container',
    call: (engine) => engine.removePilot(id),
  },
  {
    what: 'the CPU time of a pilot',
    request: /\/stats/,
    reply: 'stats',
    call: (engine) => engine.pilotCpuNs(id),
    truth: 91_038_412,
  },
  {
    what: 'an image',
    request: /\/images\//,
    reply: 'image',
    call: (engine) => engine.findImage('busybox:latest'),
    truth: expect.objectContaining({
      id: 'sha256:f63be99502faf33b17368abb2a5cd42876d746f13f6bf857202bc985e1d8f31e',
    }),
  },
  {
    what: 'an image that is not there',
    request: /\/images\//,
    reply: 'no-image',
    call: (engine) => engine.findImage('nothing:latest'),
    truth: null,
    statusOnly: true,
  },
  {
    what: 'the list of images',
    request: /\/images\/json/,
    reply: 'image-list',
    call: (engine) => engine.listImages('test'),
    truth: [
      expect.objectContaining({ id: markedId, markedWallMs: 1_795_807_858_294, needed: false }),
      expect.objectContaining({ marks: [], markedWallMs: undefined }),
    ],
  },
  {
    what: 'what uses the images',
    request: /\/containers\/json/,
    reply: 'list',
    call: (engine) => engine.listImages('test'),
    truth: [expect.objectContaining({ id: markedId }), expect.objectContaining({ marks: [] })],
  },
  {
    ...{ what: 'the mark of an image', request: /\/tag\b/, reply: 'tagged', truth: undefined, statusOnly: true },
    call: (engine) => engine.markImage('site/pilot:1', 'test', []),
  },
  ...(['image-removed', 'image-deleted'] as const).map((reply) => ({
    ...{ what: `the removal of an image (${reply})`, request: /^DELETE/, reply, truth: true },
    call: (engine: ContainerEngine) => engine.dropImage(markedId, 'test'),
  })),
  {
    ...{ what: 'the removal of an image that is gone', request: /^DELETE/, truth: true, statusOnly: true },
    reply: 'image-gone',
    call: (engine) => engine.dropImage(markedId, 'test'),
  },
  {
    ...{ what: 'the removal of an image in use', request: /^DELETE/, truth: false, statusOnly: true },
    reply: 'image-in-use',
    call: (engine) => engine.dropImage(markedId, 'test'),
  },
  {
    what: 'a pull',
    request: /\/images\/create/,
    reply: 'pull',
    call: (engine) => engine.pullImage('127.0.0.1:39307/group/worker:v1', () => undefined, never),
    truth: undefined,
  },
];

interface Lane {
  readonly clock: FakeClock;
  readonly server: RecordedEngine;
  readonly engine: ContainerEngine;
}

/** The recorded engine, and our client of it by a clock that stands still: what ends, ends without any deadline. */
async function aLane(): Promise<Lane> {
  const clock = createFakeClock();
  const server = await startRecordedEngine();
  const engine = createDockerEngine({ clock, host: server.host, registryAuthFile: '/nonexistent/config.json' });
  return { clock, server, engine };
}

/** Tries each of the numbers below `count` once; resolves to what was said of those that failed. */
async function tryEach(count: number, attempt: (lane: Lane, at: number) => Promise<string | undefined>) {
  const bad: string[] = [];
  let next = 0;
  const work = async () => {
    const lane = await aLane();
    while (next < count) {
      const at = next;
      next += 1;
      const problem = await attempt(lane, at);
      if (problem !== undefined) bad.push(`at byte ${at}: ${problem}`);
    }
    await lane.server.close();
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return bad;
}

/** undefined: it has failed as it should, or its answer is the true one, and what was cut off does not matter. */
async function judge({ truth, isSo = false }: Case, answer: Promise<unknown>, complete: boolean) {
  try {
    const said = await answer;
    expect(said).toEqual(truth);
    return complete || isSo ? undefined : `answered ${JSON.stringify(said)}`;
  } catch (error) {
    return error instanceof EngineError ? undefined : String(error);
  }
}

/** How many bytes of the reply, or of its body, say all there is to say. */
function enough({ statusOnly = false }: Case, { raw, head, body }: RecordedReply): { raw: number; body: number } {
  return { raw: statusOnly ? head.length : raw.length, body: statusOnly ? 0 : body.toString().trimEnd().length };
}

describe.each(cases)('the reply to $what', { timeout: 600_000 }, (tried) => {
  const recorded = readRecordedReply(tried.reply);
  const needed = enough(tried, recorded);
  const { raw, body } = recorded;

  it('is understood when it is whole', async () => {
    const { server, engine } = await aLane();
    server.answer(tried.request, raw);
    await expect(tried.call(engine)).resolves.toEqual(tried.truth);
    expect(server.requests.some((line) => tried.request.test(line))).toBe(true);
    await server.close();
  });

  // Of the two inspections, which are alike in their bytes, one is broken off.
  if (tried.reply !== 'inspect-running') {
    it(`is not taken for another where the connection breaks (${raw.length} places)`, async () => {
      const bad = await tryEach(raw.length, ({ server, engine }, at) => {
        server.answer(tried.request, raw.subarray(0, at));
        return judge(tried, tried.call(engine), at >= needed.raw);
      });
      expect(bad).toEqual([]);
    });
  }

  if (body.length > 0) {
    it(`is not taken for another where its body is too short (${body.length} places)`, async () => {
      const bad = await tryEach(body.length, ({ server, engine }, at) => {
        server.answer(tried.request, withBody(recorded, body.subarray(0, at)));
        return judge(tried, tried.call(engine), at >= needed.body);
      });
      expect(bad).toEqual([]);
    });
  }

  it('is given up where nothing more comes', async () => {
    const step = 61;
    const bad = await tryEach(Math.ceil(Math.min(needed.raw, raw.length) / step), async (lane, nth) => {
      const { server, engine, clock } = lane;
      server.answer(tried.request, raw.subarray(0, nth * step), { stays: true });
      const before = server.requests.length;
      const verdict = judge(tried, tried.call(engine), false);
      await expect.poll(() => server.requests.slice(before).some((line) => tried.request.test(line))).toBe(true);
      await clock.advance(dayMs);
      return verdict;
    });
    expect(bad).toEqual([]);
  });
});

describe('the stream of events', { timeout: 600_000 }, () => {
  const { raw } = readRecordedReply('events');

  function follow({ engine }: Lane, ends: unknown[]): Promise<never> {
    const onEnd = (...end: unknown[]) => ends.push(end);
    return engine.followEnds({
      instance: 'test',
      sinceWallMs: undefined,
      onOpen: () => undefined,
      onEnd,
      signal: never,
    });
  }

  it('tells of an end', async () => {
    const lane = await aLane();
    const ends: unknown[] = [];
    lane.server.answer(/\/events/, raw, { stays: true });
    const following = expect(follow(lane, ends)).rejects.toMatchObject({ kind: 'unreachable' });
    await expect.poll(() => ends).toEqual([[id, 1_795_742_896_161.5828, undefined]]);
    await lane.server.close();
    await following;
  });

  it(`tells of none but that where it is cut (${raw.length} places)`, async () => {
    const bad = await tryEach(raw.length, async (lane, at) => {
      const ends: unknown[] = [];
      lane.server.answer(/\/events/, raw.subarray(0, at));
      const error = await follow(lane, ends).catch((reason: unknown) => reason);
      if (!(error instanceof EngineError)) return String(error);
      return ends.length === 0 || raw.subarray(at).toString().trim() === ''
        ? undefined
        : `told ${JSON.stringify(ends)}`;
    });
    expect(bad).toEqual([]);
  });
});
