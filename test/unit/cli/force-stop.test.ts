import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forceStop } from '../../../src/cli/force-stop.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { systemClock } from '../../../src/clock.js';
import type { EngineFailure } from '../../../src/model.js';
import { aStatus } from '../../support/a-status.js';
import { idleDaemon, recordingContext, type RecordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { tempDirectory } from '../../support/temp-directory.js';

describe('force-stop', () => {
  it('removes the pilots itself when no daemon runs, with the request in place', async () => {
    const rundir = tempDirectory();
    const request = join(rundir, 'force-stop');
    let wasAsked = false;
    const context = recordingContext({
      createDaemon: (given) => ({
        ...idleDaemon(given),
        run: () => {
          wasAsked = existsSync(request);
          rmSync(request);
          given.onCycle(aStatus({ pilots: [] }));
          return Promise.resolve({ why: 'force-stop' });
        },
      }),
    });
    expect(await forceStop(context, { rundir, logdir: rundir })).toBe(0);
    expect(wasAsked).toBe(true);
    expect(existsSync(request)).toBe(false);
    expect(context.stderr.join('\n')).toContain('0 pilots left');
  });

  it('leaves the work to the daemon that runs and waits until it is gone', async () => {
    const rundir = tempDirectory();
    const request = join(rundir, 'force-stop');
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    if (!attempt.held) throw new Error('the lock is taken');
    const clock = createFakeClock();
    const context = recordingContext({
      clock,
      createDaemon: () => {
        throw new Error('a second daemon');
      },
    });
    let exitCode: number | undefined;
    const waiting = forceStop(context, { rundir }).then((code) => (exitCode = code));
    while (clock.sleepers === 0) await systemClock.sleep(5);
    expect(existsSync(request)).toBe(true);
    await clock.advance(1000);
    expect(exitCode).toBeUndefined();
    // What a daemon does when all pilots are gone.
    rmSync(request);
    attempt.lock.release();
    await clock.advance(1000);
    expect(await waiting).toBe(0);
  });

  it('does not do it again when a quick daemon has carried it out before anybody looks', async () => {
    const rundir = tempDirectory();
    const request = join(rundir, 'force-stop');
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    if (!attempt.held) throw new Error('the lock is taken');
    const carryOut = () => {
      if (!existsSync(request)) {
        setImmediate(carryOut);
        return;
      }
      rmSync(request);
      attempt.lock.release();
    };
    carryOut();
    const context = recordingContext({
      createDaemon: () => {
        throw new Error('a second daemon');
      },
    });

    expect(await forceStop(context, { rundir })).toBe(0);
    expect(context.stdout.join()).toContain('its pilots are gone');
  });

  it('does the work itself when the daemon it waits for is killed half-way', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    if (!attempt.held) throw new Error('the lock is taken');
    const clock = createFakeClock();
    let ran = 0;
    const context = recordingContext({
      clock,
      createDaemon: (given) => ({
        ...idleDaemon(given),
        run: () => {
          ran += 1;
          rmSync(join(rundir, 'force-stop'));
          return Promise.resolve({ why: 'force-stop' });
        },
      }),
    });
    const waiting = forceStop(context, { rundir, logdir: rundir });
    while (clock.sleepers === 0) await systemClock.sleep(5);
    attempt.lock.release();
    await clock.advance(1000);
    expect(await waiting).toBe(0);
    expect(ran).toBe(1);
  });

  it('does not claim to be done when it is interrupted', async () => {
    const rundir = tempDirectory();
    const context = recordingContext({ createDaemon: idleDaemon });
    const trying = forceStop(context, { rundir, logdir: rundir });
    while (context.messages.length === 0) await systemClock.sleep(5);
    context.signal('SIGINT');
    expect(await trying).toBe(75);
    expect(existsSync(join(rundir, 'force-stop'))).toBe(true);
  });

  it('keeps the request and ends with 75 when pilots cannot be removed in time', async () => {
    const rundir = tempDirectory();
    const clock = createFakeClock();
    const context = recordingContext({ clock, createDaemon: idleDaemon });
    const trying = forceStop(context, { rundir, logdir: rundir });
    while (context.messages.length === 0) await systemClock.sleep(5);
    await clock.advance(600_000);
    expect(await trying).toBe(75);
    expect(existsSync(join(rundir, 'force-stop'))).toBe(true);
  });

  describe('without daemon and engine', () => {
    /** One look at an engine that does not let itself be used, then an idle daemon. */
    function contextWith(failure: EngineFailure['kind']): RecordingContext {
      return recordingContext({
        createDaemon: (given) => ({
          ...idleDaemon(given),
          run: () => {
            const engine = { host: 'unix:///none', version: undefined, apiVersion: undefined, failure };
            given.onCycle(aStatus({ cycles: 1, health: 'waiting', trouble: 'no engine there', engine }));
            return idleDaemon(given).run();
          },
        }),
      });
    }

    it.each([
      ['unreachable', 69],
      ['forbidden', 77],
    ] as const)('ends at once and asks for nothing (%s)', async (failure, exitCode) => {
      const rundir = tempDirectory();
      const trying = forceStop(contextWith(failure), { rundir, logdir: rundir });
      await expect(trying).rejects.toMatchObject({ exitCode, message: 'no pilot was removed: no engine there' });
      expect(existsSync(join(rundir, 'force-stop'))).toBe(false);
    });

    it('asks for nothing where it cannot begin', async () => {
      const rundir = tempDirectory();
      mkdirSync(join(rundir, 'lock'));
      await expect(forceStop(recordingContext(), { rundir, logdir: rundir })).rejects.toMatchObject({ exitCode: 73 });
      expect(existsSync(join(rundir, 'force-stop'))).toBe(false);
    });

    it('keeps a request that was there before', async () => {
      const rundir = tempDirectory();
      writeFileSync(join(rundir, 'force-stop'), '');
      await expect(forceStop(contextWith('unreachable'), { rundir, logdir: rundir })).rejects.toThrow(
        'no engine there',
      );
      expect(existsSync(join(rundir, 'force-stop'))).toBe(true);
    });

    it('waits for an engine that is only slow', async () => {
      const rundir = tempDirectory();
      const context = contextWith('timeout');
      const trying = forceStop(context, { rundir, logdir: rundir });
      while (context.messages.length === 0) await systemClock.sleep(5);
      context.signal('SIGINT');
      expect(await trying).toBe(75);
    });
  });
});
