import type { createLogger } from '../report/logger.js';
import type { Status } from '../report/status.js';
import type { CliContext } from './context.js';
import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { claimDirectories, type Paths } from './paths.js';
import { readPidFile, removePidFile, writePidFile } from './pid-file.js';
import { acquireProcessLock, type ProcessLock } from './process-lock.js';
import { removeStatusFile, writeStatusFile } from './status-file.js';

type Logger = ReturnType<typeof createLogger>;
type FilesContext = Pick<CliContext, 'pid' | 'clock'>;

/** Throws a CliError: another daemon is there (75), or the directory cannot be written (73). */
async function lockRunDirectory(context: FilesContext, runDir: string): Promise<ProcessLock> {
  const attempt = await acquireProcessLock(runDir, context.pid, context.clock);
  if (attempt.held) return attempt.lock;
  throw new CliError(
    exitCodes.tryLater,
    `another plancton (pid ${attempt.pid ?? 'unknown'}) already uses the run directory ${runDir}; ` +
      'stop it first, or give this one a --rundir of its own',
  );
}

/**
 * Lock, pid file and status file of the one daemon of a run directory. Invariant: nothing is written below that name
 * unless the lock file there is the very file we hold, for a directory that was moved away may have a new owner.
 */
export class DaemonFiles {
  readonly #context: FilesContext;
  readonly #paths: Paths;
  #lock: ProcessLock;
  #retaking: Promise<void> | undefined;
  #unwritable = false;

  private constructor(context: FilesContext, paths: Paths, lock: ProcessLock) {
    this.#context = context;
    this.#paths = paths;
    this.#lock = lock;
  }

  /** Takes the lock of the run directory. Throws a CliError: another daemon has it (75), it cannot be written (73). */
  static async take(context: FilesContext, paths: Paths): Promise<DaemonFiles> {
    return new DaemonFiles(context, paths, await lockRunDirectory(context, paths.runDir));
  }

  /** Tells others that this daemon runs now. Throws a CliError (73). */
  announce(): void {
    // What the last daemon left when it was killed is not about us.
    removeStatusFile(this.#paths.runDir);
    writePidFile(this.#paths.pidFile, this.#context.pid);
  }

  /**
   * Leaves the state after a cycle. A run directory that was moved away is made and locked again first; rejects with a
   * CliError when that fails, which means that this daemon has to end: another one is there (75), it cannot be made (73).
   */
  async keepStatus(status: Status, logger: Logger): Promise<void> {
    if (this.#retaking !== undefined) return;
    if (!this.#lock.isInPlace()) {
      this.#retaking = this.#retake(logger);
      await this.#retaking;
      this.#retaking = undefined;
    }
    this.#write(status, logger);
  }

  /** Takes away what is ours, once what `keepStatus` has begun is done. */
  async leave(): Promise<void> {
    await this.#retaking?.catch(() => undefined);
    this.remove();
  }

  /** Takes away the pid file and the status file, where they are ours. */
  remove(): void {
    const { pidFile, runDir } = this.#paths;
    if (this.#ownsPidFile()) removePidFile(pidFile);
    if (!this.#lock.isInPlace()) return;
    try {
      removeStatusFile(runDir);
    } catch {
      // What stands in its place is not ours; that no status could be written there was logged.
    }
  }

  release(): void {
    this.#lock.release();
  }

  async #retake(logger: Logger): Promise<void> {
    const { runDir, stateDir, pidFile } = this.#paths;
    claimDirectories([runDir, stateDir]);
    const lock = await lockRunDirectory(this.#context, runDir);
    // Not earlier: as long as we have no other lock, nobody should get the old one.
    this.#lock.release();
    this.#lock = lock;
    writePidFile(pidFile, this.#context.pid);
    logger.warn(
      { runDir },
      'the run directory was moved away or removed; it is made and locked again, but a drain asked for in the old one is forgotten',
    );
  }

  /** The daemon can do its work without anybody being able to read how it is: a full disk is no reason to stop. */
  #write(status: Status, logger: Logger): void {
    const { runDir } = this.#paths;
    try {
      writeStatusFile(runDir, status);
    } catch (error) {
      if (!this.#unwritable) {
        const reason = systemErrorCode(error) ?? String(error);
        logger.error(
          { runDir, reason },
          'cannot write the status file; the daemon goes on, but `planctonctl status` shows an old state until there is space or permission',
        );
      }
      this.#unwritable = true;
      return;
    }
    if (this.#unwritable) logger.info({ runDir }, 'the status file is written again');
    this.#unwritable = false;
  }

  #ownsPidFile(): boolean {
    return readPidFile(this.#paths.pidFile) === this.#context.pid;
  }
}
