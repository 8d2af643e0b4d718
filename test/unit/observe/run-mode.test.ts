import { lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunMode } from '../../../src/model.js';
import { clearForceStop, clearStop, readRunMode, requestMode } from '../../../src/observe/run-mode.js';

describe('run mode', () => {
  let runDir = '';
  beforeEach(async () => {
    runDir = await mkdtemp(join(tmpdir(), 'plancton-run-'));
  });
  afterEach(() => rm(runDir, { recursive: true }));

  const table: { readonly files: readonly string[]; readonly mode: RunMode }[] = [
    { files: [], mode: 'active' },
    { files: ['drain'], mode: 'drain' },
    { files: ['stop'], mode: 'active' },
    { files: ['drain', 'stop'], mode: 'drain-stop' },
    { files: ['force-stop'], mode: 'force-stop' },
    { files: ['drain', 'stop', 'force-stop'], mode: 'force-stop' },
    { files: ['draining', 'stopped'], mode: 'active' },
  ];
  it.each(table)('reads $files, made by hand, as $mode', async ({ files, mode }) => {
    for (const name of files) await writeFile(join(runDir, name), '');
    expect(await readRunMode(runDir)).toBe(mode);
  });

  it('does not take a run directory that cannot be read for an active daemon', async () => {
    await expect(readRunMode(join(runDir, 'missing'))).rejects.toThrow(/cannot read the run directory .*missing/);
  });

  it.each<RunMode>(['active', 'drain', 'drain-stop', 'force-stop'])('reads back a request for %s', async (mode) => {
    await requestMode(runDir, mode);
    await requestMode(runDir, mode);
    expect(await readRunMode(runDir)).toBe(mode);
  });

  it('turns a drain into a drain-stop and back', async () => {
    await requestMode(runDir, 'drain');
    await requestMode(runDir, 'drain-stop');
    expect(await readRunMode(runDir)).toBe('drain-stop');
    await requestMode(runDir, 'drain');
    expect(await readRunMode(runDir)).toBe('drain');
  });

  it('leaves no trace of a drain-stop after a resume, so that a later drain only drains', async () => {
    await requestMode(runDir, 'drain-stop');
    await requestMode(runDir, 'force-stop');
    await requestMode(runDir, 'active');
    expect(await readdir(runDir)).toEqual([]);
  });

  it('takes back what was asked for by an empty directory or a link', async () => {
    const victim = join(runDir, 'victim');
    await mkdir(victim);
    await mkdir(join(runDir, 'drain'));
    await symlink(victim, join(runDir, 'stop'));
    await requestMode(runDir, 'active');
    expect(await readdir(runDir)).toEqual(['victim']);
  });

  it('names a request that it cannot take back, and removes nothing else', async () => {
    await mkdir(join(runDir, 'drain', 'deeper'), { recursive: true });
    await expect(requestMode(runDir, 'active')).rejects.toThrow(/cannot remove .*drain: it is a directory with/);
    expect(await readRunMode(runDir)).toBe('drain');
  });

  it('keeps the host drained after a drain-stop was carried out', async () => {
    await requestMode(runDir, 'drain-stop');
    await clearStop(runDir);
    await clearStop(runDir);
    expect(await readRunMode(runDir)).toBe('drain');
  });

  it('forgets a force-stop that was carried out and keeps the drain', async () => {
    await requestMode(runDir, 'drain');
    await requestMode(runDir, 'force-stop');
    await clearForceStop(runDir);
    expect(await readRunMode(runDir)).toBe('drain');
  });

  it('makes files that everybody can see, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      await requestMode(runDir, 'drain');
    } finally {
      process.umask(before);
    }
    expect((await lstat(join(runDir, 'drain'))).mode & 0o777).toBe(0o644);
  });

  it('does not write through a link that somebody put there', async () => {
    const victim = join(runDir, 'victim');
    await writeFile(victim, 'precious');
    await symlink(victim, join(runDir, 'drain'));
    await requestMode(runDir, 'drain');
    expect(await readFile(victim, 'utf8')).toBe('precious');
    expect(await readRunMode(runDir)).toBe('drain');
  });
});
