import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
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

  it('says what is in the place of the pid file, and status takes it for no pid file', async () => {
    const folder = tempDirectory();
    const places = { rundir: join(folder, 'run'), pidfile: join(folder, 'pid') };
    mkdirSync(places.pidfile);
    await expect(stop(recordingContext(), places)).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringMatching(/^cannot remove the pid file .*EISDIR.*--pidfile$/) as string,
    });
    const context = recordingContext();
    expect(showStatus(context, places)).toBe(3);
    expect(context.stdout).toEqual(['plancton is not running']);
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
