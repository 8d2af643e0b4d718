import { join } from 'node:path';
import { JOURNAL_FOLDER, type JournalEntry } from '../journal/journal.js';
import { readJournal, type ReadOptions } from '../journal/read-journal.js';
import type { RingRead } from '../journal/read-ring.js';
import type { CliContext } from './context.js';
import { CliError, exitCodes, explainError, systemErrorCode } from './exit-codes.js';
import type { Paths } from './paths.js';

/** What is kept in a folder of the daemon. Throws a CliError where it may (77) or can (66) not be read. */
export async function readKept<Entry>(folder: string, read: Promise<RingRead<Entry>>): Promise<RingRead<Entry>> {
  try {
    return await read;
  } catch (error) {
    const isForbidden = explainError(error).exitCode === exitCodes.noPermission;
    const cure = isForbidden ? 'run this as the owner of the daemon' : 'see to that folder, or move it away';
    const why = systemErrorCode(error) ?? String(error);
    const exitCode = isForbidden ? exitCodes.noPermission : exitCodes.noInput;
    throw new CliError(exitCode, `cannot read ${folder} (${why}); ${cure}`, { cause: error });
  }
}

/** Reads the journal of the daemon of these paths, and says what of it was skipped. Throws a CliError where it may (77) or can (66) not be read. */
export async function readOwnJournal(
  context: Pick<CliContext, 'err'>,
  { stateDir }: Pick<Paths, 'stateDir'>,
  span: Omit<ReadOptions, 'folder'>,
): Promise<{ readonly folder: string; readonly entries: readonly JournalEntry[] }> {
  const folder = join(stateDir, JOURNAL_FOLDER);
  const { entries, damaged } = await readKept(folder, readJournal({ folder, ...span }));
  if (damaged > 0) context.err(`planctonctl: ${damaged} damaged lines of the journal were skipped`);
  return { folder, entries };
}
