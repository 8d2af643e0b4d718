import type { JournalEntry } from '../journal/journal.js';
import { wordOfAnyVersion, type Level } from '../report/words.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { formatLogLine } from './log-line.js';
import { readOwnJournal } from './own-journal.js';
import { resolvePaths } from './paths.js';
import { jsonText } from './json-text.js';

export interface HistoryOptions extends CliOptions {
  readonly json?: boolean;
  /** Ms since 1970. */
  readonly since: number;
}

/** As pino numbers them. */
const severities: Readonly<Record<Level, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** What happened, and not each look at the host. */
function isEvent({ type }: JournalEntry): boolean {
  return type !== 'cycle' && type !== 'cycle-held';
}

/** One line, as in the log. */
export function formatEntry(entry: JournalEntry): string {
  const { level, message, facts } = wordOfAnyVersion(entry);
  const fields = Object.entries(facts).filter(([, value]) => value !== undefined);
  return formatLogLine({ level: severities[level], time: entry.at, msg: message, fields });
}

/** Prints what happened since a moment, one line each, the oldest first. Returns the exit code; throws a CliError where they cannot be read. */
export async function showHistory(context: CliContext, options: HistoryOptions): Promise<number> {
  const span = { sinceMs: options.since, untilMs: Infinity, isWanted: isEvent };
  const { entries } = await readOwnJournal(context, resolvePaths(options, context), span);
  for (const entry of entries) context.out(options.json === true ? jsonText(entry) : formatEntry(entry));
  if (entries.length === 0 && options.json !== true)
    context.out('nothing happened since then, or nothing was kept of it');
  return exitCodes.ok;
}
