import { join } from 'node:path';
import { JOURNAL_FOLDER, type JournalEntry } from '../journal/journal.js';
import { readJournal } from '../journal/read-journal.js';
import { wordOfAnyVersion, type Level } from '../report/words.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { formatLogLine } from './log-line.js';
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

/** Prints what happened since a moment, one line each, the oldest first. Returns the exit code; throws what the file system says. */
export async function showHistory(context: CliContext, options: HistoryOptions): Promise<number> {
  const { stateDir } = resolvePaths(options, context);
  const folder = join(stateDir, JOURNAL_FOLDER);
  const span = { sinceMs: options.since, untilMs: Infinity };
  const { entries, damaged } = await readJournal({ folder, ...span, isWanted: isEvent });
  for (const entry of entries) context.out(options.json === true ? jsonText(entry) : formatEntry(entry));
  if (damaged > 0) context.err(`planctonctl: ${damaged} damaged lines of the journal were skipped`);
  if (entries.length === 0 && options.json !== true)
    context.out('nothing happened since then, or nothing was kept of it');
  return exitCodes.ok;
}
