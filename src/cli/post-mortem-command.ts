import { join } from 'node:path';
import type { PostMortemEntry } from '../journal/entry-shape.js';
import { POST_MORTEM_FOLDER, readPostMortems } from '../journal/post-mortems.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { formatTime, printable } from './log-line.js';
import { readKept } from './own-journal.js';
import { resolvePaths } from './paths.js';
import { formatAge } from '../report/status-words.js';
import { formatTable, megabytes } from './text-table.js';
import { jsonText } from './json-text.js';

export interface PostMortemOptions extends CliOptions {
  readonly json?: boolean;
  /** As it was typed; undefined: a list of all. */
  readonly pilot: string | undefined;
}

const HEAD = ['WHEN', 'PILOT', 'WHY', 'LIVED', 'CPU', 'MEMORY PEAK'];

function whyText({ cause, ended }: PostMortemEntry): string {
  if (cause === 'not-started') return 'could not be started';
  const end = ended?.oomKilled === true ? 'killed for want of memory' : `exit code ${ended?.exitCode ?? 'unknown'}`;
  return cause === 'evicted' ? `evicted (${end})` : end;
}

function livedText({ ended }: PostMortemEntry): string {
  if (ended?.startedWallMs === undefined || ended.finishedWallMs === undefined) return '-';
  return formatAge((ended.finishedWallMs - ended.startedWallMs) / 1000);
}

function figures(entry: PostMortemEntry): readonly string[] {
  const { usage } = entry;
  const cpu = usage === undefined ? '-' : `${usage.cpuSeconds.toFixed(1)} s`;
  return [livedText(entry), cpu, megabytes(usage?.memoryPeakBytes)];
}

/** One line of the list. */
export function postMortemRow(entry: PostMortemEntry): readonly string[] {
  return [formatTime(entry.at), printable(entry.pilot.name), whyText(entry), ...figures(entry)];
}

/** All about one. */
export function formatPostMortem(entry: PostMortemEntry): string {
  const { at, pilot, usage, log, said } = entry;
  const [lived = '-', cpu = '-', peak = '-'] = figures(entry);
  const rows = [
    ['when', formatTime(at)],
    ['why', whyText(entry)],
    ['lived', lived],
    ['CPU', `${cpu} (at the last look at the host)`],
    ['memory', `${peak} at most, file cache included (at the last look at the host)`],
    ['disk', `${megabytes(usage?.blockBytes)} read and written (at the last look at the host)`],
    ['network', `${megabytes(usage?.networkBytes)} sent and received (at the last look at the host)`],
    ['image', pilot.image],
    ['revision', pilot.revision],
    ['id', pilot.id ?? '-'],
    ...(said === undefined ? [] : [['engine', said]]),
  ];
  const shown = rows.map(([label = '', text = '']) => `  ${label.padEnd(10)}${printable(text)}`);
  const lines = log
    .trimEnd()
    .split('\n')
    .map((line) => `  | ${printable(line)}`);
  const words = log.trim() === '' ? ['  it has written nothing that is left'] : ['  the last it wrote:', ...lines];
  return [printable(pilot.name), ...shown, ...words].join('\n');
}

/** Those of one pilot, by its name, the end of it, or its id. */
function chosen(entries: readonly PostMortemEntry[], wanted: string): readonly PostMortemEntry[] {
  return entries.filter(({ pilot: { name, id = '' } }) => {
    return name === wanted || name.endsWith(`-${wanted}`) || (wanted.length > 5 && id.startsWith(wanted));
  });
}

/**
 * Prints what is left of pilots that failed or were evicted: a list, the newest first, or all about one. Returns the exit code; throws a CliError
 * (66) for a pilot of which nothing is left.
 */
export async function showPostMortems(context: CliContext, options: PostMortemOptions): Promise<number> {
  const { stateDir } = resolvePaths(options, context);
  const folder = join(stateDir, POST_MORTEM_FOLDER);
  const { entries, damaged } = await readKept(folder, readPostMortems(folder));
  if (damaged > 0) context.err(`planctonctl: ${damaged} damaged post-mortems were skipped`);
  const { pilot, json } = options;
  const shown = [...(pilot === undefined ? entries : chosen(entries, pilot))].reverse();
  if (pilot !== undefined && shown.length === 0) {
    const cure = 'planctonctl post-mortem lists what there is, planctonctl history tells how pilots ended';
    throw new CliError(exitCodes.noInput, `nothing is left of a pilot ${pilot} (${folder}): ${cure}`);
  }
  if (json === true) context.out(jsonText({ apiVersion: 'plancton/v1', kind: 'PostMortemList', items: shown }, 2));
  else if (pilot !== undefined) context.out(shown.map(formatPostMortem).join('\n\n'));
  else
    context.out(
      shown.length === 0
        ? 'no pilot has failed or was evicted, or nothing is kept of it'
        : formatTable([HEAD, ...shown.map(postMortemRow)]),
    );
  return exitCodes.ok;
}
