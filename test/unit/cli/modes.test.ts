import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainError } from '../../../src/cli/exit-codes.js';
import { changeMode } from '../../../src/cli/mode-commands.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { showStatus } from '../../../src/cli/status-command.js';
import { removeStatusFile, writeStatusFile } from '../../../src/cli/status-file.js';
import { systemClock } from '../../../src/clock.js';
import { requestMode } from '../../../src/observe/run-mode.js';
import { writePidFile } from '../../../src/cli/pid-file.js';
import { aStatus } from '../../support/a-status.js';
import { recordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';
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

  it.each([
    ['drain', 'starts no pilots until `planctonctl resume`'],
    ['drain-stop', 'starts no pilots until `planctonctl resume`'],
    ['active', 'no drain and no force-stop is left'],
  ] as const)('say one thing that is true when there is no daemon yet (%s)', async (mode, meaning) => {
    const context = recordingContext();
    expect(await changeMode(context, { rundir: tempDirectory() }, mode)).toBe(0);
    expect(context.stdout).toEqual([expect.stringMatching(/^plancton is not running;/)]);
    expect(context.stdout.join('')).toContain(meaning);
  });

  it('say that an unfinished force-stop goes before a drain', async () => {
    const rundir = tempDirectory();
    writeFileSync(join(rundir, 'force-stop'), '');
    const context = recordingContext();
    expect(await changeMode(context, { rundir }, 'drain')).toBe(0);
    expect(context.stdout.join()).toContain('goes first');
    expect(await changeMode(context, { rundir }, 'active')).toBe(0);
    expect(readdirSync(rundir)).toEqual([]);
  });

  it('tell what the daemon that runs does now', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    const context = recordingContext();
    writeStatusFile(rundir, aStatus({ mode: 'drain' }));
    const resumed = changeMode(context, { rundir }, 'active');
    await systemClock.sleep(200);
    expect(context.stdout).toEqual([]);
    writeStatusFile(rundir, aStatus({ mode: 'active' }));
    expect(await resumed).toBe(0);
    expect(context.stdout).toEqual(['resumed: pilots are started again']);
    if (attempt.held) attempt.lock.release();
  });

  it('end with 75 where the daemon that runs takes no note, and leave the request', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    writeStatusFile(rundir, aStatus({ mode: 'active' }));
    const clock = createFakeClock();
    const context = recordingContext({ clock });
    let exitCode: number | undefined;
    void changeMode(context, { rundir }, 'drain').then((code) => (exitCode = code));
    while (exitCode === undefined) await clock.advance(1000);
    expect(exitCode).toBe(75);
    expect(context.stdout).toEqual([]);
    expect(context.stderr.join()).toContain('has not taken note within 10 s; the request stays');
    expect(readdirSync(rundir)).toContain('drain');
    if (attempt.held) attempt.lock.release();
  });

  it('end with 73 and a sentence where a request cannot be taken back', async () => {
    const rundir = tempDirectory();
    mkdirSync(join(rundir, 'drain'));
    writeFileSync(join(rundir, 'drain', 'precious'), '');
    const failure: unknown = await changeMode(recordingContext(), { rundir }, 'active').catch(
      (error: unknown) => error,
    );
    expect(explainError(failure)).toEqual({
      exitCode: 73,
      text: `cannot remove ${join(rundir, 'drain')}: it is a directory with something in it`,
    });
    expect(readdirSync(join(rundir, 'drain'))).toEqual(['precious']);
  });
});

describe('status', () => {
  it('is 3 and creates nothing where no daemon ever ran', async () => {
    const home = tempDirectory();
    const context = recordingContext({ uid: 1000, home });
    expect(await showStatus(context, {})).toBe(3);
    expect(context.stdout).toEqual(['plancton is not running']);
    expect(readdirSync(home)).toEqual([]);
  });

  it.each([
    ['drain', /it is drained/],
    ['force-stop', /a force-stop is not finished/],
  ] as const)('tells of a %s that waits for the next daemon', async (mode, told) => {
    const rundir = tempDirectory();
    await requestMode(rundir, mode);
    const context = recordingContext();
    expect(await showStatus(context, { rundir })).toBe(3);
    expect(context.stdout.pop()).toMatch(told);
    await showStatus(context, { rundir, json: true });
    expect(JSON.parse(context.stdout.pop() ?? '')).toMatchObject({ running: false, mode });
  });

  it('is 1 when a daemon died and left its pid file', async () => {
    const rundir = tempDirectory();
    writePidFile(join(rundir, 'plancton.pid'), process.pid);
    const context = recordingContext();
    expect(await showStatus(context, { rundir })).toBe(1);
    expect(context.stdout.join('')).toContain(join(rundir, 'plancton.pid'));
  });

  it('is 0 while a daemon holds the lock, and shows what it left last', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    const context = recordingContext();
    expect(await showStatus(context, { rundir })).toBe(0);
    expect(context.stdout.pop()).toBe('plancton is starting, or of another version (pid 4711)');
    writeStatusFile(rundir, aStatus({ at: new Date().toISOString(), atBootMs: systemClock.now().bootMs }));
    expect(await showStatus(context, { rundir })).toBe(0);
    expect(context.stdout.pop()).toContain('is running on wn042');
    removeStatusFile(rundir);
    if (attempt.held) attempt.lock.release();
  });

  it('says the same in JSON', async () => {
    const rundir = tempDirectory();
    const context = recordingContext();
    expect(await showStatus(context, { rundir, json: true })).toBe(3);
    expect(JSON.parse(context.stdout.pop() ?? '')).toEqual({
      apiVersion: 'plancton/v1',
      kind: 'Status',
      running: false,
      mode: 'active',
    });
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    writeStatusFile(rundir, aStatus());
    await showStatus(context, { rundir, json: true });
    expect(JSON.parse(context.stdout.pop() ?? '')).toMatchObject({
      running: true,
      pid: 4711,
      mode: 'active',
      cycles: 240,
    });
    if (attempt.held) attempt.lock.release();
  });
});
