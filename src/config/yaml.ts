import {
  constructFromEvents,
  defineScalarTag,
  EVENT_ID,
  FAILSAFE_SCHEMA,
  getScalarValue,
  intJsonTag,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  YAMLException,
  type Event,
} from 'js-yaml';

const maxBytes = 256 * 1024;
const maxDepth = 20;
const maxAliases = 20;
const maxMergedKeys = 200;
const maxDuplicates = 100;

/** Names of elements from the top: keys of mappings, indexes of lists. */
export type YamlPath = readonly (string | number)[];

/** Something wrong with the text itself; `offset` counts UTF-16 units from the start of the text. */
export interface YamlProblem {
  readonly offset: number;
  readonly message: string;
  /** The key it belongs to, if any. */
  readonly key: string;
}

/** Where an element stands in the text: its key (or itself, in a list) and its value, as UTF-16 offsets. */
interface Span {
  readonly key: number;
  readonly value: number;
}

/** A text that was read; `entries` is what could be understood, also where there are problems. */
export interface YamlReading {
  readonly entries: readonly (readonly [name: string, value: unknown])[];
  readonly problems: readonly YamlProblem[];
  /** The place of an element, or of the nearest one around it that is written in the text. */
  readonly locate: (path: YamlPath) => Span;
}

// As PyYAML reads them, since existing files were written for it. The rest of YAML's guesses is left out: `0:0` and
// dates are text, and so are numbers with a point, `017` or `1_000`, which the keys that take numbers understand, and
// which other keys get as they were written.
const booleanTag = defineScalarTag('tag:yaml.org,2002:bool', {
  implicit: true,
  resolve: (source) => {
    if (/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(source)) return true;
    return /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(source) ? false : NOT_RESOLVED;
  },
  identify: (value) => typeof value === 'boolean',
});
const schema = FAILSAFE_SCHEMA.withTags(nullCoreTag, booleanTag, intJsonTag, mergeTag);

/** Follows the events of one document and notes where everything stands. */
class Surveyor {
  readonly spans = new Map<string, Span>();
  readonly problems: YamlProblem[] = [];
  readonly #text: string;
  readonly #events: readonly Event[];
  #next: number;

  constructor(text: string, events: readonly Event[], first: number) {
    this.#text = text;
    this.#events = events;
    this.#next = first;
  }

  /** Notes one node and all below it; returns its offset and, if it is a scalar, its text. `near` serves empty nodes. */
  node(path: YamlPath, near: number): { readonly offset: number; readonly text: string | undefined } {
    const event = this.#take();
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return event.valueStart < 0
          ? { offset: near, text: '' }
          : { offset: event.valueStart, text: getScalarValue(this.#text, event) };
      case EVENT_ID.MAPPING:
        this.#mapping(path, event.start);
        return { offset: event.start, text: undefined };
      case EVENT_ID.SEQUENCE:
        this.#sequence(path, event.start);
        return { offset: event.start, text: undefined };
      case EVENT_ID.ALIAS:
        return { offset: event.anchorStart, text: undefined };
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
      case undefined:
        return { offset: near, text: undefined };
    }
  }

  #take(): Event | undefined {
    const event = this.#events[this.#next];
    this.#next += 1;
    return event;
  }

  #atEnd(): boolean {
    const event = this.#events[this.#next];
    if (event !== undefined && event.type !== EVENT_ID.POP) return false;
    this.#next += 1;
    return true;
  }

  #mapping(path: YamlPath, start: number): void {
    let near = start;
    const seen = new Map<string, number>();
    while (!this.#atEnd()) {
      const key = this.node([...path, ''], near);
      const name = key.text ?? '';
      const first = seen.get(name);
      if (first !== undefined && name !== '<<') this.#duplicate([...path, name], key.offset, first);
      seen.set(name, key.offset);
      const value = this.node([...path, name], key.offset);
      this.spans.set(JSON.stringify([...path, name]), { key: key.offset, value: value.offset });
      near = value.offset;
    }
  }

  #duplicate(path: YamlPath, offset: number, first: number): void {
    if (this.problems.length >= maxDuplicates) return;
    const line = this.#text.slice(0, first).split(/\r\n|\r|\n/).length;
    this.problems.push({
      offset,
      key: pathText(path),
      message: `given twice, first on line ${line}; keep one of them`,
    });
  }

  #sequence(path: YamlPath, start: number): void {
    let near = start;
    for (let index = 0; !this.#atEnd(); index += 1) {
      const value = this.node([...path, index], near);
      this.spans.set(JSON.stringify([...path, index]), { key: value.offset, value: value.offset });
      near = value.offset;
    }
  }
}

/** A path as people write it: `binds[1]`, `docker_env.NAME`. */
export function pathText(path: YamlPath): string {
  // A variable may have been written as `NAME=secret` where its name belongs.
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : (index > 0 ? '.' : '') + (part.split('=')[0] ?? ''),
    )
    .join('');
}

function refuse(offset: number, message: string): YamlReading {
  return { entries: [], problems: [{ offset, key: '', message }], locate: () => ({ key: 0, value: 0 }) };
}

/** What is more than we follow, in words for people; js-yaml names its own options. */
const limits: readonly (readonly [symptom: RegExp, message: string])[] = [
  [/maxDepth/, `lists and mappings are nested more than ${maxDepth} deep; write it flatter`],
  [/maxAliases/, `there are more than ${maxAliases} aliases (*name); write the values out`],
  [/maxTotalMergeKeys/, `more than ${maxMergedKeys} keys are merged with <<; write them out`],
];

const cures: readonly (readonly [symptom: RegExp, cure: string])[] = [
  [/alias|tag property|anchor|unknown .* tag/, '; put text that starts with * & or ! in quotes'],
  [/tab characters/, '; indent with blanks'],
  [/deficient|unexpected end|missed comma/, '; is a quote or a bracket above left open?'],
];

/** What js-yaml found wrong, without the words of the file in it: they may be secret. */
function refuseFor(error: unknown): YamlReading {
  if (!(error instanceof YAMLException)) return refuse(0, 'this is not YAML that can be read');
  const at = error.mark?.position ?? 0;
  const limit = limits.find(([symptom]) => symptom.test(error.reason));
  if (limit !== undefined) return refuse(at, limit[1]);
  const reason = error.reason.split(/ ?(?:"|!<|: )/)[0] ?? '';
  const cure = cures.find(([symptom]) => symptom.test(reason))?.[1] ?? '';
  return refuse(at, `this is not valid YAML: ${reason}${cure}`);
}

function refuseText(text: string): YamlReading | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) return refuse(0, `the file has ${bytes} bytes; a configuration has at most ${maxBytes}`);
  // What is not UTF-8 was replaced by U+FFFD when the file was decoded.
  const binary = /[\0\uFFFD]/.exec(text);
  return binary === null ? undefined : refuse(binary.index, 'the file is binary or not UTF-8; give YAML text');
}

function readEvents(text: string, events: Event[]): YamlReading {
  const root = events[1];
  if (root === undefined) return { ...refuse(0, ''), problems: [] };
  const surveyor = new Surveyor(text, events, 1);
  const { offset, text: scalar } = surveyor.node([], 0);
  const second = events.findIndex((event, index) => index > 0 && event.type === EVENT_ID.DOCUMENT);
  if (second > 0) {
    const { offset: at } = new Surveyor(text, events, second + 1).node([], text.length);
    return refuse(at, 'there is more than one document; keep one and remove the --- between them');
  }
  if (scalar === '') return { ...refuse(0, ''), problems: [] };
  // Duplicates are known by now; `json` lets the rest of the file be judged nevertheless.
  const [value] = constructFromEvents(events, {
    source: text,
    schema,
    json: true,
    maxAliases,
    maxTotalMergeKeys: maxMergedKeys,
  });
  if (value === null) return { ...refuse(0, ''), problems: [] };
  if (root.type !== EVENT_ID.MAPPING || typeof value !== 'object') {
    const found = root.type === EVENT_ID.SEQUENCE ? 'a list' : 'a single value';
    return refuse(offset, `this is ${found}; give "key: value" lines`);
  }
  const locate = (path: YamlPath): Span => {
    for (let length = path.length; length > 0; length -= 1) {
      const span = surveyor.spans.get(JSON.stringify(path.slice(0, length)));
      if (span !== undefined) return span;
    }
    return { key: offset, value: offset };
  };
  return { entries: Object.entries(value), problems: surveyor.problems, locate };
}

/** What stands below one key, as if it were all. What is wrong with the text itself is left to the whole reading. */
export function below({ entries, locate }: YamlReading, key: string): YamlReading {
  const value = entries.find(([name]) => name === key)?.[1] ?? {};
  const isMapping = typeof value === 'object' && !Array.isArray(value);
  const message = 'must be a mapping; give "key: value" lines';
  return {
    entries: isMapping ? Object.entries(value) : [],
    problems: isMapping ? [] : [{ offset: locate([key]).value, message, key }],
    locate: (path) => locate([key, ...path]),
  };
}

/** Reads the text of a configuration file. Never throws: what is wrong is among the problems. */
export function readYaml(text: string): YamlReading {
  const refused = refuseText(text);
  if (refused !== undefined) return refused;
  try {
    return readEvents(text, parseEvents(text, { maxDepth }));
  } catch (error) {
    return refuseFor(error);
  }
}
