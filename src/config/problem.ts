import { legacyKeys } from './legacy-keys.js';
import { keys } from './schema.js';
import { excerpt, printable, type MayShow } from './source-line.js';

/** One thing that is wrong (error: nothing of the configuration is used) or suspicious (warning) in a file. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** `binds[1]`; empty where the whole file is meant. */
  readonly key: string;
  /** What is wrong and what is accepted. Never holds a secret, nor anything that could steer a terminal. */
  readonly message: string;
  /** How to mend it, where that is known. */
  readonly hint?: string;
}

/** Keys whose values may hold passwords. */
export const secretKeys: ReadonlySet<string> = new Set(['influxdb_url', 'docker_env']);

/** Whether the values of a key may be shown to people: it is known, and holds no passwords. */
export function isOpen(written: string): boolean {
  const legacy = Object.hasOwn(legacyKeys, written) ? legacyKeys[written] : undefined;
  const key = legacy !== undefined && 'now' in legacy ? legacy.now : written;
  return Object.hasOwn(keys, key) && !secretKeys.has(key);
}

/** In a configuration: what belongs to a known key. An unknown one could be a misspelt secret. */
const mayShowInConfig: MayShow = (owner, within) =>
  owner !== undefined && isOpen(owner) && within.every((key) => key === owner || !/env|influx/.test(key));

/** One line: `file:line:column: key: what is wrong, what is accepted`. */
function problemLine({ severity, file, line, column, key, message, hint }: ConfigProblem): string {
  const subject = key === '' ? '' : `${key}: `;
  const grade = severity === 'warning' ? 'warning: ' : '';
  const cure = hint === undefined ? '' : `; ${hint}`;
  return `${printable(file)}:${line}:${column}: ${subject}${grade}${message}${cure}`;
}

/**
 * The problem in one line, then the line of `text`, the file it was found in, with a caret; secrets are left out.
 * Without the text there is only the first line. `mayShow`: for files of another kind than configurations.
 */
export function formatProblem(problem: ConfigProblem, text?: string, mayShow = mayShowInConfig): string {
  if (text === undefined) return problemLine(problem);
  return [problemLine(problem), ...excerpt(text, problem.line, problem.column, mayShow)].join('\n');
}
