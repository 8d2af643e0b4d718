import * as z from 'zod';
import { formatDuration, formatSize } from './quantity.js';
import { keys, type Key } from './schema.js';
import { withoutControls } from './source-line.js';

const width = 110;

const header = `# Configuration of Plancton. Every key may be left out. What is shown is its default, or what is safer: keys that say so
# have a looser default, on which older configurations rely.
# Times are seconds or carry units (90s, 15m, 12h, 2d, 1h30m), sizes are bytes or carry units (500M, 2G, 2Gi).
# Check a changed file with: planctonctl config check FILE
`;

function entries(): readonly (readonly [string, Key])[] {
  return Object.entries<Key>(keys);
}

/** A value as it is written in YAML, on one line; times and sizes with units. */
export function renderValue(value: unknown, unit: string): string {
  if (value === undefined) return '';
  if (typeof value === 'number' && unit === 'seconds') return formatDuration(value);
  if (typeof value === 'number' && unit === 'bytes') return formatSize(value);
  if (typeof value === 'string') return /^[\w/][\w /.,()+*-]*$/.test(value) ? value : quoted(value);
  if (Array.isArray(value) && value.length > 0 && value.every(isWord)) return `['${value.join("', '")}']`;
  return withoutControls(JSON.stringify(value));
}

/** What could steer a terminal can be written in double quotes only. */
function quoted(value: string): string {
  if (withoutControls(value) !== value) return withoutControls(JSON.stringify(value));
  return `'${value.replaceAll("'", "''")}'`;
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]+$/.test(value);
}

/** Breaks a text into comment lines. */
export function commentLines(text: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

/** The commented configuration to begin with; but for the values that are safer it says the same as an empty file. */
export function renderConfigFile(): string {
  const blocks = entries().map(([name, key]) => {
    const value = key.fresh ?? key.fallback;
    const line = value === undefined ? `# ${name}:` : `${name}: ${renderValue(value, key.unit)}`;
    const looser =
      key.fresh === undefined ? [] : [commentLines(`Its default is ${renderValue(key.fallback, key.unit)}.`)];
    return [commentLines(key.about), commentLines(`Takes ${key.accepted}.`), ...looser, line, ''].join('\n');
  });
  return [header, ...blocks].join('\n');
}

/** The table of all keys for the README, in Markdown. */
export function renderConfigTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = entries().map(([name, key]) => {
    const value = renderValue(key.fallback, key.unit);
    const shown = value === '' ? 'none' : `\`${value}\``;
    return `| \`${name}\` | ${cell(shown)} | ${cell(key.about)} | ${cell(key.accepted)} |`;
  });
  return ['| Key | Default | Meaning | Takes |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

/** The part of a JSON Schema that describes one key. */
function describeKey(key: Key): Record<string, unknown> {
  const value = z.toJSONSchema(key.schema, {
    target: 'draft-7',
    io: 'input',
    // The bounds of safe integers say nothing to people.
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  delete value.$schema;
  const shown = key.fallback === undefined ? {} : { default: key.fallback };
  return { description: `${key.about} Takes ${key.accepted}.`, ...shown, anyOf: [value, { type: 'null' }] };
}

/** JSON Schema (draft 7) of a configuration file, for editors: unknown keys, which only warn, are errors here. */
export function renderJsonSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Plancton configuration',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: Object.fromEntries(entries().map(([name, key]) => [name, describeKey(key)])),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
