import type { SeenMode } from '../model.js';
import type { Fault } from '../report/faults.js';
import type { PilotStatus, Status } from '../report/status.js';
import { withoutControls } from './log-line.js';

const modeTexts: Record<SeenMode, string> = {
  active: 'active',
  drain: 'drain (no new pilots; `planctonctl resume` ends it)',
  'drain-stop': 'drain-stop (no new pilots; the daemon ends with the last one)',
  unknown: 'not known (no new pilots, since the run directory cannot be read and may hold a drain)',
  'force-stop': 'force-stop (all pilots are being removed)',
};

/** One line for people: `4/6 pilots, drain, waiting: ...`. */
export function statusLine(status: Status): string {
  const { capacity, mode } = status;
  const pilots = capacity === undefined ? 'no pilots known' : `${capacity.pilots}/${capacity.admissible ?? '?'} pilots`;
  const facts = [pilots, mode];
  if (status.health !== 'ok') facts.push(status.health);
  const worst = status.trouble ?? status.faults[0]?.what;
  if (worst !== undefined) facts.push(worst);
  return withoutControls(facts.join(', '));
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

function capacityText({ capacity, pilots, health }: Status): string {
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
    .map(({ name, trouble }) => (trouble === undefined ? name : `${name} (in trouble: ${trouble})`))
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

/** `nowWallMs`: ms since 1970. */
function faultText({ what, since, said, doing, cure }: Fault, nowWallMs: number): string {
  const age = formatAge((nowWallMs - Date.parse(since)) / 1000);
  return [`${what} (for ${age})`, ...(said === undefined ? [] : [said]), `Plancton: ${doing}`, `you: ${cure}`].join(
    '\n',
  );
}

/** Each row of text below the last, the first one labelled. */
function formatRows(rows: readonly (readonly [string, string])[]): string[] {
  return rows.flatMap(([label, text]) =>
    text.split('\n').map((line, index) => `  ${(index === 0 ? label : '').padEnd(12)}${withoutControls(line)}`),
  );
}

function formatPilot(pilot: PilotStatus): string {
  const cpus = pilot.cpus === undefined ? '?' : String(pilot.cpus);
  const age = formatAge(pilot.ageSeconds);
  return withoutControls(
    `  ${pilot.name.padEnd(26)} ${pilot.id.padEnd(12)} ${pilot.state.padEnd(10)} ${age.padEnd(12)} ${cpus.padEnd(5)} ${pilot.image}`,
  );
}

/** The screen of `planctonctl status`. `nowWallMs`: ms since 1970. */
export function formatStatus(status: Status, nowWallMs: number): string {
  const upSeconds = (nowWallMs - Date.parse(status.startedAt)) / 1000;
  const lastSeconds = (nowWallMs - Date.parse(status.at)) / 1000;
  const { totals } = status;
  const rows: [string, string][] = [
    ['health', status.trouble === undefined ? status.health : `${status.health}: ${status.trouble}`],
    ...status.faults.map((fault): [string, string] => ['fault', faultText(fault, nowWallMs)]),
    ['mode', modeTexts[status.mode]],
    ['pilots', capacityText(status)],
    ...status.holds.map(({ text }): [string, string] => ['limited by', text]),
    ...status.notices.map((text): [string, string] => ['notice', text]),
    ['image', imageText(status, nowWallMs)],
    ...configRows(status),
    ['engine', engineText(status)],
    ['yielding', status.yields.text],
    ['reports to', sinksText(status)],
    ['so far', `${totals.spawned} started, ${totals.ended} ended, ${totals.evicted} evicted, ${totals.failed} failed`],
    ['last cycle', `number ${status.cycles}, ${formatAge(lastSeconds)} ago`],
  ];
  const head = `plancton ${status.version} is running on ${status.hostname} (pid ${status.pid}, up ${formatAge(upSeconds)})`;
  return [withoutControls(head), ...formatRows(rows), ...status.pilots.map(formatPilot)].join('\n');
}
