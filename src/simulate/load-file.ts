import { findingsIn } from '../config/findings.js';
import type { ConfigText } from '../config/layers.js';
import type { ConfigProblem } from '../config/problem.js';
import { show, type ValueType } from '../config/value-type.js';
import type { LoadStep } from './foreign-load.js';
import { stepCpus, stepTime } from './scenario.js';

/** The most a recording may hold: weeks of seconds. */
export const MAX_LOAD_BYTES = 16 * 2 ** 20;

/** More than this is another kind of file. */
const maxProblems = 20;

export interface LoadReading {
  readonly steps: readonly LoadStep[];
  readonly problems: readonly ConfigProblem[];
}

/** Reports what is wrong, at an offset in the text. */
type Reject = (offset: number, key: string, message: string) => void;

function isData(line: string): boolean {
  return /^\s*[^\s#]/.test(line);
}

/** The number in a field that begins at `offset`; undefined, after a report, if there is none. */
function numberIn(field: string, offset: number, key: string, { schema }: ValueType<number>, reject: Reject) {
  const { data, error } = schema.safeParse(field.trim());
  if (error !== undefined) reject(offset + field.search(/\S|$/), key, error.issues[0]?.message ?? 'is not accepted');
  return data;
}

/** The step that a line at `offset` tells; undefined, after reports, if it tells none. */
function stepIn(line: string, offset: number, reject: Reject): LoadStep | undefined {
  const [seconds = '', cpus, ...rest] = line.split(',');
  if (cpus === undefined || rest.length > 0) {
    reject(offset, '', `${show(line)} is not accepted; give seconds,cpus`);
    return undefined;
  }
  const at = numberIn(seconds, offset, 'seconds', stepTime, reject);
  const load = numberIn(cpus, offset + seconds.length + 1, 'cpus', stepCpus, reject);
  return at === undefined || load === undefined ? undefined : { at, cpus: load };
}

/**
 * Reads a recorded load: lines `seconds,cpus`, rising in time, one at least. Empty lines, lines that begin with # and a first line beside
 * these that names the columns are left out. Never throws.
 */
export function readLoad(file: ConfigText): LoadReading {
  const { problems, report } = findingsIn(file);
  const reject: Reject = (offset, key, message) => {
    report('error', offset, key, message);
  };
  const steps: LoadStep[] = [];
  const lines = [...file.text.matchAll(/^.+$/gm)].filter(([line]) => isData(line));
  if (lines[0]?.[0].trim() === 'seconds,cpus') lines.shift();
  if (lines.length === 0) reject(0, '', 'there is no load in this file; give lines of seconds,cpus');
  for (const { 0: line, index } of lines) {
    if (problems.length >= maxProblems) break;
    const step = stepIn(line, index, reject);
    if (step === undefined) continue;
    const before = steps.at(-1)?.at ?? -1;
    if (step.at > before) steps.push(step);
    else reject(index, 'seconds', `${step.at} is not later than the ${before} of the line before`);
  }
  return { steps, problems };
}
