import { statSync, unlinkSync } from 'node:fs';
import { CliError, exitCodes, explainError, systemErrorCode } from './exit-codes.js';
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
  try {
    unlinkSync(file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return;
    throw new CliError(
      explainError(error).exitCode,
      `cannot remove the pid file ${file} (${code ?? String(error)}); remove it, or choose another place with --pidfile`,
      { cause: error },
    );
  }
}
