import type { Capacity, GateReading, Hold } from '../decision.js';
import type { SeenMode } from '../model.js';
import { formatAge, gateName, limitText } from '../report/status-words.js';
import { withoutControls } from '../config/source-line.js';

/** Why pilots were started or not at one moment. */
export interface Explanation {
  /** Ms since 1970, when it was so. */
  readonly atWallMs: number;
  readonly mode: SeenMode;
  readonly revision: string | undefined;
  /** Undefined while no cycle has seen the pilots. */
  readonly capacity: Capacity | undefined;
  readonly gates: readonly GateReading[];
  readonly holds: readonly Hold[];
  /** What stands in the way of looking: the engine is away, the daemon hangs. */
  readonly trouble: string | undefined;
}

function headText({ atWallMs, capacity, mode, revision }: Explanation, nowMs: number): string {
  const when = `${new Date(atWallMs).toISOString()}, ${formatAge((nowMs - atWallMs) / 1000)} ago`;
  const config = revision === undefined ? '' : `, configuration ${revision.slice(0, 16)}`;
  if (capacity === undefined) return `${when}: no look at the pilots yet (mode ${mode}${config})`;
  const fit = capacity.admissible === undefined ? 'it is not known how many fit' : `${capacity.admissible} fit in all`;
  return `${when}: ${capacity.pilots} pilots, ${fit} (mode ${mode}${config})`;
}

/** The screen of `planctonctl explain`: each gate in order, and what limits. `nowMs`: since 1970. */
export function formatExplanation(explanation: Explanation, nowMs: number): string {
  const { gates, holds, trouble } = explanation;
  const rows = gates.map(
    ({ gate, most, text }) => `  ${gateName(gate).padEnd(11)} ${limitText(most).padEnd(10)} ${text}`,
  );
  const limits = holds.map(({ gate, text }) => `limited by ${gateName(gate)}: ${text}`);
  const lines = [headText(explanation, nowMs), ...rows, ...limits];
  return [...lines, ...(trouble === undefined ? [] : [`trouble: ${trouble}`])].map(withoutControls).join('\n');
}
