import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { formatLogLine, formatMessage, journalPrefix, parseLogRecord } from './log-line.js';
import { RotatingFile } from './rotating-file.js';

export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** What the original kept. */
const rotation = { maxBytes: 10_000_000, keep: 50 };

export interface LogPlan {
  readonly format: LogFormat;
  /** `journal`: stdout is the journal, which has times and files of its own. */
  readonly target: 'journal' | 'file' | 'file-and-stdout';
  readonly file: string;
  /** Writes to stdout as it is. */
  stdout(text: string): void;
}

/** Takes pino's JSON lines and puts them where people look for them. */
export interface LogOutput {
  write(json: string): void;
  /** Goes on in a new file, after a log rotation from outside. */
  reopen(): void;
  close(): void;
}

function openLogFile(file: string): RotatingFile {
  try {
    return new RotatingFile(file, rotation);
  } catch (error) {
    throw new CliError(
      exitCodes.cannotCreate,
      `cannot write the log file ${file} (${systemErrorCode(error) ?? String(error)}); make it writable, or choose another place with --logdir`,
      { cause: error },
    );
  }
}

/** Throws a CliError (73) when there is to be a log file and it cannot be opened. */
export function openLogOutput(plan: LogPlan): LogOutput {
  const file = plan.target === 'journal' ? undefined : openLogFile(plan.file);
  return {
    write: (json) => {
      const record = parseLogRecord(json);
      const body = (text: string) => (plan.format === 'json' ? json.trimEnd() : text);
      if (plan.target === 'journal') {
        plan.stdout(`${journalPrefix(record.level)}${body(formatMessage(record))}\n`);
        return;
      }
      const line = `${body(formatLogLine(record))}\n`;
      file?.write(line);
      if (plan.target === 'file-and-stdout') plan.stdout(line);
    },
    reopen: () => file?.reopen(),
    close: () => file?.close(),
  };
}
