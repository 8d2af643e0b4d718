import { rmSync } from 'node:fs';
import { CliError, exitCodes } from './exit-codes.js';
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

export function removePidFile(file: string): void {
  rmSync(file, { force: true });
}
