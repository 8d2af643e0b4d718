import type { Fault } from '../report/faults.js';
import { capacityText, factRows, formatAge, modeText } from '../report/status-words.js';
import type { PilotStatus, Status } from '../report/status.js';
import { withoutControls } from '../config/source-line.js';

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
  const rows: [string, string][] = [
    ['health', status.trouble === undefined ? status.health : `${status.health}: ${status.trouble}`],
    ...status.faults.map((fault): [string, string] => ['fault', faultText(fault, nowWallMs)]),
    ['mode', modeText(status)],
    ['pilots', capacityText(status)],
    ...status.holds.map(({ text }): [string, string] => ['limited by', text]),
    ...status.notices.map((text): [string, string] => ['notice', text]),
    ...factRows(status, nowWallMs),
  ];
  const head = `plancton ${status.version} is running on ${status.hostname} (pid ${status.pid}, up ${formatAge(upSeconds)})`;
  return [withoutControls(head), ...formatRows(rows), ...status.pilots.map(formatPilot)].join('\n');
}
