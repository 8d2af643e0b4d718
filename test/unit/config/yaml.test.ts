import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../../src/config/yaml.js';

function valueOf(text: string): unknown {
  const { entries, problems } = readYaml(`k: ${text}`);
  expect(problems).toEqual([]);
  return entries[0]?.[1];
}

function messagesOf(text: string): readonly string[] {
  return readYaml(text).problems.map(({ message }) => message);
}

describe('scalars', () => {
  it.each(['yes', 'Yes', 'on', 'ON', 'true', 'True'])('%s is true', (text) => {
    expect(valueOf(text)).toBe(true);
  });

  it.each(['no', 'No', 'off', 'OFF', 'false', 'False'])('%s is false', (text) => {
    expect(valueOf(text)).toBe(false);
  });

  it.each(['y', 'n', '0:0', '1000:10', '2026-11-21', '12:30:45', 'ncpus - 2', '017', '1_000', '1.10', '0x10', '.inf'])(
    '%s stays the text it is',
    (text) => {
      expect(valueOf(text)).toBe(text);
    },
  );

  it.each(['', '~', 'null'])('%j is nothing', (text) => {
    expect(valueOf(text)).toBeNull();
  });

  it('reads whole numbers', () => {
    expect([valueOf('42'), valueOf('-7'), valueOf('0')]).toEqual([42, -7, 0]);
  });
});

describe('files', () => {
  it.each(['', '\n\n', '# only a comment\n', '---\n', '---\n...\n', '~', '\uFEFF'])('%j says nothing', (text) => {
    const { entries, problems } = readYaml(text);
    expect({ entries, problems }).toEqual({ entries: [], problems: [] });
  });

  it('may begin with a byte order mark and have any line ends', () => {
    expect(readYaml('\uFEFFa: 1\r\nb: 2\r\n').entries).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('may share parts by anchors and merge keys', () => {
    expect(readYaml('base: &b {p: 1}\nk: {<<: *b, q: 2}\n').entries[1]).toEqual(['k', { p: 1, q: 2 }]);
  });

  it.each([
    ['a list', '- a\n', /this is a list/],
    ['a single value', 'hello\n', /this is a single value/],
    ['several documents', 'a: 1\n---\nb: 2\n', /more than one document/],
    ['a NUL', 'a: \0\n', /binary/],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]).toString('utf8'), /binary/],
    ['control characters', 'a: \u0007\n', /non-printable/],
    ['more than 256 KiB', `#${'x'.repeat(256 * 1024)}`, /has 262145 bytes; .* at most 262144/],
    ['deep nesting', `a: ${'['.repeat(500)}`, /nested more than 20 deep; write it flatter/],
    [
      'too many aliases',
      `a: &a 1\nb: [${Array(21).fill('*a').join(', ')}]\n`,
      /more than 20 aliases .*write the values out/,
    ],
    [
      'too many merged keys',
      `a: &a {${Array.from({ length: 201 }, (_, index) => `k${index}: 1`).join(', ')}}\nb:\n  <<: *a\n`,
      /more than 200 keys are merged/,
    ],
    ['an unknown alias', 'a: *b\n', /unidentified alias; .*quotes/],
    ['code', 'a: !!js/function "f"\n', /tag/],
    ['python objects', 'a: !!python/object/apply:os.system [id]\n', /tag/],
    ['binary data', 'a: !!binary "AAAA"\n', /tag/],
    ['a tab as indentation', 'a:\n\tb: 1\n', /tab characters .*indent with blanks/],
    ['an open quote', 'a: "b\nc: 1\n', /left open/],
    ['complex keys', '? {x: 1}\n: 2\n', /complex keys/],
  ])('%s are refused with a sentence', (_what, text, message) => {
    const { entries, problems } = readYaml(text);
    expect(entries).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(message);
  });

  it('name the line of both places where a key is given twice, at every depth', () => {
    const text = 'a: 1\nenv:\n  X: 1\n  X: 2\na: 2\n';
    const { problems } = readYaml(text);
    expect(
      problems.map(({ key, message, offset }) => [key, message, text.slice(0, offset).split('\n').length]),
    ).toEqual([
      ['env.X', 'given twice, first on line 3; keep one of them', 4],
      ['a', 'given twice, first on line 1; keep one of them', 5],
    ]);
  });

  it('survive aliases that contain themselves', () => {
    expect(messagesOf('a: &a [*a]\n')).toEqual([]);
  });
});

describe('places', () => {
  const text = 'a: 1\nlist:\n  - x\n  - {y: "z"}\nempty:\n';

  it.each([
    [['a'], 'a', '1'],
    [['list', 0], 'x', 'x'],
    [['list', 1, 'y'], 'y', 'z'],
    [['empty'], 'empty', 'empty'],
    // What is not written in the file has the place of what is around it.
    [['list', 1, 'gone'], '{', '{'],
  ])('%j is found', (path, key, value) => {
    const span = readYaml(text).locate(path);
    expect(text.slice(span.key).startsWith(key)).toBe(true);
    expect(text.slice(span.value).startsWith(value)).toBe(true);
  });
});

describe('hostile text', () => {
  it('never makes reading fail, nor reaches the prototypes', () => {
    const piece = fc.constantFrom(
      ...[
        'a: ',
        '- ',
        '\n',
        '  ',
        '{',
        '}',
        '[',
        ']',
        '&x ',
        '*x',
        '<<: ',
        '!!str ',
        '!',
        '"',
        "'",
        '|',
        '>',
        '#',
        '? ',
      ].concat([
        '---',
        '...',
        '%TAG ! x',
        '__proto__: ',
        'constructor: ',
        '{polluted: 1}',
        '\t',
        '\0',
        '\u2028',
        ': ',
        ',',
      ]),
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.string({ maxLength: 100, unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (hostile) => {
        const { problems } = readYaml(hostile);
        for (const { offset } of problems) expect(offset).toBeLessThanOrEqual(hostile.length);
        expect({}).not.toHaveProperty('polluted');
      }),
      { numRuns: 2000 },
    );
  });
});
