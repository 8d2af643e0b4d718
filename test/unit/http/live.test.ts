import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Live } from '../../../src/http/live.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { aPilot, aSample, anObservation } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

function aCycle(seq: number): DaemonEvent {
  const { capacity, holds, gates } = aStory(aConfig()).look();
  const sample = aSample({ seq, spanMs: 2000, cpus: 8, busy: 5, own: 3, service: 0, idle: 3 });
  const observation = anObservation({ sample, pilots: [aPilot()] });
  return {
    type: 'cycle',
    number: seq,
    uptimeMs: 0,
    tookMs: 3,
    observation,
    plan: { actions: [], capacity, holds, gates },
  };
}

async function open(live: Live): Promise<Server> {
  const server = createServer((_, reply) => {
    reply.writeHead(200);
    live.add(reply);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}

/** What a watcher has heard so far. */
async function watch(
  server: Server,
): Promise<{ readonly heard: () => readonly string[]; readonly reply: IncomingMessage }> {
  const reply = await new Promise<IncomingMessage>((resolve) => {
    get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false }, resolve);
  });
  let text = '';
  reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { heard: () => text.split('\n\n').filter(Boolean), reply };
}

describe('those who watch', () => {
  it('are told what happens, as it happens', async () => {
    const clock = createFakeClock();
    const at = clock.now().wallMs;
    const live = new Live(clock);
    const { heard } = await watch(await open(live));
    live.showStatus('{"cycles":1}');
    live.tell(aCycle(1));
    // Two cycles may see the same sample.
    live.tell(aCycle(1));
    live.tell({ type: 'mode-changed', mode: 'drain' });
    live.tell({ type: 'cycle-held', number: 2, atWallMs: 0, uptimeMs: 0, tookMs: 3 });
    const action = {
      type: 'remove',
      pilot: aPilot({ name: 'p1' }),
      reason: 'evicted',
      stopSeconds: 0,
      ageMs: 0,
    } as const;
    const ended = { exitCode: 137, oomKilled: false, startedWallMs: 1, finishedWallMs: 2 };
    live.tell({ type: 'action-ended', atWallMs: at, outcome: { action, result: 'done', error: undefined, ended } });
    await expect.poll(heard).toHaveLength(6);
    const [retry, status, sample, line, , pilot] = heard();
    expect(retry).toBe('retry: 2000');
    expect(status).toBe('event: status\ndata: {"cycles":1}');
    const data = (text = '') => JSON.parse(text.split('data: ')[1] ?? '') as unknown;
    expect(sample).toContain('event: sample\n');
    expect(data(sample)).toEqual({
      ...{ at: at - 2000, seconds: 2, cpus: 8, own: 3, foreign: 2, idle: 3, pilots: 1 },
    });
    expect(line).toContain('event: line\n');
    expect(data(line)).toMatchObject({
      at,
      level: 'info',
      message: expect.stringContaining('drain requested') as string,
    });
    expect(pilot).toContain('event: pilot\n');
    expect(data(pilot)).toEqual({ name: 'p1', until: at, end: 'evicted', exitCode: 137 });
  });

  it('cost nothing when they have gone', async () => {
    const live = new Live(createFakeClock());
    const { reply } = await watch(await open(live));
    expect(live.isWatched).toBe(true);
    reply.destroy();
    await expect.poll(() => live.isWatched).toBe(false);
    live.tell(aCycle(1));
  });

  it('are not too many', async () => {
    const live = new Live(createFakeClock());
    const server = await open(live);
    for (let index = 0; index < 8; index += 1) {
      expect(live.isFull).toBe(false);
      await watch(server);
    }
    expect(live.isFull).toBe(true);
  });

  it('are sent away when they do not read', async () => {
    const live = new Live(createFakeClock());
    const { reply } = await watch(await open(live));
    reply.pause();
    const large = JSON.stringify('x'.repeat(500_000));
    // The system takes some of it before anything waits here.
    for (let index = 0; index < 100 && live.isWatched; index += 1) {
      live.showStatus(large);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => live.isWatched).toBe(false);
    reply.destroy();
  });
});
