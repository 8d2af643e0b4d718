import type { Hold } from '../decision.js';
import type { SeenMode } from '../model.js';
import type { Status } from './status.js';

// How a status is told to people, on a terminal and on the page: no imports but types, since the page is given this file.

const MODE_TEXTS: Record<SeenMode, string> = {
  active: 'active',
  drain: 'drain (no new pilots; `planctonctl resume` ends it)',
  'drain-stop': 'drain-stop (no new pilots; the daemon ends with the last one)',
  unknown: 'not known (no new pilots, since the run directory cannot be read and may hold a drain)',
  'force-stop': 'force-stop (all pilots are being removed)',
};

/** What a mode means. */
export function modeText({ mode }: Pick<Status, 'mode'>): string {
  return MODE_TEXTS[mode];
}

/** `2 d 3 h`, `5 min`, `12 s`: the two largest units at most. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor((whole % 86_400) / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** How many pilots run, of how many that fit. */
export function capacityText({ capacity, pilots, health }: Status): string {
  if (capacity === undefined) return 'unknown';
  const running = pilots.filter(({ state }) => state === 'running').length;
  const others = capacity.pilots - running;
  const counted = others > 0 ? `${running} running and ${others} that start or wait` : `${running} running`;
  const admissible = capacity.admissible === undefined ? 'not known yet' : String(capacity.admissible);
  const foreign =
    capacity.peakForeign === undefined
      ? ''
      : `, others used up to ${capacity.peakForeign.toFixed(2)} of ${capacity.cpus} CPUs`;
  const text = `${counted}, of ${admissible} that fit (max_docks ${capacity.maxDocks}${foreign})`;
  return health === 'ok' ? text : `not known now; last seen: ${text}`;
}

function imageText({ image }: Status, nowWallMs: number): string {
  const { id, createdAt } = image;
  const found = id === null ? 'not on this host' : (id?.replace(/^sha256:/, '').slice(0, 12) ?? 'not looked up yet');
  const age = createdAt === undefined ? '' : `, made ${formatAge((nowWallMs - Date.parse(createdAt)) / 1000)} ago`;
  return `${image.wanted} (${found}${age}${image.pulling === undefined ? '' : `, pulling ${image.pulling}`})`;
}

function sinksText({ sinks }: Status): string {
  return sinks
    .map(({ name, trouble, points }) => {
      if (trouble === undefined) return name;
      const kept = points === undefined ? '' : `; ${points.waiting} points wait, ${points.lost} were lost`;
      return `${name} (in trouble: ${trouble}${kept})`;
    })
    .join(', ');
}

function engineText({ engine }: Status): string {
  const version =
    engine.version === undefined ? 'not reached' : `${engine.version}, API ${engine.apiVersion ?? 'unknown'}`;
  return `${engine.host} (${version})`;
}

function configRows({ config }: Status): [string, string][] {
  const rows: [string, string][] = [
    ['config', `${config.source}${config.revision === undefined ? '' : ` at ${config.revision.slice(0, 16)}`}`],
  ];
  if (config.probation !== undefined) rows.push(['probation', config.probation]);
  const { signature } = config;
  if (signature !== undefined) {
    rows.push(['signed by', 'by' in signature ? signature.by : `nobody this host knows: ${signature.problem}`]);
  }
  if (config.refused !== undefined) {
    const { revision, problems } = config.refused;
    rows.push(['refused', [revision.slice(0, 16), ...problems].join('\n')]);
  }
  if (config.unreachable !== undefined) rows.push(['source away', config.unreachable]);
  return rows;
}

/** What else there is to know, each with what it is called. `nowWallMs`: ms since 1970. */
export function factRows(status: Status, nowWallMs: number): [string, string][] {
  const { totals } = status;
  const lastSeconds = (nowWallMs - Date.parse(status.at)) / 1000;
  return [
    ['image', imageText(status, nowWallMs)],
    ...configRows(status),
    ['engine', engineText(status)],
    ['yielding', status.yields.text],
    ['reports to', sinksText(status)],
    ['so far', `${totals.spawned} started, ${totals.ended} ended, ${totals.evicted} evicted, ${totals.failed} failed`],
    ['last cycle', `number ${status.cycles}, ${formatAge(lastSeconds)} ago`],
  ];
}

/** What people call what a gate looks at. */
const GATE_NAMES: Readonly<Record<Hold['gate'], string>> = {
  draining: 'mode',
  'force-stop': 'mode',
  policy: 'policy',
  'no-sample': 'load',
  'stale-sample': 'load',
  image: 'image',
  'engine-effects': 'engine',
  cap: 'cap',
  'foreign-cpu': 'CPUs',
  memory: 'memory',
  disk: 'disk',
  pressure: 'pressure',
  tasks: 'processes',
  'back-off': 'experience',
  'cool-down': 'eviction',
  pace: 'pace',
  'evict-off': 'eviction',
  'not-crowded': 'eviction',
};

/** Another version may know more of them. */
export function gateName(gate: string): string {
  return Object.hasOwn(GATE_NAMES, gate) ? GATE_NAMES[gate as Hold['gate']] : gate;
}

/** How many pilots a gate lets start. */
export function limitText(most: number | null): string {
  return most === null ? 'passes' : most === 0 ? 'none' : `${most} more`;
}
