import { account, type Account, type AccountRow, type PilotAccount } from '../journal/account.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { printable } from './log-line.js';
import { readOwnJournal } from './own-journal.js';
import { resolvePaths } from './paths.js';
import { formatTable, megabytes } from './text-table.js';
import { jsonText } from './json-text.js';

export interface ReportOptions extends CliOptions {
  /** Ms since 1970. */
  readonly since: number;
  readonly json?: boolean;
  readonly csv?: boolean;
}

const HEAD = ['FLAVOUR', 'END', 'PILOTS', 'WALL HOURS', 'CPU HOURS', 'MEMORY PEAK', 'DISK', 'NETWORK'];
const NUMBERS = [2, 3, 4, 5, 6, 7];
const CSV_HEAD =
  'removed,name,flavour,image,revision,end,exit_code,wall_seconds,cpu_seconds,memory_peak_bytes,block_bytes,network_bytes';

const hours = (value: number) => value.toFixed(1);

function toRow(row: AccountRow): readonly string[] {
  const { flavour, end, pilots, wallHours, cpuHours, memoryPeakBytes, blockBytes, networkBytes } = row;
  const amounts = [memoryPeakBytes, blockBytes, networkBytes].map(megabytes);
  return [printable(flavour), end, String(pilots), hours(wallHours), hours(cpuHours), ...amounts];
}

function formatAccount({ seenHours, donated, idleInPilots, others, idle, rows }: Account, fromMs: number): string {
  const head = `since ${new Date(fromMs).toISOString()}: ${hours(seenHours)} h of samples`;
  const given = `CPU hours: ${hours(donated)} given to pilots, ${hours(idleInPilots)} promised to them and not used, ${hours(others)} used by others, ${hours(idle)} idle`;
  const table = rows.length === 0 ? 'no pilot has ended' : formatTable([HEAD, ...rows.map(toRow)], NUMBERS);
  return [head, given, table].join('\n');
}

/** As RFC 4180 has it; nothing a spreadsheet would take for a formula. */
function csvField(value: string | number | undefined): string {
  const text = String(value ?? '').replace(/^[=+@\-\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function toCsv({
  at,
  name,
  flavour,
  image,
  revision,
  end,
  exitCode,
  wallSeconds,
  cpuSeconds,
  memoryPeakBytes,
  blockBytes,
  networkBytes,
}: PilotAccount): string {
  const when = new Date(at).toISOString();
  const used = [wallSeconds, cpuSeconds, memoryPeakBytes, blockBytes, networkBytes];
  return [when, name, flavour, image, revision, end, exitCode, ...used].map(csvField).join(',');
}

/** Prints what this host has given to pilots, and what became of them. Returns the exit code; throws a CliError where that cannot be read. */
export async function showReport(context: CliContext, options: ReportOptions): Promise<number> {
  const isWanted = ({ type }: { readonly type: string }) => type === 'cycle' || type === 'action-ended';
  const span = { sinceMs: options.since, untilMs: Infinity, isWanted };
  const { entries } = await readOwnJournal(context, resolvePaths(options, context), span);
  const found = account(entries);
  // The journal may not go back that far.
  const fromMs = entries[0]?.at ?? options.since;
  if (options.csv === true) context.out([CSV_HEAD, ...found.pilots.map(toCsv)].join('\n'));
  else if (options.json === true) {
    const head = { apiVersion: 'plancton/v1', kind: 'Report', from: new Date(fromMs).toISOString() };
    context.out(jsonText({ ...head, ...found }, 2));
  } else context.out(formatAccount(found, fromMs));
  return exitCodes.ok;
}
