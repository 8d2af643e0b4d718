import { withoutControls } from '../config/source-line.js';

/** Severity as pino numbers it, with its name and its syslog priority. */
const levels = [
  { from: 60, name: 'FATAL', priority: 2 },
  { from: 50, name: 'ERROR', priority: 3 },
  { from: 40, name: 'WARNING', priority: 4 },
  { from: 30, name: 'INFO', priority: 6 },
  { from: 0, name: 'DEBUG', priority: 7 },
] as const;

/** Fields that the text form says otherwise or not at all. */
const unsaid = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'v']);

/** One line of pino's JSON, read back. */
export interface LogRecord {
  readonly level: number;
  /** ms since 1970. */
  readonly time: number;
  readonly msg: string;
  readonly fields: readonly (readonly [string, unknown])[];
}

export function parseLogRecord(json: string): LogRecord {
  const raw = JSON.parse(json) as Record<string, unknown>;
  return {
    level: typeof raw['level'] === 'number' ? raw['level'] : 30,
    time: typeof raw['time'] === 'number' ? raw['time'] : 0,
    msg: typeof raw['msg'] === 'string' ? raw['msg'] : '',
    fields: Object.entries(raw).filter(([key]) => !unsaid.has(key)),
  };
}

function severity(level: number): { readonly name: string; readonly priority: number } {
  return levels.find((row) => level >= row.from) ?? levels[4];
}

/** `<3>` to `<7>`: how the journal learns the severity of a line. */
export function journalPrefix(level: number): string {
  return `<${severity(level).priority}>`;
}

/** A line that strangers wrote, for a terminal: tabs are all that is left of what controls one. */
export function printable(line: string): string {
  return line.replace(/\r$/, '').split('\t').map(withoutControls).join('\t');
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'stack' in value) return JSON.stringify(value.stack);
  return JSON.stringify(value);
}

function two(figure: number): string {
  return String(figure).padStart(2, '0');
}

/** Local time, `2026-11-21 12:00:00`. */
export function formatTime(wallMs: number): string {
  const date = new Date(wallMs);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `message key=value ...`, without a line end. */
export function formatMessage(record: LogRecord): string {
  const facts = record.fields.map(([key, value]) => ` ${key}=${formatValue(value)}`);
  return withoutControls(`${record.msg}${facts.join('')}`);
}

/** `2026-11-21 12:00:00 plancton INFO message key=value ...`, without a line end. */
export function formatLogLine(record: LogRecord): string {
  return `${formatTime(record.time)} plancton ${severity(record.level).name} ${formatMessage(record)}`;
}
