import { readFile } from 'node:fs/promises';
import { isIP, SocketAddress } from 'node:net';
import { biographies, type Biography } from '../journal/biographies.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { jsonText } from './json-text.js';
import { formatTime, printable } from './log-line.js';
import { readOwnJournal } from './own-journal.js';
import { resolvePaths } from './paths.js';

export interface TraceOptions extends CliOptions {
  /** An address, a host name, a process id, or the name or id of a pilot. */
  readonly what: string;
  /** Ms since 1970; undefined: at any time. */
  readonly at?: number;
  readonly json?: boolean;
}

type Question = (pilot: Biography) => boolean;

/** Of a control group: the id of the container that a process is in. */
const CONTAINER = /[0-9a-f]{64}/;

/** By the control group of a process that runs now. Throws a CliError (66) where it is none, or in no container. */
async function ofProcess(pid: string): Promise<Question> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new CliError(exitCodes.noInput, `no process ${pid} runs here now: ask for its address or its host name`);
  const [id] = CONTAINER.exec(text) ?? [];
  if (id === undefined) throw new CliError(exitCodes.noInput, `process ${pid} is in no container: it is no pilot`);
  return (pilot) => pilot.id === id;
}

/** An address of IPv6 can be written in many ways. */
function spelled(address: string): string {
  return isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

async function questionOf(what: string): Promise<Question> {
  if (isIP(what) !== 0) return ({ address = '' }) => spelled(address) === spelled(what);
  if (/^\d+$/.test(what)) return ofProcess(what);
  const [host] = what.split('.');
  return ({ name, id, hostname }) =>
    hostname === host ||
    name === what ||
    name.endsWith(`-${what}`) ||
    (what.length > 5 && id?.startsWith(what) === true);
}

/** It may have written its last a moment before it was removed, and its clock may be off. */
const MARGIN_MS = 60_000;

function wasThere({ fromMs, untilMs = Infinity }: Biography, atMs: number | undefined): boolean {
  return atMs === undefined || (fromMs - MARGIN_MS <= atMs && atMs <= untilMs + MARGIN_MS);
}

function formatOne(pilot: Biography): string {
  const { name, id, hostname, address, image, imageId, revision, user, fromMs, untilMs, end, exitCode } = pilot;
  const until =
    untilMs === undefined
      ? 'it was not removed, as far as the journal goes'
      : `${formatTime(untilMs)} (${end ?? 'unknown'}, exit code ${exitCode ?? 'unknown'})`;
  const rows = [
    ['from', formatTime(fromMs)],
    ['until', until],
    ['address', address ?? 'none of its own: that of this host, or not seen'],
    ['host name', hostname ?? '-'],
    ['image', image],
    ['image id', imageId ?? '-'],
    ['revision', `${revision} of the configuration`],
    ['user', user ?? '-'],
    ['id', id ?? '-'],
  ];
  return [printable(name), ...rows.map(([label = '', text = '']) => `  ${label.padEnd(10)}${printable(text)}`)].join(
    '\n',
  );
}

/**
 * Tells which pilot was behind an address, a host name or a process, for who has to answer a security report. Returns the exit code; throws a CliError
 * (66) where it was none that the journal knows.
 */
export async function trace(context: CliContext, options: TraceOptions): Promise<number> {
  const question = await questionOf(options.what);
  const isWanted = ({ type }: { readonly type: string }) => type === 'pilot-seen' || type === 'action-ended';
  const span = { sinceMs: 0, untilMs: Infinity, isWanted };
  const { folder, entries } = await readOwnJournal(context, resolvePaths(options, context), span);
  const found = biographies(entries).filter((pilot) => question(pilot) && wasThere(pilot, options.at));
  if (found.length === 0) {
    const since = entries[0] === undefined ? 'is empty' : `goes back to ${formatTime(entries[0].at)}`;
    throw new CliError(
      exitCodes.noInput,
      `no pilot was behind ${options.what} then, as far as is known; the journal (${folder}) ${since}`,
    );
  }
  if (options.json === true) context.out(jsonText({ apiVersion: 'plancton/v1', kind: 'Trace', pilots: found }, 2));
  else context.out(found.map(formatOne).join('\n\n'));
  return exitCodes.ok;
}
