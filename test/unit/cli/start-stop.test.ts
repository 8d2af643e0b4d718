import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { runDaemon } from '../../../src/cli/run-daemon.js';
import { start, stop } from '../../../src/cli/start-stop.js';
import { showStatus } from '../../../src/cli/status-command.js';
import { systemClock } from '../../../src/clock.js';
import { recordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { tempDirectory } from '../../support/temp-directory.js';

describe('stop', () => {
  it('says every ten seconds what it waits for, and kills a daemon that hangs after two minutes', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    const clock = createFakeClock();
    const signals: string[] = [];
    const context = recordingContext({
      clock,
      kill: (pid, signal) => {
        signals.push(`${signal} ${pid}`);
        // What the system does.
        if (signal === 'SIGKILL' && attempt.held) attempt.lock.release();
      },
    });
    const stopping = stop(context, { rundir });
    while (clock.sleepers === 0) await systemClock.sleep(5);
    await clock.advance(9000);
    expect(context.stderr).toEqual([]);
    await clock.advance(2000);
    expect(context.stderr).toEqual([expect.stringMatching(/pid 4711.*for 10 s now; after 120 s it is killed/)]);
    await clock.advance(108_000);
    expect(context.stderr).toHaveLength(11);
    expect(signals).toEqual(['SIGTERM 4711']);
    await clock.advance(2000);
    expect(await stopping).toBe(0);
    expect(signals).toEqual(['SIGTERM 4711', 'SIGKILL 4711']);
  });

  it.each([
    [
      'a directory',
      (file: string) => {
        mkdirSync(file);
      },
    ],
    [
      'a file with something else in it',
      (file: string) => {
        writeFileSync(file, 'precious');
      },
    ],
    [
      'a link',
      (file: string) => {
        symlinkSync('/nowhere', file);
      },
    ],
  ])('takes %s for no pid file and leaves it alone; a daemon that would write there says so', async (_what, put) => {
    const folder = tempDirectory();
    const places = { rundir: join(folder, 'run'), logdir: folder, pidfile: join(folder, 'pid') };
    put(places.pidfile);
    expect(await stop(recordingContext(), places)).toBe(0);
    expect(await showStatus(recordingContext(), places)).toBe(3);
    await expect(runDaemon(recordingContext(), places, { quiet: true })).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringContaining(`${places.pidfile} is there and is no pid file`) as string,
    });
    expect(readdirSync(folder)).toContain('pid');
  });
});

describe('start', () => {
  it('leaves a force-stop that is not finished alone, and says how to go on', async () => {
    const rundir = tempDirectory();
    writeFileSync(join(rundir, 'force-stop'), '');
    const context = recordingContext();
    expect(await start(context, { rundir })).toBe(75);
    expect(context.stderr.join()).toContain('`planctonctl resume` calls it off');
    expect(readdirSync(rundir)).toEqual(['force-stop']);
  });
});
