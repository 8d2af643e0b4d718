import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { CliError, exitCodes, explainError, systemErrorCode } from './exit-codes.js';
import { refuseForeignFile, whyForeign } from './own-files.js';

const flockDeadlineMs = 5000;
const attempts = 5;
const pauseMs = 100;

/**
 * Takes or tests a flock(2) on an open file. Node cannot lock files itself; the lock belongs to the open file
 * description, which we share with the flock command for a moment and keep when it has ended.
 */
function flock(fd: number, kind: 'exclusive' | 'shared'): boolean {
  const args = ['-n', kind === 'exclusive' ? '-x' : '-s', '3'];
  const child = spawnSync('flock', args, { stdio: ['ignore', 'ignore', 'ignore', fd], timeout: flockDeadlineMs });
  if (child.status === 0) return true;
  if (child.status === 1) return false;
  const reason = child.error?.message ?? `it ended with ${String(child.status ?? child.signal)}`;
  throw new CliError(exitCodes.unavailable, `cannot lock with the flock command (${reason}); it comes with util-linux`);
}

/** Pid in the lock file; undefined while its holder has not written it yet. */
function readPid(fd: number): number | undefined {
  const pid = Number(readFileSync(fd, 'utf8').trim());
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** A lock that is held until `release`, or until the process dies, however it dies. */
export class ProcessLock {
  readonly #fd: number;
  readonly #file: string;

  constructor(fd: number, file: string) {
    this.#fd = fd;
    this.#file = file;
  }

  /**
   * Whether the lock file that others find is still the one we hold: where its directory was moved away or replaced, they
   * find another or none. True where that cannot be told.
   */
  isInPlace(): boolean {
    try {
      const found = lstatSync(this.#file, { bigint: true });
      const held = fstatSync(this.#fd, { bigint: true });
      return found.ino === held.ino && found.dev === held.dev;
    } catch (error) {
      return !['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE'].includes(systemErrorCode(error) ?? '');
    }
  }

  release(): void {
    // The file stays: removing it would let two daemons lock two different files of the same name.
    ftruncateSync(this.#fd);
    closeSync(this.#fd);
  }
}

export type LockAttempt =
  { readonly held: true; readonly lock: ProcessLock } | { readonly held: false; readonly pid: number | undefined };

function lockFile(runDir: string): string {
  return join(runDir, 'lock');
}

function openLock(runDir: string): number {
  const file = lockFile(runDir);
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    refuseForeignFile(fd, file);
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw unwritable(runDir, error);
  }
}

function unwritable(runDir: string, error: unknown): CliError {
  const code = systemErrorCode(error) ?? String(error);
  const cures: Record<string, string> = {
    ENOSPC: 'free some space',
    EDQUOT: 'free some space',
    EISDIR: 'remove what is in its place',
    // No file, or not ours.
    EINVAL: 'remove what is in its place',
    ELOOP: 'remove what is in its place',
  };
  return new CliError(
    exitCodes.cannotCreate,
    `cannot write in the run directory ${runDir} (${code} on ${lockFile(runDir)}); ` +
      `${cures[code] ?? 'make it writable'}, or choose another with --rundir`,
    { cause: error },
  );
}

/** Leaves the pid of the holder for others to read. */
function writePid(fd: number, runDir: string, pid: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${pid}\n`, 0);
  } catch (error) {
    closeSync(fd);
    throw unwritable(runDir, error);
  }
}

/** Makes `pid` the only daemon of a run directory, or tells who is. Throws a CliError (73) if the directory is unwritable. */
export async function acquireProcessLock(runDir: string, pid: number, clock: Clock): Promise<LockAttempt> {
  const fd = openLock(runDir);
  for (let attempt = 1; ; attempt += 1) {
    if (flock(fd, 'exclusive')) {
      writePid(fd, runDir, pid);
      return { held: true, lock: new ProcessLock(fd, lockFile(runDir)) };
    }
    if (attempt === attempts) break;
    // Somebody may only be asking who runs, which holds the lock for a moment.
    await clock.sleep(pauseMs);
  }
  const holder = readPid(fd);
  closeSync(fd);
  return { held: false, pid: holder };
}

/** Who holds the lock of a run directory: undefined = nobody. Creates nothing. Throws a CliError if that may (77) or can (73) not be known. */
export function lockHolder(runDir: string): { readonly pid: number | undefined } | undefined {
  const file = lockFile(runDir);
  let fd: number;
  try {
    // Not blocking: a pipe in its place must not hold us up.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const { exitCode } = explainError(error);
    const cure =
      exitCode === exitCodes.noPermission
        ? 'run this as the owner of the daemon'
        : 'remove what is in its place, or choose another run directory with --rundir';
    throw new CliError(exitCode, `cannot read ${file} (${code ?? String(error)}); ${cure}`, { cause: error });
  }
  try {
    // No daemon made that.
    if (!fstatSync(fd).isFile()) return undefined;
    const why = whyForeign(fd);
    if (why !== undefined) {
      const text = `${file} ${why}: who runs there cannot be known; run this as that user, or remove it`;
      throw new CliError(exitCodes.noPermission, text);
    }
    return flock(fd, 'shared') ? undefined : { pid: readPid(fd) };
  } finally {
    closeSync(fd);
  }
}
