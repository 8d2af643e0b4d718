const longestLine = 110;
const hidden = '…';

/** Offsets of the starts of lines, to find the line of an offset quickly. */
export function lineStarts(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((lineBreak) => lineBreak.index + lineBreak[0].length)];
}

/** Line and column of an offset in UTF-16 units; both count from 1, the column in characters. */
export function placeOf(text: string, starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: Array.from(text.slice(starts[low], offset)).length + 1 };
}

/** Replaces whatever could steer a terminal or reorder a line, one character for one. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

/** Hides user and password of every URL in a text. */
export function withoutUserinfo(text: string): string {
  return text.replace(/(\w:\/\/)[^\s/#"']*@/g, `$1${hidden}@`);
}

/** The key, in the first column, that a line belongs to. */
function ownerOf(lines: readonly string[], index: number): string | undefined {
  for (let at = index; at >= 0; at -= 1) {
    const [, , name] = /^(["']?)([A-Za-z_]\w*)\1\s*:/.exec(lines[at] ?? '') ?? [];
    if (name !== undefined) return name;
  }
  return undefined;
}

/**
 * A line of a configuration file, with a caret below `column` (from 1, in characters). Values are shown only where they
 * belong to a key for which `isOpen` says that they may be; anything else could be a secret, unknown keys included.
 */
export function excerpt(text: string, line: number, column: number, isOpen: (key: string) => boolean): string {
  const lines = text.split(/\r\n|\r|\n/, line);
  const source = lines[line - 1] ?? '';
  const owner = ownerOf(lines, line - 1);
  const keysInLine = source.match(/[A-Za-z_]\w*(?=["']?\s*:)/g) ?? [];
  const isSafe =
    owner !== undefined && isOpen(owner) && keysInLine.every((key) => key === owner || !/env|influx/.test(key));
  const shown = isSafe ? withoutUserinfo(source) : (/^[^:=]*: ?/.exec(source)?.[0] ?? '') + hidden;
  const characters = Array.from(printable(shown));
  const at = Math.min(column, characters.length + 1);
  const from = Math.max(0, Math.min(at - longestLine / 2, characters.length - longestLine));
  const part = characters.slice(from, from + longestLine).join('');
  return `    ${part}\n    ${' '.repeat(at - 1 - from)}^`;
}
