import * as z from 'zod';
import type { ValueType } from './value-type.js';

// The values read here may hold passwords, so no message repeats what was given.

const maxUrls = 32;

/** None, user and password of InfluxDB 1, the organisation of InfluxDB 2, or the version of InfluxDB 3. */
function isKnownQuery(query: URLSearchParams): boolean {
  const names = [...query.keys()].sort().join();
  if (names === 'org') return query.get('org') !== '';
  return names === '' || names === 'p,u' || (names === 'version' && query.get('version') === '3');
}

function isTarget(entry: string): boolean {
  const [url = '', database = '', ...more] = entry.split('#');
  if (!/^(https?|insecure_https):\/\//.test(url) || !/^[^\s/"\\@?\p{Cs}]+$/u.test(database)) return false;
  const address = url.replace(/^insecure_/, '');
  if (more.length > 0 || !URL.canParse(address)) return false;
  const { pathname, searchParams } = new URL(address);
  // A slash in a password ends what is taken for user and host: the rest of it would be shown as a path.
  return !pathname.includes('@') && isKnownQuery(searchParams);
}

/** InfluxDB targets `URL#database`, one or a list; entries without `#` are dropped, as the original did. */
export function influxTargets(): ValueType<string[]> {
  const accepted =
    'http://, https:// or insecure_https:// URL#database, with ?org=NAME or ?version=3 before #, or a list of these';
  const error = () => `not accepted; give ${accepted}`;
  const schema = z
    .union([z.string(), z.array(z.union([z.string(), z.null()], { error })).max(maxUrls, { error })], { error })
    .transform((input, context): string[] => {
      const entries = typeof input === 'string' ? [input] : input;
      entries.forEach((entry, index) => {
        if (entry === null || !entry.includes('#') || isTarget(entry)) return;
        const path = typeof input === 'string' ? [] : [index];
        context.addIssue({ code: 'custom', message: error(), path });
      });
      return entries.filter((entry): entry is string => entry?.includes('#') === true);
    });
  return { schema, accepted };
}

const nameShape = /^[^=\s\0]+$/;

function entryOf(item: unknown): [string, unknown] | undefined {
  if (typeof item !== 'string' || !item.includes('=')) return undefined;
  return [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)];
}

/** Only what still has its spelling: `yes` is a boolean by now, and a very large number is rounded. */
function textOf(value: unknown): string | undefined {
  if (value === null) return '';
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && !value.includes('\0') ? value : undefined;
}

/** Environment variables: a mapping, or a list of `NAME=value`. */
export function environment(): ValueType<Record<string, string>> {
  const accepted = 'a mapping of NAME: value, or a list of NAME=value';
  const error = () => `not accepted; give ${accepted}`;
  const schema = z
    .union([z.record(z.string(), z.unknown()), z.array(z.unknown())], { error })
    .transform((input, context): Record<string, string> => {
      const entries = Array.isArray(input)
        ? input.map((item, index) => ({ at: index, pair: entryOf(item) }))
        : Object.entries(input).map(([name, value]) => ({ at: name, pair: [name, value] as [string, unknown] }));
      const result: [string, string][] = [];
      for (const { at, pair } of entries) {
        const [name = '', given] = pair ?? [];
        const value = textOf(given);
        if (value !== undefined && nameShape.test(name)) result.push([name, value]);
        else context.addIssue({ code: 'custom', path: [at], message: `${error()}; write the value in quotes` });
      }
      // Not by assignment: `__proto__` is a name like any other here.
      return Object.fromEntries(result);
    });
  return { schema, accepted };
}
