import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { CliOptions } from '../../../src/cli/context.js';
import { acquireProcessLock, lockHolder } from '../../../src/cli/process-lock.js';
import { runDaemon } from '../../../src/cli/run-daemon.js';
import { systemClock } from '../../../src/clock.js';
import type { DaemonOptions } from '../../../src/daemon/options.js';
import { aStatus } from '../../support/a-status.js';
import { idleDaemon, recordingContext, type RecordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

interface Stage {
  readonly context: RecordingContext;
  readonly options: Required<Pick<CliOptions, 'rundir' | 'logdir' | 'confdir'>>;
  readonly running: Promise<number>;
  readonly statusFile: string;
  readonly pidFile: string;
  /** As if the daemon had ended a cycle. */
  readonly cycle: () => void;
  readonly log: () => string;
}

/** A daemon that runs, and whose cycles the test ends. */
async function aRunningDaemon(): Promise<Stage> {
  const base = tempDirectory();
  const rundir = join(base, 'run');
  const options = { rundir, logdir: join(base, 'log'), confdir: join(base, 'conf') };
  let told: DaemonOptions | undefined;
  const context = recordingContext({
    createDaemon: (given) => {
      told = given;
      return idleDaemon(given);
    },
  });
  const running = runDaemon(context, options, { quiet: true });
  await vi.waitFor(() => {
    expect(context.messages).not.toEqual([]);
  });
  return {
    ...{ context, options, running },
    statusFile: join(rundir, 'status.json'),
    pidFile: join(rundir, 'plancton.pid'),
    cycle: () => told?.onCycle(aStatus()),
    log: () => readFileSync(join(options.logdir, 'plancton.log'), 'utf8'),
  };
}

/** The lock of a run directory, as another daemon would take it. */
async function anotherDaemon(runDir: string): Promise<{ release(): void }> {
  mkdirSync(runDir, { recursive: true });
  const attempt = await acquireProcessLock(runDir, 4711, systemClock);
  if (!attempt.held) throw new Error('the lock is taken');
  return attempt.lock;
}

describe('a directory in the place of the status file', () => {
  it('is told to whoever starts the daemon', async () => {
    const rundir = tempDirectory();
    mkdirSync(join(rundir, 'status.json'));
    await expect(runDaemon(recordingContext(), { rundir, logdir: rundir }, { quiet: true })).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringMatching(
        /^cannot remove the status file .*status\.json \(EISDIR\); remove it, or/,
      ) as string,
    });
  });

  it('does not make the end of a daemon look like a crash', async () => {
    const { context, running, statusFile, pidFile } = await aRunningDaemon();
    rmSync(statusFile, { force: true });
    mkdirSync(statusFile);
    context.signal('SIGTERM');
    expect(await running).toBe(0);
    expect(existsSync(pidFile)).toBe(false);
    expect(existsSync(statusFile)).toBe(true);
  });
});

describe('drafts that a killed daemon has left', () => {
  it('are gone once the next one runs, and nothing else is', async () => {
    const rundir = tempDirectory();
    const drafts = ['status.json.0123456789ab', 'plancton.pid.ba9876543210'];
    const others = ['status.json.backup', 'status.json.0123456789abcd', 'other.0123456789ab'];
    for (const name of [...drafts, ...others]) writeFileSync(join(rundir, name), '');
    const context = recordingContext({ createDaemon: idleDaemon });
    const running = runDaemon(context, { rundir, logdir: join(rundir, 'log'), confdir: rundir }, { quiet: true });
    await vi.waitFor(() => {
      expect(context.messages).not.toEqual([]);
    });

    expect(drafts.filter((name) => existsSync(join(rundir, name)))).toEqual([]);
    expect(others.filter((name) => existsSync(join(rundir, name)))).toEqual(others);
    context.signal('SIGTERM');
    await running;
  });
});

describe('a daemon whose run directory is moved away', () => {
  it('makes and locks it again, so that no second one can start beside it', async () => {
    const { context, options, running, statusFile, pidFile, cycle, log } = await aRunningDaemon();
    renameSync(options.rundir, `${options.rundir}.gone`);
    cycle();
    await vi.waitFor(() => {
      expect(existsSync(statusFile)).toBe(true);
    });
    expect(statSync(options.rundir).mode & 0o777).toBe(0o700);
    expect(lockHolder(options.rundir)).toEqual({ pid: process.pid });
    expect(lockHolder(`${options.rundir}.gone`)).toBeUndefined();
    expect(readFileSync(pidFile, 'utf8')).toBe(`${process.pid}\n`);
    await expect(runDaemon(recordingContext(), options, { quiet: true })).rejects.toMatchObject({ exitCode: 75 });
    expect(log()).toMatch(/WARNING the run directory was moved away or removed; it is made and locked again/);
    context.signal('SIGTERM');
    expect(await running).toBe(0);
    expect(lockHolder(options.rundir)).toBeUndefined();
    expect(existsSync(pidFile)).toBe(false);
  });

  it('locks the new lock file where only that was replaced', async () => {
    const { context, options, running, cycle } = await aRunningDaemon();
    rmSync(join(options.rundir, 'lock'));
    cycle();
    await vi.waitFor(() => {
      expect(lockHolder(options.rundir)).toEqual({ pid: process.pid });
    });
    context.signal('SIGTERM');
    expect(await running).toBe(0);
  });

  it('ends with 75 where another daemon has the new one, and leaves the files of that one alone', async () => {
    const { context, options, running, statusFile, pidFile, cycle, log } = await aRunningDaemon();
    renameSync(options.rundir, `${options.rundir}.gone`);
    const other = await anotherDaemon(options.rundir);
    writeFileSync(pidFile, '4711\n');
    writeFileSync(statusFile, 'its status');
    cycle();
    expect(await running).toBe(75);
    expect(context.stderr.join('\n')).toMatch(/another plancton \(pid 4711\) already uses the run directory/);
    expect(log()).toContain('this daemon ends, pilots stay');
    expect(log()).not.toContain('.ts:');
    expect(readFileSync(pidFile, 'utf8')).toBe('4711\n');
    expect(readFileSync(statusFile, 'utf8')).toBe('its status');
    expect(lockHolder(options.rundir)).toEqual({ pid: 4711 });
    other.release();
  });

  it('ends with 73 where it cannot be made again', async () => {
    const { context, options, running, cycle } = await aRunningDaemon();
    renameSync(options.rundir, `${options.rundir}.gone`);
    writeFileSync(options.rundir, 'a file');
    cycle();
    expect(await running).toBe(73);
    expect(context.stderr.join('\n')).toContain(`cannot create the directory ${options.rundir}`);
  });
});

describe('a daemon that cannot write its status', () => {
  it('says so once, as a sentence, and once more when it can again', async () => {
    const { context, running, statusFile, cycle, log } = await aRunningDaemon();
    mkdirSync(join(statusFile, 'in the way'), { recursive: true });
    for (let count = 0; count < 3; count += 1) cycle();
    await vi.waitFor(() => {
      expect(log()).toContain('cannot write the status file');
    });
    rmSync(statusFile, { recursive: true });
    for (let count = 0; count < 3; count += 1) cycle();
    await vi.waitFor(() => {
      expect(log()).toContain('written again');
    });
    context.signal('SIGTERM');
    expect(await running).toBe(0);
    expect(log().match(/cannot write the status file/g)).toHaveLength(1);
    expect(log().match(/written again/g)).toHaveLength(1);
    expect(log()).not.toContain('    at ');
    expect(log()).not.toContain('stack');
  });
});
