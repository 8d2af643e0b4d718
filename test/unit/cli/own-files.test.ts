import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { claimDirectories } from '../../../src/cli/paths.js';
import { readPidFile, writePidFile } from '../../../src/cli/pid-file.js';
import { acquireProcessLock, lockHolder } from '../../../src/cli/process-lock.js';
import { RotatingFile } from '../../../src/cli/rotating-file.js';
import { readStatusFile, writeStatusFile } from '../../../src/cli/status-file.js';
import { requestMode } from '../../../src/observe/run-mode.js';
import { aStatus } from '../../support/a-status.js';
import { tempDirectory } from '../../support/temp-directory.js';

// Each test is an attack of somebody else on this host; only root can give files away.
const asRoot = it.runIf(process.getuid?.() === 0);
const stranger = 12_345;
const rotation = { maxBytes: 100, keep: 2 };

let dir: string;
let victim: string;
beforeEach(() => {
  dir = tempDirectory();
  mkdirSync(join(dir, 'elsewhere'));
  victim = join(dir, 'elsewhere', 'victim');
  writeFileSync(victim, '1');
});

function refusal(folder: string): string {
  try {
    claimDirectories([folder]);
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 73 });
    return String(error);
  }
  return '';
}

describe('a folder', () => {
  it('is made where it is missing, also below a folder like /tmp, and taken again', () => {
    const folder = join(dir, 'run');
    expect(refusal(folder)).toBe('');
    expect(refusal(folder)).toBe('');
  });

  it.each([0o777, 0o1777, 0o702])('that everybody may write to (%o) is refused', (mode) => {
    const folder = join(dir, 'shared');
    mkdirSync(folder);
    chmodSync(folder, mode);
    expect(refusal(folder)).toContain(`everybody may write to ${folder}`);
    expect(refusal(join(folder, 'run')) === '').toBe((mode & 0o1000) !== 0);
  });

  it('is kept where its group may write, who was let in by its owner', () => {
    const folder = join(dir, 'operators');
    mkdirSync(folder);
    chmodSync(folder, 0o770);
    expect(refusal(folder)).toBe('');
  });

  asRoot('of somebody else is refused, and so is one inside of it', () => {
    const folder = join(dir, 'theirs');
    mkdirSync(join(folder, 'run'), { recursive: true });
    chownSync(folder, stranger, stranger);
    for (const path of [folder, join(folder, 'run')]) {
      expect(refusal(path)).toContain(`${folder} belongs to somebody else (user ${stranger})`);
    }
  });

  asRoot('behind a link of somebody else is refused, wherever that leads', () => {
    const shared = join(dir, 'tmp');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const link = join(shared, 'plancton');
    symlinkSync(join(dir, 'elsewhere'), link);
    expect(refusal(link)).toBe('');
    execFileSync('chown', ['-h', String(stranger), link]);
    expect(refusal(link)).toContain('belongs to somebody else');
  });

  it('behind a link of ours is judged by where that leads', () => {
    chmodSync(join(dir, 'elsewhere'), 0o777);
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'link'));
    expect(refusal(join(dir, 'link'))).toContain('everybody may write');
  });
});

describe('the lock', () => {
  const lock = () => join(dir, 'lock');
  const take = () => acquireProcessLock(dir, 1, systemClock);

  it.each(['symlink', 'second name', 'pipe'])('does not touch what a %s in its place leads to', async (kind) => {
    if (kind === 'symlink') symlinkSync(victim, lock());
    else if (kind === 'pipe') execFileSync('mkfifo', [lock()]);
    else linkSync(victim, lock());
    await expect(take()).rejects.toMatchObject({
      exitCode: 73,
      message: expect.stringContaining('remove what is in its place') as string,
    });
    expect(readFileSync(victim, 'utf8')).toBe('1');
  });

  asRoot('of somebody else is neither taken nor believed', async () => {
    writeFileSync(lock(), '1');
    chownSync(lock(), stranger, stranger);
    await expect(take()).rejects.toMatchObject({ exitCode: 73 });
    expect(() => lockHolder(dir)).toThrow(expect.objectContaining({ exitCode: 77 }));
  });
});

describe('the log', () => {
  const log = () => join(dir, 'plancton.log');

  it.each(['symlink', 'second name', 'pipe'])('is not written into a %s', (kind) => {
    if (kind === 'symlink') symlinkSync(victim, log());
    else if (kind === 'pipe') execFileSync('mkfifo', [log()]);
    else linkSync(victim, log());
    expect(() => new RotatingFile(log(), rotation)).toThrow();
    expect(readFileSync(victim, 'utf8')).toBe('1');
  });

  asRoot('is not written into a file of somebody else', () => {
    writeFileSync(log(), '');
    chownSync(log(), stranger, stranger);
    expect(() => new RotatingFile(log(), rotation)).toThrow('belongs to somebody else');
    expect(readFileSync(log(), 'utf8')).toBe('');
  });

  it('goes on in its old file where a link was planted for the new one', () => {
    const file = new RotatingFile(log(), rotation);
    renameSync(log(), join(dir, 'moved'));
    symlinkSync(victim, log());
    file.reopen();
    file.write('line\n');
    file.close();
    expect(readFileSync(victim, 'utf8')).toBe('1');
    expect(readFileSync(join(dir, 'moved'), 'utf8')).toBe('line\n');
  });

  it('keeps no link among its old files from being just renamed', () => {
    symlinkSync(victim, `${log()}.1`);
    const file = new RotatingFile(log(), rotation);
    file.write('x'.repeat(200));
    file.write('next\n');
    file.close();
    expect(readFileSync(victim, 'utf8')).toBe('1');
    expect(readlinkSync(`${log()}.2`)).toBe(victim);
  });
});

describe('the status', () => {
  it('takes the place of a planted link, and nothing happens to what it led to', () => {
    symlinkSync(victim, join(dir, 'status.json'));
    writeStatusFile(dir, aStatus());
    expect(readFileSync(victim, 'utf8')).toBe('1');
    expect(readStatusFile(dir)).toEqual(aStatus());
  });

  it.each(['symlink', 'second name', 'pipe'])('is not read through a %s', (kind) => {
    writeFileSync(victim, JSON.stringify(aStatus()));
    if (kind === 'symlink') symlinkSync(victim, join(dir, 'status.json'));
    else if (kind === 'pipe') execFileSync('mkfifo', [join(dir, 'status.json')]);
    else linkSync(victim, join(dir, 'status.json'));
    expect(readStatusFile(dir)).toBeUndefined();
  });
});

describe('the pid file', () => {
  const file = () => join(dir, 'plancton.pid');

  it.each(['symlink', 'second name', 'pipe'])('is no %s', (kind) => {
    if (kind === 'symlink') symlinkSync(victim, file());
    else if (kind === 'pipe') execFileSync('mkfifo', [file()]);
    else linkSync(victim, file());
    expect(readPidFile(file())).toBeUndefined();
    expect(() => {
      writePidFile(file(), 77);
    }).toThrow(expect.objectContaining({ exitCode: 73 }));
    expect(readFileSync(victim, 'utf8')).toBe('1');
  });

  asRoot('of somebody else is neither believed nor replaced', () => {
    writeFileSync(file(), '1\n');
    chownSync(file(), stranger, stranger);
    expect(readPidFile(file())).toBeUndefined();
    expect(() => {
      writePidFile(file(), 77);
    }).toThrow('no pid file');
  });
});

describe('a request for a mode', () => {
  it('is made without following a link', async () => {
    rmSync(victim);
    symlinkSync(victim, join(dir, 'drain'));
    await requestMode(dir, 'drain');
    expect(() => readFileSync(victim)).toThrow('ENOENT');
    await requestMode(dir, 'active');
    expect(() => readlinkSync(join(dir, 'drain'))).toThrow('ENOENT');
  });
});
