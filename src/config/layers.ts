/** One file of the configuration as it was read; `file` is how messages call it. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
  /** The key below which it stands, in a file that holds more than a configuration. */
  readonly within?: string;
}

/** The file every host reads first. */
export const BASE_FILE = 'config.yaml';
/** The folder of the files that only some hosts read. */
export const HOSTS_FOLDER = 'hosts';

/** One place in a pattern: a test for one character, or `undefined` for `*` (any run of characters). */
type Token = ((char: string) => boolean) | undefined;

interface Glob {
  readonly tokens: readonly Token[];
  /** How specific it is, the most telling figure first: literal characters, `[...]`, `?`, then few `*`. */
  readonly rank: readonly [number, number, number, number];
}

/** A `[...]` with ranges; `!` or `^` in front negates. */
function characterSet(body: string): (char: string) => boolean {
  const negated = /^[!^]/.test(body);
  const set = negated ? body.slice(1) : body;
  const ranges = [...set.matchAll(/(.)-(.)|(.)/gs)].map(([, from, to, one]) => [from ?? one, to ?? one] as const);
  return (char) => ranges.some(([from = '', to = '']) => char >= from && char <= to) !== negated;
}

function parseGlob(pattern: string): Glob {
  const tokens: Token[] = [];
  const rank: [number, number, number, number] = [0, 0, 0, 0];
  for (const [text, set] of pattern.matchAll(/\[([!^]?[^\]]+)\]|./gs)) {
    if (text === '*') {
      tokens.push(undefined);
      rank[3] -= 1;
    } else if (text === '?') {
      tokens.push(() => true);
      rank[2] += 1;
    } else if (set !== undefined) {
      tokens.push(characterSet(set));
      rank[1] += 1;
    } else {
      tokens.push((char) => char === text);
      rank[0] += 1;
    }
  }
  return { tokens, rank };
}

/** Matches in at most length x length steps: a pattern comes from the repository and must not be able to stall us. */
function matches(tokens: readonly Token[], name: string): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const test = tokens[token];
    if (test?.(name.charAt(at)) === true) {
      at += 1;
      token += 1;
    } else if (token < tokens.length && test === undefined) {
      star = token;
      starAt = at;
      token += 1;
    } else if (star >= 0) {
      // Let the last star swallow one more character.
      starAt += 1;
      at = starAt;
      token = star + 1;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => rest === undefined);
}

function compareRanks(a: Glob['rank'], b: Glob['rank']): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

/**
 * Which files of a configuration tree make up the configuration of this host, in the order in which they apply:
 * `config.yaml`, then the matching `hosts/<name or glob>.yaml` from the least to the most specific. A pattern may match
 * the full or the short host name; case does not matter.
 */
export function layerFiles(paths: Iterable<string>, hostname: string): string[] {
  const full = hostname.toLowerCase();
  const names = [full, full.split('.', 1)[0] ?? full];
  const overrides: { path: string; exact: number; rank: Glob['rank'] }[] = [];
  let hasBase = false;
  for (const path of paths) {
    if (path === BASE_FILE) hasBase = true;
    const pattern = /^hosts\/([^/]+)\.yaml$/.exec(path)?.[1]?.toLowerCase();
    if (pattern === undefined) continue;
    const { tokens, rank } = parseGlob(pattern);
    if (names.some((name) => pattern === name || matches(tokens, name))) {
      overrides.push({ path, exact: names.includes(pattern) ? 1 : 0, rank });
    }
  }
  overrides.sort((a, b) => a.exact - b.exact || compareRanks(a.rank, b.rank) || (a.path < b.path ? -1 : 1));
  return [...(hasBase ? [BASE_FILE] : []), ...overrides.map(({ path }) => path)];
}

/** The texts that make up the configuration of this host, in the order in which they apply; see `layerFiles`. */
export function selectLayers(files: ReadonlyMap<string, string>, hostname: string): ConfigText[] {
  return layerFiles(files.keys(), hostname).map((file) => ({ file, text: files.get(file) ?? '' }));
}
