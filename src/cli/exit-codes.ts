/** Exit codes, after sysexits.h. */
export const exitCodes = {
  ok: 0,
  usage: 64,
  /** A file that was named is not there. */
  noInput: 66,
  /** The daemon or the engine is not there. */
  unavailable: 69,
  /** A bug of ours. */
  software: 70,
  /** A file or directory cannot be made. */
  cannotCreate: 73,
  /** Somebody else is busy with it, or it took too long: try later. */
  tryLater: 75,
  noPermission: 77,
  config: 78,
} as const;

/** Exit codes of `status`, after the Linux Standard Base. */
export const statusCodes = { running: 0, deadWithPidFile: 1, stopped: 3, unknown: 4 } as const;

/** Ends a command: `message` goes to stderr as it is, `exitCode` to the shell. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

/** The `code` of a failed system call, e.g. `EACCES`, also where it is the cause of another error; undefined for the rest. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : systemErrorCode(error.cause);
}

/** What a file system says when something cannot be made, written or removed and nobody's rights are the reason. */
const fileTroubles = 'ENOSPC EDQUOT EROFS ENOENT ENOTDIR EISDIR ENOTEMPTY EEXIST EBUSY ELOOP ENAMETOOLONG EIO'.split(
  ' ',
);

/** What to print and return for an error that nobody caught: a bug of ours with its stack, the rest as a sentence. */
export function explainError(error: unknown): { readonly exitCode: number; readonly text: string } {
  if (error instanceof CliError) return { exitCode: error.exitCode, text: error.message };
  if (!(error instanceof Error)) return { exitCode: exitCodes.software, text: String(error) };
  const code = systemErrorCode(error);
  if (code === 'EACCES' || code === 'EPERM') return { exitCode: exitCodes.noPermission, text: error.message };
  if (code !== undefined && fileTroubles.includes(code))
    return { exitCode: exitCodes.cannotCreate, text: error.message };
  return { exitCode: exitCodes.software, text: `this is a bug in plancton: ${error.stack ?? error.message}` };
}
