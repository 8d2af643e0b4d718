import type { PilotUsage } from '../model.js';
import type { RecordedOutcome, RecordedPilot } from '../report/recorded-event.js';
import type { JournalEntry } from './journal.js';
import { seenHost, type SeenSpan } from './seen-host.js';

export type EndKind = 'completed' | 'failed' | 'evicted' | 'expired' | 'force-stop' | 'never-started';

/** One pilot that is gone. */
export interface PilotAccount {
  /** Ms since 1970, when it was removed. */
  readonly at: number;
  readonly name: string;
  readonly flavour: string;
  readonly image: string;
  readonly revision: string;
  readonly end: EndKind;
  readonly exitCode: number | undefined;
  readonly wallSeconds: number | undefined;
  /** As of the last look at the host before its end; undefined: it was gone before the first. */
  readonly cpuSeconds: number | undefined;
  readonly memoryPeakBytes: number | undefined;
  readonly blockBytes: number | undefined;
  readonly networkBytes: number | undefined;
}

/** Pilots of one flavour that ended in one way. */
export interface AccountRow {
  readonly flavour: string;
  readonly end: EndKind;
  readonly pilots: number;
  readonly wallHours: number;
  readonly cpuHours: number;
  readonly memoryPeakBytes: number | undefined;
  /** As far as they are known; undefined: of none. */
  readonly blockBytes: number | undefined;
  readonly networkBytes: number | undefined;
}

/** What a host has given, and to whom. Hours of one CPU. */
export interface Account {
  /** Hours that samples cover. */
  readonly seenHours: number;
  readonly donated: number;
  /** Promised to pilots and not used by them. */
  readonly idleInPilots: number;
  readonly others: number;
  readonly idle: number;
  readonly rows: readonly AccountRow[];
  readonly pilots: readonly PilotAccount[];
}

function endKind(reason: string, { ended }: RecordedOutcome): EndKind {
  if (reason !== 'exited') return reason as EndKind;
  return ended?.exitCode === 0 && !ended.oomKilled ? 'completed' : 'failed';
}

function toPilot(
  at: number,
  { name, flavour, image, revision }: RecordedPilot,
  outcome: RecordedOutcome,
  { reason, usage }: { readonly reason: string; readonly usage: PilotUsage | undefined },
): PilotAccount {
  const { ended } = outcome;
  const [startedMs, finishedMs] = [ended?.startedWallMs, ended?.finishedWallMs];
  const isTimed = startedMs !== undefined && finishedMs !== undefined;
  return {
    ...{ at, name, flavour, image, revision, end: endKind(reason, outcome), exitCode: ended?.exitCode },
    wallSeconds: isTimed ? Math.max(0, finishedMs - startedMs) / 1000 : undefined,
    cpuSeconds: usage?.cpuSeconds,
    memoryPeakBytes: usage?.memoryPeakBytes,
    blockBytes: usage?.blockBytes,
    networkBytes: usage?.networkBytes,
  };
}

function pilotsOf(entries: readonly JournalEntry[]): readonly PilotAccount[] {
  return entries.flatMap((entry) => {
    if (entry.type !== 'action-ended' || entry.outcome.result !== 'done') return [];
    const { action } = entry.outcome;
    if (action.type !== 'remove') return [];
    return [toPilot(entry.at, action.pilot, entry.outcome, { reason: action.reason, usage: entry.usage })];
  });
}

/** Of those that are known; undefined: none is. */
function ofKnown(
  values: readonly (number | undefined)[],
  reckon: (known: readonly number[]) => number,
): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : reckon(known);
}

const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), -Infinity);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function toRow(pilots: readonly PilotAccount[]): AccountRow {
  const [{ flavour, end } = { flavour: '', end: 'completed' as const }] = pilots;
  const hours = (of: (pilot: PilotAccount) => number | undefined) => (ofKnown(pilots.map(of), sum) ?? 0) / 3600;
  return {
    ...{ flavour, end, pilots: pilots.length },
    wallHours: hours(({ wallSeconds }) => wallSeconds),
    cpuHours: hours(({ cpuSeconds }) => cpuSeconds),
    memoryPeakBytes: ofKnown(
      pilots.map(({ memoryPeakBytes }) => memoryPeakBytes),
      largest,
    ),
    blockBytes: ofKnown(
      pilots.map(({ blockBytes }) => blockBytes),
      sum,
    ),
    networkBytes: ofKnown(
      pilots.map(({ networkBytes }) => networkBytes),
      sum,
    ),
  };
}

function rowsOf(pilots: readonly PilotAccount[]): readonly AccountRow[] {
  const groups = new Map<string, PilotAccount[]>();
  for (const pilot of pilots) {
    const key = `${pilot.flavour}/${pilot.end}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [pilot]);
    else group.push(pilot);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => toRow(group));
}

function cpuHours(spans: readonly SeenSpan[], of: (span: SeenSpan) => number): number {
  return spans.reduce((sum, span) => sum + of(span) * span.seconds, 0) / 3600;
}

/** Reckons up the entries of some time. What pilots have used in all is read off the host; what each has used, as far as it was seen. */
export function account(entries: readonly JournalEntry[]): Account {
  const { spans } = seenHost(entries);
  const pilots = pilotsOf(entries);
  return {
    seenHours: cpuHours(spans, () => 1),
    donated: cpuHours(spans, ({ own }) => own),
    idleInPilots: cpuHours(spans, ({ own, promised }) => Math.max(0, promised - own)),
    others: cpuHours(spans, ({ foreign }) => foreign),
    idle: cpuHours(spans, ({ idle }) => idle),
    rows: rowsOf(pilots),
    pilots,
  };
}
