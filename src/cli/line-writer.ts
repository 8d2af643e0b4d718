import { printable } from './log-line.js';

/** Prints what strangers write, line by line. */
export interface LineWriter {
  /** Takes a piece of text as it comes. */
  write(text: string): void;
  /** There will be no more: prints what has no end. */
  end(): void;
}

/** What is longer goes on in the next line. */
const LONGEST_LINE = 65_536;
/** Progress bars begin their line anew: each is a line then. */
const LINE_END = /\r\n|\n|\r(?!$)/;

/** `prefix` stands before each line. */
export function createLineWriter(out: (line: string) => void, prefix = ''): LineWriter {
  let rest = '';
  const print = (line: string) => {
    out(`${prefix}${printable(line)}`);
  };
  return {
    write: (text) => {
      // An end of line may come in two pieces.
      const held = rest.endsWith('\r') ? '\r' : '';
      const [first = '', ...others] = `${held}${text}`.split(LINE_END);
      rest = rest.slice(0, rest.length - held.length) + first;
      for (const next of others) {
        print(rest);
        rest = next;
      }
      for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) print(rest.slice(0, LONGEST_LINE));
    },
    end: () => {
      if (rest !== '') print(rest);
      rest = '';
    },
  };
}
