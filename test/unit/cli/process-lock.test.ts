import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { acquireProcessLock, lockHolder, type ProcessLock } from '../../../src/cli/process-lock.js';
import { tempDirectory } from '../../support/temp-directory.js';

async function held(runDir: string, pid: number): Promise<ProcessLock> {
  const attempt = await acquireProcessLock(runDir, pid, systemClock);
  if (!attempt.held) throw new Error('the lock is taken');
  return attempt.lock;
}

describe('the process lock', () => {
  it('lets only one daemon use a run directory, and tells who', async () => {
    const runDir = tempDirectory();
    const lock = await held(runDir, 4711);
    expect(await acquireProcessLock(runDir, 4712, systemClock)).toEqual({ held: false, pid: 4711 });
    expect(lockHolder(runDir)).toEqual({ pid: 4711 });
    lock.release();
    expect(lockHolder(runDir)).toBeUndefined();
  });

  it('can be taken again once it was released', async () => {
    const runDir = tempDirectory();
    (await held(runDir, 1)).release();
    (await held(runDir, 2)).release();
  });

  it('is gone with its holder, even by kill -9, and a reused pid is not taken for the daemon', async () => {
    const runDir = tempDirectory();
    const lockFile = join(runDir, 'lock');
    const holder = spawn('flock', [lockFile, 'sleep', '60'], { stdio: 'ignore', detached: true });
    await once(holder, 'spawn');
    while (!existsSync(lockFile) || lockHolder(runDir) === undefined) await systemClock.sleep(10);
    // The pid of a process that lives and is no daemon.
    writeFileSync(lockFile, `${process.pid}\n`);
    expect(lockHolder(runDir)).toEqual({ pid: process.pid });
    process.kill(-(holder.pid ?? 0), 'SIGKILL');
    await once(holder, 'exit');
    while (lockHolder(runDir) !== undefined) await systemClock.sleep(10);
    const lock = await held(runDir, 99);
    expect(readFileSync(lockFile, 'utf8')).toBe('99\n');
    lock.release();
  });

  it('is not inherited by the programs that its holder starts', async () => {
    const runDir = tempDirectory();
    const lock = await held(runDir, 1);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await once(child, 'spawn');
    lock.release();
    expect(lockHolder(runDir)).toBeUndefined();
  });

  it('creates nothing when it only looks', () => {
    const runDir = tempDirectory();
    expect(lockHolder(runDir)).toBeUndefined();
    expect(lockHolder(join(runDir, 'missing'))).toBeUndefined();
    expect(existsSync(join(runDir, 'lock'))).toBe(false);
  });

  it('knows when the file that others find is another one, or none', async () => {
    const runDir = join(tempDirectory(), 'run');
    mkdirSync(runDir);
    const lock = await held(runDir, 1);
    expect(lock.isInPlace()).toBe(true);
    renameSync(runDir, `${runDir}.gone`);
    expect(lock.isInPlace()).toBe(false);
    mkdirSync(runDir);
    writeFileSync(join(runDir, 'lock'), '1\n');
    expect(lock.isInPlace()).toBe(false);
    rmSync(runDir, { recursive: true });
    renameSync(`${runDir}.gone`, runDir);
    expect(lock.isInPlace()).toBe(true);
    lock.release();
  });

  it('does not follow a link that somebody planted', async () => {
    const runDir = tempDirectory();
    const victim = join(runDir, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(runDir, 'lock'));
    await expect(acquireProcessLock(runDir, 1, systemClock)).rejects.toMatchObject({ exitCode: 73 });
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  it('names the run directory it cannot write in', async () => {
    const missing = join(tempDirectory(), 'missing');
    await expect(acquireProcessLock(missing, 1, systemClock)).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringContaining(missing) as string,
    });
  });

  it('says how to mend it where something else has the place of the lock', async () => {
    const runDir = tempDirectory();
    mkdirSync(join(runDir, 'lock'));
    await expect(acquireProcessLock(runDir, 1, systemClock)).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringMatching(/EISDIR on .*lock\); remove what is in its place, or .*--rundir/) as string,
    });
  });

  it('does not wait for a pipe in the place of the lock', async () => {
    const runDir = tempDirectory();
    execFileSync('mkfifo', [join(runDir, 'lock')]);
    expect(lockHolder(runDir)).toBeUndefined();
    await expect(acquireProcessLock(runDir, 1, systemClock)).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringContaining('remove what is in its place') as string,
    });
  });

  it('tells a path that leads nowhere from one that may not be read', () => {
    const runDir = tempDirectory();
    symlinkSync(runDir, join(runDir, 'lock'));
    expect(() => lockHolder(runDir)).toThrow(expect.objectContaining({ exitCode: 73 }));
  });
});
