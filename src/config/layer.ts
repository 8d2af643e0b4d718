import { adviseOn } from './advice.js';
import { findingsIn, type Findings, type Place } from './findings.js';
import type { ConfigText } from './layers.js';
import { legacyKeys } from './legacy-keys.js';
import type { ConfigProblem } from './problem.js';
import { keys, type KeyName } from './schema.js';
import { closestWord } from './spelling.js';
import { show } from './value-type.js';
import { below, pathText, readYaml, type YamlPath } from './yaml.js';

/** More than this in one file is no slip any more, and a log should not be flooded. */
const maxProblems = 100;
/** Of one list or mapping; more than anybody writes. */
const maxEntries = 1000;

/** What one file says about one key. */
export interface Setting {
  /** Read and checked; undefined for an empty value, which puts the default back. */
  readonly value: unknown;
  readonly isEmpty: boolean;
  readonly place: Place;
  /** Where a character of a plain one-line text value stands, by its index in that value. */
  readonly placeIn: (index: number) => Place;
}

/** One file, read and judged by itself. Keys with errors are not among the settings. */
export interface Layer {
  readonly settings: ReadonlyMap<KeyName, Setting>;
  readonly problems: readonly ConfigProblem[];
}

type Report = Findings['report'];

interface Entry {
  readonly written: string;
  readonly name: KeyName;
  readonly given: unknown;
}

function isKey(name: string): name is KeyName {
  return Object.hasOwn(keys, name);
}

/** The key an entry stands for; undefined, after a report, if it stands for none. */
function nameOf(written: string, offset: number, present: ReadonlySet<string>, report: Report): KeyName | undefined {
  if (isKey(written)) return written;
  const key = pathText([written]);
  const legacy = Object.hasOwn(legacyKeys, written) ? legacyKeys[written] : undefined;
  if (legacy === undefined) {
    const meant = closestWord(written, Object.keys(keys));
    const message = `unknown key ${show(key)}, which has no effect`;
    report('warning', offset, key, message, meant === undefined ? 'remove it' : `did you mean ${meant}?`);
  } else if ('ignored' in legacy) {
    report('warning', offset, key, `a key of older versions, which has no effect any more`, legacy.ignored);
  } else if (present.has(legacy.now)) {
    report('warning', offset, key, `an old spelling of ${legacy.now}, which is also given and wins`, 'remove it');
  } else {
    report('warning', offset, key, `an old spelling of ${legacy.now}`, `write ${legacy.now}`);
    return legacy.now;
  }
  return undefined;
}

/** How many entries a list or a mapping has. */
function sizeOf(given: unknown): number {
  return typeof given === 'object' && given !== null ? Object.keys(given).length : 0;
}

/** The checked value of an entry; undefined, after reports, if it cannot be used. */
function valueOf({ written, name, given }: Entry, locate: (path: YamlPath) => { value: number }, report: Report) {
  // Each entry is judged by itself, and told of by itself.
  if (sizeOf(given) > maxEntries) {
    report('error', locate([written]).value, pathText([written]), `has more than ${maxEntries} entries`);
    return undefined;
  }
  const result = keys[name].schema.safeParse(given);
  if (!result.success) {
    for (const { path, message } of result.error.issues.slice(0, maxProblems)) {
      const full = [written, ...path.filter((part) => typeof part !== 'symbol')];
      report('error', locate(full).value, pathText(full), message);
    }
    return undefined;
  }
  for (const { path, message, hint } of adviseOn(name, given)) {
    const full = [written, ...path];
    report('warning', locate(full).value, pathText(full), message, hint);
  }
  return { value: result.data };
}

/** Reads one file. Never throws. */
export function readLayer(layer: ConfigText): Layer {
  const { text, within } = layer;
  const { problems, place, report } = findingsIn(layer);
  const reading = within === undefined ? readYaml(text) : below(readYaml(text), within);
  for (const { offset, key, message } of reading.problems) report('error', offset, key, message);
  const present = new Set(reading.entries.map(([written]) => written));
  const settings = new Map<KeyName, Setting>();
  for (const [written, given] of reading.entries) {
    if (problems.length >= maxProblems) break;
    const span = reading.locate([written]);
    const name = nameOf(written, span.key, present, report);
    if (name === undefined) continue;
    const isEmpty = given === null;
    const found = isEmpty ? { value: undefined } : valueOf({ written, name, given }, reading.locate, report);
    if (found === undefined) continue;
    const isPlain = typeof found.value === 'string' && text.startsWith(found.value, span.value);
    const placeIn = (index: number) => place(span.value + (isPlain ? index : 0));
    settings.set(name, { value: found.value, isEmpty, place: place(span.key), placeIn });
  }
  return { settings, problems };
}
