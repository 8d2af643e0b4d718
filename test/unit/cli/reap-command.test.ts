import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { runProgram } from '../../../src/cli/program.js';
import { writeStatusFile } from '../../../src/cli/status-file.js';
import { pilotLabels } from '../../../src/engine/pilot-container.js';
import { MACHINE_ID_FILE, readInstance } from '../../../src/observe/instance.js';
import { aStatus } from '../../support/a-status.js';
import { aHost } from '../../support/builders.js';
import { recordingContext } from '../../support/cli-context.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';
import { tempDirectory } from '../../support/temp-directory.js';

const opened: HttpEngine[] = [];
const hour = 3600;

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

interface Site {
  readonly config?: string;
  readonly policy?: string;
  readonly ageSeconds: number;
  /** What is to be so beforehand. */
  readonly prepare?: (runDir: string) => Promise<void> | void;
  readonly stopStatus?: number;
}

/** A host with one pilot that has run for so long; what came of the command. */
async function reapOn({ config = 'max_ttl: 1h\n', policy, ageSeconds, prepare, stopStatus = 204 }: Site) {
  const dir = tempDirectory();
  const at = (name: string) => join(dir, name);
  mkdirSync(at('conf'));
  mkdirSync(at('run'), { mode: 0o700 });
  writeFileSync(join(at('conf'), 'config.yaml'), config);
  if (policy !== undefined) writeFileSync(at('policy.yaml'), policy, { mode: 0o644 });
  const host = aHost();
  const pilot = {
    Id: 'a'.repeat(64),
    Names: ['/plancton-worker-aaaaaa'],
    Image: 'busybox',
    ImageID: '',
    Created: Math.floor(systemClock.now().wallMs / 1000) - ageSeconds,
    State: 'running',
    Status: 'Up',
    Labels: {
      [pilotLabels.managed]: 'true',
      [pilotLabels.name]: 'plancton-worker-aaaaaa',
      [pilotLabels.instance]: await readInstance(at('run'), MACHINE_ID_FILE, host.hostname),
      // Of another boot, so that the wall clock counts.
      [pilotLabels.bootId]: 'another',
    },
  };
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.includes('/containers/json')) sendJson(reply, 200, [pilot]);
    else if (request.url?.includes('/stop') === true) reply.writeHead(stopStatus).end();
    else reply.writeHead(204).end();
  });
  opened.push(server);
  await prepare?.(at('run'));
  const context = recordingContext({ uid: process.getuid?.() ?? 0, readHost: () => Promise.resolve(host) });
  const places = ['conf', 'run'].map((name) => `--${name}dir=${at(name)}`);
  const options = [`--engine=${server.host}`, `--policyfile=${at('policy.yaml')}`, ...places];
  const exitCode = await runProgram(context, [...options, 'reap', '--expired']);
  return {
    exitCode,
    out: context.stdout.join('\n'),
    err: context.stderr.join('\n'),
    removals: server.requests.filter((request) => request.startsWith('DELETE')),
  };
}

const removed = { exitCode: 0, removals: [expect.stringContaining('a'.repeat(64))] };

async function holdLock(runDir: string): Promise<void> {
  const attempt = await acquireProcessLock(runDir, 4711, systemClock);
  if (!attempt.held) throw new Error('the lock is taken');
  onTestFinished(() => {
    attempt.lock.release();
  });
}

describe('planctonctl reap --expired', () => {
  it('removes what is past the max_ttl of the configuration', async () => {
    expect(await reapOn({ ageSeconds: 2 * hour })).toMatchObject({
      ...removed,
      out: expect.stringContaining('plancton-worker-aaaaaa') as string,
    });
    expect(await reapOn({ config: 'max_ttl: 3h\n', ageSeconds: 2 * hour })).toMatchObject({
      ...{ out: 'no pilot is past its time to live', removals: [] },
    });
  });

  it('goes by most_ttl of the policy where nobody can read the configuration', async () => {
    const broken = { config: 'max_ttl: [1h\n', ageSeconds: 2 * hour };
    const kept = await reapOn({ ...broken, policy: 'images: [busybox]\nmost_ttl: 3h\n' });
    expect(kept).toMatchObject({ exitCode: 0, removals: [] });
    expect(kept.err).toContain('the configuration is not valid (planctonctl config check)');
    expect(await reapOn({ ...broken, policy: 'images: [busybox]\nmost_ttl: 1h\n' })).toMatchObject(removed);
  });

  it('ends nobody for a slip in a file where no policy says for how long pilots may live', async () => {
    const { removals, out } = await reapOn({ config: 'max_ttl: [1h\n', ageSeconds: 300 * 24 * hour });
    expect([removals, out]).toEqual([[], 'no pilot is past its time to live']);
  });

  it('removes also whom the engine will not stop', async () => {
    expect(await reapOn({ ageSeconds: 2 * hour, stopStatus: 500 })).toMatchObject(removed);
  });

  it('leaves it to a daemon that is at work, not to one that hangs or has not come to its first cycle', async () => {
    const daemon = (sinceMs: number) => async (runDir: string) => {
      await holdLock(runDir);
      const atBootMs = systemClock.now().bootMs - sinceMs;
      writeStatusFile(runDir, aStatus({ atBootMs, nextCycleInSeconds: 30 }));
    };
    expect(await reapOn({ ageSeconds: 2 * hour, prepare: daemon(20_000) })).toMatchObject({
      ...{ out: 'the daemon runs, and does this itself', removals: [] },
    });
    expect(await reapOn({ ageSeconds: 2 * hour, prepare: daemon(200_000) })).toMatchObject(removed);
    expect(await reapOn({ ageSeconds: 2 * hour, prepare: holdLock })).toMatchObject(removed);
  });
});
