import { lstatSync } from 'node:fs';
import { CliError, exitCodes } from './exit-codes.js';
import { readOwnFile } from './own-files.js';
import { removeFile } from './remove-file.js';
import { removeDrafts, writeFileAtomic } from './write-file-atomic.js';

/** More than any number needs. */
const maxBytes = 32;

/** The pid in a file; 0 where it holds nothing, as when the disk was full; undefined: it is no pid file. */
export function readPidFile(file: string): number | undefined {
  try {
    const text = readOwnFile(file, maxBytes);
    return /^\s*\d*\s*$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a daemon left its pid here: a plain file with a number in it, or with nothing. Anything else, like /dev/null or a file named by
 * mistake, is neither written nor removed.
 */
export function hasPidFile(file: string): boolean {
  return readPidFile(file) !== undefined;
}

function isThere(file: string): boolean {
  try {
    lstatSync(file);
    return true;
  } catch {
    return false;
  }
}

/** For scripts only: who runs is decided by the lock. Throws a CliError (73). */
export function writePidFile(file: string, pid: number): void {
  if (isThere(file) && !hasPidFile(file)) {
    throw new CliError(
      exitCodes.cannotCreate,
      `${file} is there and is no pid file; remove it, or choose another place with --pidfile`,
    );
  }
  removeDrafts(file);
  try {
    writeFileAtomic(file, `${pid}\n`, 0o644);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(
      exitCodes.cannotCreate,
      `cannot write the pid file ${file} (${reason}); choose another place with --pidfile`,
      { cause: error },
    );
  }
}

/** None there is fine. Throws a CliError where it is not ours to remove (77). */
export function removePidFile(file: string): void {
  if (hasPidFile(file)) removeFile(file, 'the pid file', 'choose another place with --pidfile');
}
