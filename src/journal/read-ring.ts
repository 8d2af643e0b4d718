import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { partsOf } from './ring.js';

/** No line is longer; what is has been overwritten. */
const LONGEST_LINE = 4_000_000;

export interface RingRead<Entry> {
  readonly entries: readonly Entry[];
  /** Lines that are no entries: torn by a crash, or overwritten; and parts that are no files. */
  readonly damaged: number;
}

export type Fields = Readonly<Record<string, unknown>>;

/** What a line holds, if that is fields. */
export function parseFields(line: string): Fields | undefined {
  if (line.length > LONGEST_LINE) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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

/**
 * Reads a ring, the oldest entry first. `toEntry`: undefined where the fields of a line are none; `isWanted`: the others are read and left out; `sinceMs`: parts
 * that were written to before that only are not read at all. Rejects
 * with the error of the system; a folder that is not there is an empty ring.
 */
export async function readRing<Entry>(
  folder: string,
  toEntry: (fields: Fields) => Entry | undefined,
  isWanted: (entry: Entry) => boolean = () => true,
  sinceMs = -Infinity,
): Promise<RingRead<Entry>> {
  const entries: Entry[] = [];
  let damaged = 0;
  for (const part of await partsOrNone(folder)) {
    const file = join(folder, part);
    // One that has gone meanwhile does not matter.
    const about = await stat(file).catch(() => undefined);
    if (about !== undefined && about.mtimeMs < sinceMs) continue;
    if (about?.isFile() === false) {
      damaged += 1;
      continue;
    }
    for await (const line of linesOf(file)) {
      const fields = parseFields(line);
      const entry = fields && toEntry(fields);
      if (entry === undefined) damaged += 1;
      else if (isWanted(entry)) entries.push(entry);
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
