import type { RecordedCycle, RecordedOutcome } from '../report/recorded-event.js';
import type { JournalEntry } from './journal.js';

/** One look at the host, for as long as its sample covers. CPUs. */
export interface SeenSpan {
  /** When it ended, ms since 1970. */
  readonly at: number;
  readonly seconds: number;
  readonly cpus: number;
  /** What others used. */
  readonly foreign: number;
  readonly idle: number;
  /** What pilots used, and what they had been promised. */
  readonly own: number;
  readonly promised: number;
  /** How many ran, and how many would have fitted. */
  readonly pilots: number;
  readonly admissible: number;
}

/** What a host went through, as far as its daemon saw it. */
export interface SeenHost {
  /** In order; time in which nobody looked is left out. */
  readonly spans: readonly SeenSpan[];
  /** Seconds, of the pilots that ended by themselves. */
  readonly lives: readonly number[];
  /** Seconds, of those that were evicted. */
  readonly evictedLives: readonly number[];
  readonly spawned: number;
  readonly completed: number;
  readonly evicted: number;
  readonly expired: number;
}

/** What a cycle's sample says; undefined: it has none, or none that tells pilots from others. `at`: ms since 1970. */
export function toSpan({ observation, plan }: RecordedCycle, at: number): SeenSpan | undefined {
  const { sample, pilots } = observation;
  const { capacity } = plan;
  if (sample?.own === undefined || !(sample.spanMs > 0)) return undefined;
  const { spanMs, cpus, busy, idle, own, service } = sample;
  return {
    at,
    seconds: spanMs / 1000,
    cpus,
    foreign: Math.max(0, busy - own - service),
    idle,
    own,
    promised: capacity.promised,
    pilots: pilots.running ?? 0,
    admissible: capacity.admissible ?? 0,
  };
}

/** One for each sample: cycles between two samples see the same one. */
function spansOf(entries: readonly JournalEntry[]): readonly SeenSpan[] {
  const spans: SeenSpan[] = [];
  let lastMs: number | undefined;
  for (const entry of entries) {
    if (entry.type !== 'cycle' || entry.observation.sample?.monoMs === lastMs) continue;
    lastMs = entry.observation.sample?.monoMs;
    const span = toSpan(entry, entry.at);
    if (span !== undefined) spans.push(span);
  }
  return spans;
}

function lifeSeconds({ ended }: RecordedOutcome): readonly number[] {
  if (ended?.startedWallMs === undefined || ended.finishedWallMs === undefined) return [];
  return [Math.max(0, ended.finishedWallMs - ended.startedWallMs) / 1000];
}

/** Sums up the entries of some time. */
export function seenHost(entries: readonly JournalEntry[]): SeenHost {
  const outcomes = entries.flatMap((entry) => (entry.type === 'action-ended' ? [entry.outcome] : []));
  const done = outcomes.filter(({ result }) => result === 'done');
  const removed = (reason: string) => done.filter(({ action }) => action.type === 'remove' && action.reason === reason);
  const [exited, evicted] = [removed('exited'), removed('evicted')];
  return {
    spans: spansOf(entries),
    lives: exited.flatMap(lifeSeconds),
    evictedLives: evicted.flatMap(lifeSeconds),
    spawned: done.filter(({ action }) => action.type === 'spawn').length,
    completed: exited.length,
    evicted: evicted.length,
    expired: removed('expired').length,
  };
}
