import type { ConfigText } from './layers.js';
import type { ConfigProblem } from './problem.js';
import { lineStarts, placeOf, printable, withoutUserinfo } from './source-line.js';

/** A place in a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What was found wrong in one file, in the order of finding. */
export interface Findings {
  readonly problems: readonly ConfigProblem[];
  /** Where an offset, in UTF-16 units, is. */
  readonly place: (offset: number) => Place;
  readonly report: (
    severity: ConfigProblem['severity'],
    offset: number,
    key: string,
    message: string,
    hint?: string,
  ) => void;
}

/** Nothing found yet. What is reported loses passwords in URLs and whatever could steer a terminal. */
export function findingsIn({ file, text }: ConfigText): Findings {
  const starts = lineStarts(text);
  const problems: ConfigProblem[] = [];
  const safe = (words: string) => printable(withoutUserinfo(words));
  const place = (offset: number): Place => ({ file, ...placeOf(text, starts, offset) });
  return {
    problems,
    place,
    report: (severity, offset, key, message, hint) => {
      const told = { key: safe(key), message: safe(message), ...(hint !== undefined && { hint: safe(hint) }) };
      problems.push({ severity, ...place(offset), ...told });
    },
  };
}
