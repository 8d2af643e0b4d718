/** One measurement. */
export interface Point {
  readonly series: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string | boolean>>;
  /** Wall clock, ms. */
  readonly atMs: number;
}

/**
 * A point as InfluxDB's line protocol. Numbers are always floats, because a series refuses a field that changes its type. What the
 * protocol cannot say (empty tags, NaN, infinities) is left out; undefined when no field is left. `extraNs` tells
 * points of one series and moment apart, which would otherwise replace each other.
 */
export function toLine({ series, tags, fields, atMs }: Point, extraNs = 0): string | undefined {
  const head = [escapeName(series, /[, ]/g), ...pairs(tags, (value) => escapeName(value, /[,= ]/g))];
  const values = pairs(fields, fieldValue);
  if (head[0] === '' || values.length === 0 || !Number.isFinite(atMs)) return undefined;
  // Beyond what a JavaScript number holds exactly.
  const atNs = BigInt(Math.trunc(atMs)) * 1_000_000n + BigInt(extraNs);
  return `${head.join(',')} ${values.join(',')} ${atNs}`;
}

function pairs<T>(values: Readonly<Record<string, T>>, write: (value: T) => string): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const [name, text] = [escapeName(key, /[,= ]/g), write(value)];
    return name === '' || text === '' ? [] : [`${name}=${text}`];
  });
}

/** Line ends would end the point, and a last backslash would swallow the separator; neither can be escaped. */
function escapeName(text: string, special: RegExp): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/\\+$/, '')
    .replace(special, '\\$&');
}

function fieldValue(value: number | string | boolean): string {
  if (typeof value === 'number') return floatText(value);
  return typeof value === 'boolean' ? String(value) : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** `1.0` and not `1`, as the original wrote it; empty when there is no such number. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return '';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
