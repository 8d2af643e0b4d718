import { logLevels, type LogLevel } from '../report/logger.js';
import { setting, type CliContext, type CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import type { LogPlan } from './log-output.js';

/** How much is logged, from the environment. Throws a CliError (64) for a level that does not exist. */
export function wantedLogLevel(context: Pick<CliContext, 'env'>): LogLevel {
  const wanted = setting(context, 'PLANCTON_LOG_LEVEL') ?? 'info';
  const level = logLevels.find((known) => known === wanted);
  if (level !== undefined) return level;
  throw new CliError(exitCodes.usage, `PLANCTON_LOG_LEVEL is "${wanted}"; it may be ${logLevels.join(', ')}`);
}

/** Where log lines go: to the journal alone where stdout is one, else to the file, and to stdout too unless that is to be quiet. */
export function planLog(context: CliContext, options: CliOptions, file: string, quiet: boolean): LogPlan {
  const toStdout = context.stdoutIsJournal ? 'journal' : 'file-and-stdout';
  return {
    format: options.logFormat ?? 'text',
    target: quiet ? 'file' : toStdout,
    file,
    stdout: (text) => {
      context.out(text.trimEnd());
    },
  };
}
