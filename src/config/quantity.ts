const secondsPer = { d: 86_400, h: 3600, m: 60, s: 1 } as const;
const bytesPer: readonly (readonly [string, number])[] = [
  ['Ti', 2 ** 40],
  ['T', 1e12],
  ['Gi', 2 ** 30],
  ['G', 1e9],
  ['Mi', 2 ** 20],
  ['M', 1e6],
  ['Ki', 2 ** 10],
  ['K', 1e3],
];

const decimal = String.raw`\d+(?:\.\d+)?`;
const plain = String.raw`[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const clock = `(?:(${decimal})d)?(?:(${decimal})h)?(?:(${decimal})m)?(?:(${decimal})s)?`;

/** What `parseNumber` takes. */
export const numberPattern = new RegExp(`^${plain}$`);
/** What `parseDuration` takes. */
export const durationPattern = new RegExp(`^(?:${plain}|(?=.)${clock})$`);
/** What `parseSize` takes. */
export const sizePattern = new RegExp(`^(?:${plain}|(${decimal})(?:([KMGT]i?)B?|B))$`);
/** The same in words, for messages and help. */
export const durationForms = 'such as 90, 90s, 15m, 12h, 2d or 1h30m';
/** The same in words, for messages and help. */
export const sizeForms = 'such as 2000000000, 500M, 2G = 2GB (10^9) or 2Gi = 2GiB (2^30)';

/** A plain decimal number written as text, `1_000` and `2e9` included; undefined if it is anything else. */
export function parseNumber(text: string): number | undefined {
  if (!numberPattern.test(text)) return undefined;
  const value = Number(text.replaceAll('_', ''));
  return Number.isFinite(value) ? value : undefined;
}

/** Seconds of a duration such as `90`, `90s` or `1h30m`; undefined if it is anything else. */
export function parseDuration(text: string): number | undefined {
  // Also where it is none: 1e999 is a number that nothing can hold, and no duration of no days and no hours.
  if (numberPattern.test(text)) return parseNumber(text);
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  const sum =
    Number(days) * secondsPer.d + Number(hours) * secondsPer.h + Number(minutes) * secondsPer.m + Number(seconds);
  return Number.isFinite(sum) ? sum : undefined;
}

/** Bytes of a size such as `2000000000`, `2G` or `2GiB`; undefined if it is anything else. */
export function parseSize(text: string): number | undefined {
  if (numberPattern.test(text)) return parseNumber(text);
  const match = sizePattern.exec(text);
  if (match === null) return undefined;
  const factor = bytesPer.find(([unit]) => unit === match[2])?.[1] ?? 1;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isFinite(bytes) ? bytes : undefined;
}

/** Seconds as the shortest text that `parseDuration` reads back to the same number: 5400 is `1h30m`. */
export function formatDuration(seconds: number): string {
  if (!Number.isInteger(seconds) || seconds <= 0 || seconds > Number.MAX_SAFE_INTEGER) return String(seconds);
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, size] of Object.entries(secondsPer)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join('');
}

/** Bytes in the largest unit that divides them, so that `parseSize` reads the same number back: 2750000000 is `2750M`. */
export function formatSize(bytes: number): string {
  if (!Number.isInteger(bytes) || bytes <= 0) return String(bytes);
  const unit = bytesPer.find(([, size]) => bytes % size === 0);
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`;
}
