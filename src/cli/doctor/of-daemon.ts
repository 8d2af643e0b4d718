import type { Hold } from '../../decision.js';
import { JOURNAL_SINK } from '../../journal/journal.js';
import { HOLD_FAULTS } from '../../report/fault-words.js';
import { cycleMarginMs, isOverdue } from '../../report/overdue.js';
import type { Status } from '../../report/status.js';
import { explainError } from '../exit-codes.js';
import { lockHolder } from '../process-lock.js';
import { NO_STATUS, readStatusFile } from '../status-file.js';
import { formatAge, gateName } from '../../report/status-words.js';
import { advice, bad, fine, type Finding } from './finding.js';

function faultsOf({ faults }: Status): readonly Finding[] {
  return faults.map(({ what, said, cure }) => bad('daemon', said === undefined ? what : `${what}: ${said}`, cure));
}

function yieldingOf({ yields }: Status): Finding {
  if (yields.mode === 'cgroup') return fine('yielding', yields.text);
  return advice('yielding', yields.text, 'nice: true, and an engine on this host that runs as root');
}

function sinksOf({ sinks }: Status): readonly Finding[] {
  const troubled = sinks.filter(({ trouble }) => trouble !== undefined);
  return troubled.map(({ name, trouble = '' }) => {
    const teller = name === JOURNAL_SINK ? 'the log of the daemon' : 'planctonctl history';
    return advice('reports', `${name}: ${trouble}`, `${teller} tells since when`);
  });
}

/** A full host, and growth that goes step by step, are as they should be; the mode is told by itself. */
const AS_MEANT: ReadonlySet<Hold['gate']> = new Set(['cap', 'pace', 'foreign-cpu', 'draining', 'force-stop']);

function gatesOf({ gates, faults }: Status): readonly Finding[] {
  const shut = gates.filter(({ gate, most }) => most === 0 && !AS_MEANT.has(gate));
  // What limits now may be a fault, which was told.
  const untold = shut.filter(({ text }) => !faults.some(({ said }) => said === text));
  return untold.map(({ gate, text }) => {
    const cure = HOLD_FAULTS[gate]?.cure ?? 'planctonctl explain tells its numbers, planctonctl history what led to it';
    return advice(gateName(gate), `lets no pilot start: ${text}`, cure);
  });
}

/** How the daemon of this run directory is. `bootMs`: now, since boot. */
export function lookAtDaemon(runDir: string, bootMs: number): readonly Finding[] {
  let holder: ReturnType<typeof lockHolder>;
  try {
    holder = lockHolder(runDir);
  } catch (error) {
    return [{ name: 'daemon', state: 'unknown', text: explainError(error).text }];
  }
  if (holder === undefined) return [bad('daemon', 'it does not run', 'planctonctl start')];
  const status = readStatusFile(runDir);
  if (status === undefined) return [advice('daemon', `it ${NO_STATUS}`, 'planctonctl status, in a minute')];
  const sinceMs = bootMs - status.atBootMs;
  if (isOverdue(status, sinceMs, cycleMarginMs)) {
    const text = `it hangs: no cycle has ended for ${formatAge(sinceMs / 1000)}`;
    return [bad('daemon', text, 'planctonctl stop, planctonctl start; planctonctl bundle for a report')];
  }
  const { capacity, mode } = status;
  const pilots = `${capacity?.pilots ?? 0} pilots, ${capacity?.admissible ?? '?'} fit in all, mode ${mode}`;
  const faults = faultsOf(status);
  const own = faults.length === 0 ? [fine('daemon', `it runs: ${pilots}`)] : faults;
  const drained = mode === 'active' ? [] : [advice('mode', `mode ${mode}: no pilot is started`, 'planctonctl resume')];
  return [...own, ...drained, ...gatesOf(status), yieldingOf(status), ...sinksOf(status)];
}
