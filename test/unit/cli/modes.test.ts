import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changeMode } from '../../../src/cli/mode-commands.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { showStatus } from '../../../src/cli/status-command.js';
import { removeStatusFile, writeStatusFile } from '../../../src/cli/status-file.js';
import { systemClock } from '../../../src/clock.js';
import { writePidFile } from '../../../src/cli/pid-file.js';
import { aStatus } from '../../support/a-status.js';
import { recordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

describe('drain, drain-stop and resume', () => {
  it('leave the files that the daemon looks for', async () => {
    const rundir = join(tempDirectory(), 'run');
    const context = recordingContext();
    await changeMode(context, { rundir }, 'drain');
    expect(readdirSync(rundir)).toEqual(['drain']);
    await changeMode(context, { rundir }, 'drain-stop');
    expect(readdirSync(rundir)).toEqual(['drain', 'stop']);
    await changeMode(context, { rundir }, 'active');
    expect(readdirSync(rundir)).toEqual([]);
  });

  it('say when there is no daemon to see them yet', async () => {
    const context = recordingContext();
    expect(await changeMode(context, { rundir: tempDirectory() }, 'drain')).toBe(0);
    expect(context.stdout.join('\n')).toContain('not running');
  });
});

describe('status', () => {
  it('is 3 and creates nothing where no daemon ever ran', () => {
    const home = tempDirectory();
    const context = recordingContext({ uid: 1000, home });
    expect(showStatus(context, {})).toBe(3);
    expect(context.stdout).toEqual(['plancton is not running']);
    expect(readdirSync(home)).toEqual([]);
  });

  it('is 1 when a daemon died and left its pid file', () => {
    const rundir = tempDirectory();
    writePidFile(join(rundir, 'plancton.pid'), process.pid);
    const context = recordingContext();
    expect(showStatus(context, { rundir })).toBe(1);
    expect(context.stdout.join('')).toContain(join(rundir, 'plancton.pid'));
  });

  it('is 0 while a daemon holds the lock, and shows what it left last', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    const context = recordingContext();
    expect(showStatus(context, { rundir })).toBe(0);
    expect(context.stdout.pop()).toBe('plancton is starting (pid 4711)');
    writeStatusFile(rundir, aStatus());
    expect(showStatus(context, { rundir })).toBe(0);
    expect(context.stdout.pop()).toContain('is running on wn042');
    removeStatusFile(rundir);
    if (attempt.held) attempt.lock.release();
  });

  it('says the same in JSON', async () => {
    const rundir = tempDirectory();
    const context = recordingContext();
    expect(showStatus(context, { rundir, json: true })).toBe(3);
    expect(JSON.parse(context.stdout.pop() ?? '')).toEqual({
      apiVersion: 'plancton/v1',
      kind: 'Status',
      running: false,
    });
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    writeStatusFile(rundir, aStatus());
    showStatus(context, { rundir, json: true });
    expect(JSON.parse(context.stdout.pop() ?? '')).toMatchObject({
      running: true,
      pid: 4711,
      mode: 'active',
      cycles: 240,
    });
    if (attempt.held) attempt.lock.release();
  });
});
