import type { PilotStatus, Status } from '../report/status.js';
import { withoutControls } from '../config/source-line.js';
import { formatAge } from '../report/status-words.js';
import { statusLine } from './status-text.js';
import { formatTable } from './text-table.js';

export type Order = 'newest' | 'oldest' | 'name';

export interface TopView {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly order: Order;
  /** Or why there is none. */
  readonly status: Status | string;
  /** Seconds since its last cycle. */
  readonly agoSeconds: number;
}

const KEYS = 'q quit   n newest first   o oldest first   a by name';
const HEAD = ['NAME', 'STATE', 'AGE', 'CPUS', 'IMAGE'];
/** Of the frame, without pilots. */
const OTHER_LINES = 7;
const BAR = 40;

const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';

function paint(text: string, code: string, { color }: TopView): string {
  return color ? `${code}${text}${PLAIN}` : text;
}

/** Whose the CPUs are: `#` promised to pilots, `+` used by others, `.` free. */
export function cpuBar({ capacity }: Pick<Status, 'capacity'>): string {
  if (capacity === undefined) return 'not known yet';
  const { cpus, promised, foreign = 0 } = capacity;
  const cells = (value: number) => Math.max(0, Math.round((BAR * value) / cpus));
  const own = Math.min(BAR, cells(promised));
  const others = Math.min(BAR - own, cells(foreign));
  const bar = `${'#'.repeat(own)}${'+'.repeat(others)}${'.'.repeat(BAR - own - others)}`;
  return `[${bar}] ${cpus} CPUs: # ${promised.toFixed(1)} promised to pilots, + ${foreign.toFixed(1)} used by others`;
}

function sorted(pilots: readonly PilotStatus[], order: Order): readonly PilotStatus[] {
  const byName = (a: PilotStatus, b: PilotStatus) => (a.name < b.name ? -1 : 1);
  if (order === 'name') return [...pilots].sort(byName);
  const sign = order === 'newest' ? 1 : -1;
  return [...pilots].sort((a, b) => sign * (a.ageSeconds - b.ageSeconds) || byName(a, b));
}

function pilotLines({ pilots: found }: Status, { order, agoSeconds, rows }: TopView): readonly string[] {
  const pilots = sorted(found, order);
  const room = Math.max(1, rows - OTHER_LINES);
  const shown = pilots.slice(0, pilots.length > room ? room - 1 : room);
  const table = shown.map(({ name, state, ageSeconds, cpus, image }) =>
    [name, state, formatAge(ageSeconds + agoSeconds), cpus === undefined ? '?' : String(cpus), image].map(
      withoutControls,
    ),
  );
  const hidden = pilots.length - shown.length;
  return [...formatTable([HEAD, ...table]).split('\n'), ...(hidden > 0 ? [`... and ${hidden} more`] : [])];
}

/** One frame, as many lines as there are rows at most. */
export function formatTop(view: TopView): readonly string[] {
  const { status, agoSeconds, columns } = view;
  const cut = (line: string) => line.slice(0, columns);
  if (typeof status === 'string') return [cut(status), '', cut(KEYS)];
  const head = `${status.hostname}: ${statusLine(status)}; looked ${Math.round(agoSeconds)} s ago`;
  const limits = status.holds.map(({ text }) => `limited by ${text}`).join('; ');
  const [tableHead = '', ...pilots] = pilotLines(status, view).map(cut);
  return [
    paint(cut(withoutControls(head)), BOLD, view),
    cut(cpuBar(status)),
    cut(withoutControls(limits)),
    '',
    paint(tableHead, BOLD, view),
    ...pilots,
    '',
    paint(cut(KEYS), DIM, view),
  ];
}
