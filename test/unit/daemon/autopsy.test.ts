import { describe, expect, it } from 'vitest';
import { createAutopsy } from '../../../src/daemon/autopsy.js';
import { KnownSecrets } from '../../../src/daemon/known-secrets.js';
import { EngineError } from '../../../src/engine/container-engine.js';
import type { PilotEnd, RemovalReason } from '../../../src/model.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { aPilot } from '../../support/builders.js';

const usage = { cpuSeconds: 3, memoryPeakBytes: 4096 };

interface Case {
  readonly reason?: RemovalReason;
  readonly ended?: Partial<PilotEnd> | null;
  readonly log?: string | EngineError;
  readonly size?: number;
}

/** What was kept when the pilot was removed, or was to be, so often. */
async function keep(
  { reason = 'exited', ended = {}, log = 'last words\n', size = 1e6 }: Case,
  reasons: readonly RemovalReason[] = [reason],
): Promise<readonly DaemonEvent[]> {
  const events: DaemonEvent[] = [];
  const secrets = new KnownSecrets();
  const autopsy = createAutopsy({
    engine: { logTail: () => (typeof log === 'string' ? Promise.resolve(log) : Promise.reject(log)) },
    usageOf: () => usage,
    config: () => ({ post_mortem_size: size }),
    publish: (event) => events.push(event),
    hide: (text) => secrets.hide(text),
  });
  const env = { OLD: 'sesame-open', TOKEN: 'hunter2', DEBUG: '1', KEY: '-----\nMIIEpQIBAAK\n-----' };
  secrets.know({ docker_env: env, influxdb_url: ['http://ann:gramarye@db#m', 'http://:Zml2ZQ==@db?org=x#b'] });
  secrets.know({ docker_env: { TOKEN: 'hunter2hunter2' }, influxdb_url: [] });
  const end = { exitCode: 3, oomKilled: false, startedWallMs: 1, finishedWallMs: 2, ...ended };
  for (const why of reasons) {
    const action = { type: 'remove', pilot: aPilot({ id: 'a' }), reason: why, stopSeconds: 0, ageMs: 0 } as const;
    await autopsy.perform(action, ended === null ? undefined : end);
  }
  return events;
}

describe('a post-mortem', () => {
  it('is kept of a pilot that failed, with what is left of it', async () => {
    expect(await keep({})).toEqual([
      {
        type: 'post-mortem',
        postMortem: {
          pilot: expect.objectContaining({ id: 'a' }) as unknown,
          cause: 'failed',
          ended: { exitCode: 3, oomKilled: false, startedWallMs: 1, finishedWallMs: 2 },
          usage,
          log: 'last words\n',
          said: undefined,
        },
      },
    ]);
  });

  it('is kept of those that were evicted or killed for want of memory', async () => {
    expect(await keep({ ended: { exitCode: 0, oomKilled: true } })).toMatchObject([
      { postMortem: { cause: 'failed' } },
    ]);
    expect(await keep({ reason: 'evicted', ended: null })).toMatchObject([{ postMortem: { cause: 'evicted' } }]);
  });

  it.each<[string, Case]>([
    ['did what it was to do', { ended: { exitCode: 0 } }],
    ['has lived for its time', { reason: 'expired' }],
    ['was ended by force-stop', { reason: 'force-stop' }],
    ['ended nobody knows how', { ended: null }],
  ])('is not kept of one that %s', async (_, kept) => {
    expect(await keep(kept)).toEqual([]);
  });

  it('is not kept where there is to be none', async () => {
    expect(await keep({ size: 0 })).toEqual([]);
  });

  it('has nothing of the environment in it that may be secret, now or before', async () => {
    const [event] = await keep({ log: 'TOKEN=hunter2 DEBUG=1\nhunter2hunter2 sesame-open\nMIIEpQIBAAK\n' });
    expect(event).toMatchObject({ postMortem: { log: 'TOKEN=… DEBUG=1\n… …\n…\n' } });
  });

  it('has nothing in it of what monitoring is sent with', async () => {
    const [event] = await keep({ log: `ann:gramarye ${Buffer.from('ann:gramarye').toString('base64')} Zml2ZQ==\n` });
    expect(event).toMatchObject({ postMortem: { log: 'ann:… … …\n' } });
  });

  it('has the end of a long log, from the beginning of a line on', async () => {
    const [event] = await keep({ log: `${'x'.repeat(9000)}hunter2\n${'y'.repeat(100)}\n` });
    expect(event).toMatchObject({ postMortem: { log: `${'y'.repeat(100)}\n` } });
  });

  it('is made once, and says why the pilot was to go at first', async () => {
    expect(await keep({}, ['evicted', 'exited', 'exited'])).toMatchObject([{ postMortem: { cause: 'evicted' } }]);
    expect(await keep({}, ['force-stop', 'exited'])).toEqual([]);
  });

  it('says why there is no log', async () => {
    const log = new EngineError('refused', 'the logging driver sesame-open does not support reading');
    const said = 'the logging driver … does not support reading';
    expect(await keep({ log })).toMatchObject([{ postMortem: { log: '', said } }]);
  });
});
