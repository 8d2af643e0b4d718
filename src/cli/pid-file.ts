import { statSync } from 'node:fs';
import { CliError, exitCodes } from './exit-codes.js';
import { removeFile } from './remove-file.js';
import { writeFileAtomic } from './write-file-atomic.js';

/** For scripts only: who runs is decided by the lock. Throws a CliError (73). */
export function writePidFile(file: string, pid: number): void {
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

/** Whether a daemon left its pid here. */
export function hasPidFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** None there is fine. Throws a CliError: not ours to remove (77), or no file (73). */
export function removePidFile(file: string): void {
  removeFile(file, 'the pid file', 'choose another place with --pidfile');
}
