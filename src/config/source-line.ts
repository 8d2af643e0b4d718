const longestLine = 110;
const hidden = '…';
/** Nobody reads a line that is longer than this, and looking through it takes long; in a file from elsewhere it may be all there is. */
const longestRead = 2000;

/** Offsets of the starts of lines, to find the line of an offset quickly. */
export function lineStarts(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((lineBreak) => lineBreak.index + lineBreak[0].length)];
}

/** Line and column of an offset in UTF-16 units; both count from 1, the column in characters, but far to the right in UTF-16 units too. */
export function placeOf(text: string, starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const before = text.slice(starts[low], offset);
  return { line: low + 1, column: (before.length > longestRead ? before.length : Array.from(before).length) + 1 };
}

/** Whatever could steer a terminal or reorder a line. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Replaces whatever could steer a terminal or reorder a line, one character for one. */
export function printable(text: string): string {
  return text.replace(STEERING, ' ');
}

/** The same made visible, in the way that JSON and YAML write it: what strangers wrote ends up on terminals. */
export function withoutControls(text: string): string {
  return text.replace(STEERING, (found) =>
    found
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Hides user and password of every URL in a text. */
export function withoutUserinfo(text: string): string {
  // A slash in a password is a slip, but one that people make. Bounded, since a text may be nothing but beginnings of URLs.
  return text.replace(/(\w:\/\/)(?:\S{0,2000}|[^\s/]*)@/g, `$1${hidden}@`);
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
 * Whether a line may be shown with its values. `owner`: the key, in the first column, that it belongs to; `within`: all that
 * looks like a key in the line itself.
 */
export type MayShow = (owner: string | undefined, within: readonly string[]) => boolean;

/**
 * A line of a file, with a caret below `column` (from 1, in characters). Values are left out of lines that may not be shown,
 * since they could be secrets; no lines at all where nothing else would be left, or where the line is very long.
 */
export function excerpt(text: string, line: number, column: number, mayShow: MayShow): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/, line);
  const source = lines[line - 1] ?? '';
  if (source.length > longestRead) return [];
  const mayShowAll = mayShow(ownerOf(lines, line - 1), source.match(/[A-Za-z_]\w*(?=["']?\s*:)/g) ?? []);
  // What looks like the name of a value in there may be the next line of a secret.
  if (!mayShowAll && /^\s/.test(source)) return [];
  const shown = mayShowAll ? withoutUserinfo(source) : (/^[^:=]*: ?/.exec(source)?.[0] ?? '') + hidden;
  if (shown === hidden) return [];
  const characters = Array.from(printable(shown));
  const at = Math.min(column, characters.length + 1);
  const from = Math.max(0, Math.min(at - longestLine / 2, characters.length - longestLine));
  const part = characters.slice(from, from + longestLine).join('');
  return [`    ${part}`, `    ${' '.repeat(at - 1 - from)}^`];
}
