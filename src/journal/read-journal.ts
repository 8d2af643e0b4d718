import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { JournalEntry } from './journal.js';
import { partsOf } from './ring.js';

/** No line is longer; what is has been overwritten. */
const LONGEST_LINE = 4_000_000;

export interface JournalRead {
  readonly entries: readonly JournalEntry[];
  /** Lines that are no entries: torn by a crash, or overwritten. */
  readonly damaged: number;
}

export interface ReadOptions {
  readonly folder: string;
  /** Ms since 1970; entries at or after it. */
  readonly sinceMs: number;
  /** Entries before it. */
  readonly untilMs: number;
  readonly isWanted: (entry: JournalEntry) => boolean;
}

function parseEntry(line: string): JournalEntry | undefined {
  if (line.length > LONGEST_LINE) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it is what this version writes, as far as others reckon with it. */
function isEntry(value: unknown): value is JournalEntry {
  if (!isFields(value) || !Number.isFinite(value['at']) || typeof value['type'] !== 'string') return false;
  if (value['type'] !== 'cycle') return true;
  const { observation, plan } = value;
  return isFields(observation) && isFields(plan) && Array.isArray(plan['gates']) && Array.isArray(plan['holds']);
}

/** The lines of a part; none where it has gone since it was listed. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file, { encoding: 'utf8' });
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) if (line !== '') yield line;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    input.destroy();
  }
}

/** Reads a journal, the oldest entry first. Rejects with the error of the system; a folder that is not there is an empty journal. */
export async function readJournal({ folder, sinceMs, untilMs, isWanted }: ReadOptions): Promise<JournalRead> {
  const entries: JournalEntry[] = [];
  let damaged = 0;
  for (const part of await partsOrNone(folder)) {
    for await (const line of linesOf(join(folder, part))) {
      const entry = parseEntry(line);
      if (entry === undefined) damaged += 1;
      else if (entry.at >= sinceMs && entry.at < untilMs && isWanted(entry)) entries.push(entry);
    }
  }
  return { entries, damaged };
}

async function partsOrNone(folder: string): Promise<readonly string[]> {
  try {
    return await partsOf(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
