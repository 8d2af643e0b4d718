import type { JournalEntry } from '../journal/journal.js';
import type { RecordedCycle } from '../report/recorded-event.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { formatExplanation, type Explanation } from './explain-text.js';
import { cycleMarginMs, isOverdue } from '../report/overdue.js';
import { readOwnJournal } from './own-journal.js';
import { resolvePaths, type Paths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { NO_STATUS, readStatusFile } from './status-file.js';
import { jsonText } from './json-text.js';

/** A cycle explains the moments after it, but not those of a day on which no daemon ran. */
const LONGEST_MS = 3_600_000;

export interface ExplainOptions extends CliOptions {
  readonly json?: boolean;
  /** Ms since 1970; undefined: now. */
  readonly at?: number;
}

/** As the running daemon left it in its last cycle. Throws a CliError (69) where none runs. */
function explainNow(context: CliContext, { runDir }: Paths): Explanation {
  if (lockHolder(runDir) === undefined) {
    const cure = 'start it, or ask for an earlier moment with --at';
    throw new CliError(exitCodes.unavailable, `plancton is not running: ${cure}`);
  }
  const status = readStatusFile(runDir);
  if (status === undefined) throw new CliError(exitCodes.tryLater, `plancton ${NO_STATUS}: it tells nothing yet`);
  const sinceMs = context.clock.now().bootMs - status.atBootMs;
  const hangs = isOverdue(status, sinceMs, cycleMarginMs)
    ? 'the daemon hangs or is halted: this is what it said last'
    : undefined;
  const { mode, capacity, gates, holds, config, trouble } = status;
  return {
    atWallMs: Date.parse(status.at),
    mode,
    revision: config.revision,
    capacity,
    gates,
    holds,
    trouble: hangs ?? trouble,
  };
}

function isCycle(entry: JournalEntry): entry is RecordedCycle & { readonly at: number } {
  return entry.type === 'cycle';
}

/** By the last cycle before it. Throws a CliError (66) where the journal has none. */
async function explainThen(context: CliContext, paths: Paths, atMs: number): Promise<Explanation> {
  const span = { sinceMs: atMs - LONGEST_MS, untilMs: atMs + 1, isWanted: isCycle };
  const { folder, entries } = await readOwnJournal(context, paths, span);
  const cycle = entries.filter(isCycle).at(-1);
  if (cycle === undefined) {
    const cure = 'see planctonctl history, and journal_size and journal_age in the configuration';
    const moment = new Date(atMs).toISOString();
    throw new CliError(
      exitCodes.noInput,
      `no cycle in the hour before ${moment} is in the journal (${folder}): ${cure}`,
    );
  }
  const { observation, plan } = cycle;
  const { mode, revision } = observation;
  return {
    atWallMs: cycle.at,
    mode,
    revision,
    capacity: plan.capacity,
    gates: plan.gates,
    holds: plan.holds,
    trouble: undefined,
  };
}

/** Tells why pilots are started or not, now or at an earlier moment. Returns the exit code; throws a CliError. */
export async function explain(context: CliContext, options: ExplainOptions): Promise<number> {
  const paths = resolvePaths(options, context);
  const { wallMs } = context.clock.now();
  const explanation =
    options.at === undefined ? explainNow(context, paths) : await explainThen(context, paths, options.at);
  if (options.json === true) {
    const { atWallMs, ...rest } = explanation;
    const head = { apiVersion: 'plancton/v1', kind: 'Explanation', at: new Date(atWallMs).toISOString() };
    context.out(jsonText({ ...head, ...rest }, 2));
  } else context.out(formatExplanation(explanation, wallMs));
  return exitCodes.ok;
}
