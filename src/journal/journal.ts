import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { DaemonEvent, EventSink, TellTrouble } from '../report/event.js';
import { record, type RecordedCycle, type RecordedEvent } from '../report/recorded-event.js';
import { createRing } from './ring.js';

/** In the state directory. */
export const JOURNAL_FOLDER = 'journal';
/** As it is called among all places where what happens is kept or sent to. */
export const JOURNAL_SINK = 'journal';

/** Progress and calls, of engine and source, are for those who watch; post-mortems have a place of their own. */
const NOT_KEPT: ReadonlySet<RecordedEvent['type']> = new Set([
  'pull-progress',
  'post-mortem',
  'engine-called',
  'config-asked',
]);

/** One line of the journal. `at`: ms since 1970. */
export type JournalEntry = RecordedEvent & { readonly at: number };

export interface JournalOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Undefined: there is no configuration yet, and nothing is kept. */
  readonly limits: () => Pick<Config, 'journal_size' | 'journal_age'> | undefined;
  readonly onTrouble: TellTrouble;
}

export interface Journal {
  readonly sink: EventSink;
  /** Why what happens is not kept; undefined: it is. */
  trouble(): string | undefined;
  close(deadlineMs: number): Promise<void>;
}

/** A cycle that saw and decided what the one before it did says nothing. */
function isNews(cycle: RecordedCycle, before: RecordedCycle | undefined): boolean {
  if (before === undefined || cycle.plan.actions.length > 0) return true;
  const gates = ({ plan }: RecordedCycle) => plan.holds.map(({ gate }) => gate).join();
  return (
    cycle.observation.sample?.seq !== before.observation.sample?.seq ||
    cycle.observation.mode !== before.observation.mode ||
    gates(cycle) !== gates(before)
  );
}

/** Keeps what happens, as data, for `explain`, `history` and the like. */
export function createJournal({ folder, clock, limits, onTrouble }: JournalOptions): Journal {
  const ring = createRing({ folder, clock, onTrouble });
  let last: RecordedCycle | undefined;

  function isKept(event: RecordedEvent): boolean {
    // Its own trouble would only make more of it; that it is over is kept.
    if (NOT_KEPT.has(event.type) || (event.type === 'sink-trouble' && event.sink === JOURNAL_SINK)) return false;
    if (event.type !== 'cycle') return true;
    if (!isNews(event, last)) return false;
    last = event;
    return true;
  }

  return {
    sink: (event: DaemonEvent) => {
      const bounds = limits();
      if (bounds === undefined) return;
      const recorded = record(event);
      if (!isKept(recorded)) return;
      const entry: JournalEntry = { at: clock.now().wallMs, ...recorded };
      ring.add(JSON.stringify(entry), { bytes: bounds.journal_size, ageMs: bounds.journal_age * 1000 });
    },
    trouble: () => ring.trouble,
    close: (deadlineMs) => ring.close(deadlineMs),
  };
}
