import { dayOf } from '../journal/day.js';
import type { JournalEntry } from '../journal/journal.js';
import { readJournal } from '../journal/read-journal.js';
import { record, type RecordedEvent } from '../report/recorded-event.js';
import type { DaemonEvent } from '../report/event.js';
import type { EventLine, History } from '../report/shown.js';
import { wordOfAnyVersion } from '../report/words.js';

const DAY_MS = 24 * 3_600_000;
const MOST_EVENTS = 200;

/** Undefined: nobody but a developer wants to know. */
export function toLine(event: RecordedEvent, at: number): EventLine | undefined {
  const { level, message, facts } = wordOfAnyVersion(event);
  return level === 'debug' ? undefined : { at, level, message, facts };
}

/** As `toLine`, for one that has just happened. */
export function toLiveLine(event: DaemonEvent, at: number): EventLine | undefined {
  return event.type === 'cycle' ? undefined : toLine(record(event), at);
}

function linesOf(entries: readonly JournalEntry[]): readonly EventLine[] {
  const lines: EventLine[] = [];
  for (let index = entries.length - 1; index >= 0 && lines.length < MOST_EVENTS; index -= 1) {
    const entry = entries[index];
    const line = entry && toLine(entry, entry.at);
    if (line !== undefined) lines.unshift(line);
  }
  return lines;
}

/** Reads the last day out of the journal in this folder. Takes its time: not for the thread of the loop. Rejects with the error of the system. */
export async function readHistory(folder: string, nowMs: number): Promise<History> {
  const span = { sinceMs: nowMs - DAY_MS, untilMs: nowMs };
  const { entries, damaged } = await readJournal({ folder, ...span, isWanted: () => true });
  return {
    ...{ apiVersion: 'plancton/v1', kind: 'History' },
    since: new Date(span.sinceMs).toISOString(),
    until: new Date(nowMs).toISOString(),
    ...dayOf(entries, span.sinceMs, nowMs),
    events: linesOf(entries),
    damaged,
  };
}
