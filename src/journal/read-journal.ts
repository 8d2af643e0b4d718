import { toJournalEntry } from './entry-shape.js';
import type { JournalEntry } from './journal.js';
import { readRing, type RingRead } from './read-ring.js';

export interface ReadOptions {
  readonly folder: string;
  /** Ms since 1970; entries at or after it. */
  readonly sinceMs: number;
  /** Entries before it. */
  readonly untilMs: number;
  readonly isWanted: (entry: JournalEntry) => boolean;
}

/** Reads a journal, the oldest entry first. Rejects with the error of the system; a folder that is not there is an empty journal. */
export async function readJournal({
  folder,
  sinceMs,
  untilMs,
  isWanted,
}: ReadOptions): Promise<RingRead<JournalEntry>> {
  const isAsked = (entry: JournalEntry) => entry.at >= sinceMs && entry.at < untilMs && isWanted(entry);
  return readRing(folder, toJournalEntry, isAsked, sinceMs);
}
