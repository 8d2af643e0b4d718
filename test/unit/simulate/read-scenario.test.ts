import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigSourceError } from '../../../src/config/source.js';
import { readScenario, type ScenarioReading } from '../../../src/simulate/read-scenario.js';

interface Files {
  /** Other files than the scenario, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly config?: string;
}

function read(text: string, { files = {}, config }: Files = {}): Promise<ScenarioReading> {
  return readScenario({
    scenario: { file: 'days/day.yaml', text },
    config: config === undefined ? undefined : { file: 'site.yaml', text: config },
    readText: (path) => Promise.resolve(files[path]),
  });
}

async function good(text: string, files: Files = {}) {
  const reading = await read(text, files);
  if (!reading.ok) throw new Error(reading.problems.join('\n'));
  return reading;
}

async function problemsOf(text: string, files: Files = {}): Promise<readonly string[]> {
  const reading = await read(text, files);
  return reading.ok ? [] : reading.problems;
}

/** The first lines of problems: without the excerpts. */
async function placesOf(text: string, files: Files = {}): Promise<readonly (string | undefined)[]> {
  return (await problemsOf(text, files)).map((problem) => problem.split('\n')[0]);
}

describe('a scenario', () => {
  it('needs no more than a number of CPUs', async () => {
    const { scenario, config, warnings } = await good('ncpus: 24\n');
    expect(scenario).toEqual({
      ncpus: 24,
      hours: 24,
      seed: 1,
      pilot: { seconds: 3600, jitter: 0, cpu: 1 },
      foreign: [],
      period: undefined,
    });
    expect(config).toMatchObject({ max_docks: 22, main_sleep: 30 });
    expect(warnings).toEqual([]);
  });

  it('may say everything, times with units', async () => {
    const { scenario, config } = await good(`
ncpus: 8
hours: 1.5
seed: 7
pilot: { seconds: 10m, jitter: 0.2, cpu: 0.5 }
foreign:
  - { at: 0, cpus: 2.88 }
  - { at: 5m, cpus: 0 }
period: 30m
config: { max_docks: "ncpus - 1", main_sleep: 10s }
`);
    expect(scenario).toEqual({
      ncpus: 8,
      hours: 1.5,
      seed: 7,
      pilot: { seconds: 600, jitter: 0.2, cpu: 0.5 },
      foreign: [
        { at: 0, cpus: 2.88 },
        { at: 300, cpus: 0 },
      ],
      period: 1800,
    });
    expect(config).toMatchObject({ max_docks: 7, main_sleep: 10 });
  });

  it('has the defaults where a key has no value', async () => {
    const { scenario } = await good('ncpus: 2\nhours:\npilot: { seconds: , cpu: 0.5 }\nforeign:\nconfig:\n');
    expect(scenario).toMatchObject({ hours: 24, pilot: { seconds: 3600, cpu: 0.5 }, foreign: [] });
  });
});

it('may be written as the documentation shows it', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/simulate.md'), 'utf8');
  const text = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';
  const { scenario, warnings } = await good(text);
  expect(scenario).toMatchObject({ ncpus: 24, foreign: [{ at: 0 }, { at: 600 }], period: 1800 });
  expect(warnings).toEqual([]);
});

describe('mistakes in a scenario', () => {
  it('are told all at once, each with its line and column', async () => {
    const text = `ncpus: many
huors: 24
pilot: { seconds: 3600, jitter: 2, cpus: 1.0 }
foreign:
  - { at: 10, cpus: 2.88 }
  - { at: 5, cpus: -1 }
  - { at: x }
config:
  max_docks: "ncpus - "
  main_sleep: soon
`;
    expect(await placesOf(text)).toEqual([
      expect.stringMatching(/^days\/day\.yaml:1:8: ncpus: "many" is not accepted; give a whole number from 1 to 4096$/),
      expect.stringMatching(/^days\/day\.yaml:2:1: huors: unknown key "huors"; did you mean hours\?$/),
      expect.stringMatching(/^days\/day\.yaml:3:33: pilot\.jitter: 2 is not accepted; give a number from 0 to 0\.99$/),
      expect.stringMatching(/^days\/day\.yaml:3:36: pilot\.cpus: unknown key "cpus"; did you mean cpu\?$/),
      expect.stringMatching(/^days\/day\.yaml:6:11: foreign\[1\]\.at: 5 is not later than the 10 /),
      expect.stringMatching(/^days\/day\.yaml:6:20: foreign\[1\]\.cpus: -1 is not accepted/),
      expect.stringMatching(/^days\/day\.yaml:7:5: foreign\[2\]\.cpus: is missing; give/),
      expect.stringMatching(/^days\/day\.yaml:7:11: foreign\[2\]\.at: "x" is not accepted; give a time/),
      expect.stringMatching(/^days\/day\.yaml:9:23: max_docks: something is missing at the end/),
      expect.stringMatching(/^days\/day\.yaml:10:15: main_sleep: "soon" is not accepted; give a time/),
    ]);
  });

  it('are shown with a caret below them', async () => {
    expect(await problemsOf('ncpus: 4\npilot: { cpu: 3 }\n')).toEqual([
      'days/day.yaml:2:15: pilot.cpu: 3 is not accepted; give a number from 0.01 to 1\n    pilot: { cpu: 3 }\n                  ^',
    ]);
  });

  it.each([
    ['', /:1:1: ncpus: is missing; give/],
    ['- a\n', /:1:1: this is a list/],
    ['ncpus: [\n', /:2:1: this is not valid YAML/],
    ['ncpus: 4\nncpus: 5\n', /:2:1: ncpus: given twice, first on line 1/],
    ['ncpus: 4\npilot: 7\n', /:2:8: pilot: 7 is not accepted; give a mapping/],
    ['ncpus: 4\nforeign: 7\n', /:2:10: foreign: 7 is not accepted; give a list of/],
    [
      'ncpus: 4\nforeign: { at: 0, cpus: 1 }\n',
      /:2:12: foreign\.at: belongs to an entry of a list; give - { at: SECONDS, cpus: NUMBER }/,
    ],
    ['ncpus: 4\nforeign: { fiel: x }\n', /:2:12: foreign\.fiel: unknown key "fiel"; did you mean file\?/],
    ['ncpus: 4\nconfig: 3\n', /:2:9: config: must be a mapping/],
    ['ncpus: 4\nhours: 745\n', /:2:8: hours: 745 is not accepted; give a number from 0\.01 to 744/],
    ['ncpus: 4\npilot: { seconds: 0 }\n', /:2:19: pilot\.seconds: 0 is not accepted/],
    ['ncpus: 4\nforeign: [{ at: 60, cpus: 1 }]\nperiod: 60\n', /:3:9: period: must be more than 60/],
  ])('make %j unusable', async (text, expected) => {
    expect(await placesOf(text)).toContainEqual(expect.stringMatching(expected));
  });

  it('do not show what could be a secret', async () => {
    const text = `ncpus: 4
config:
  docker_env:
    - PASSWORD=hunter2
    - hunter3
  docker_evn: { PASSWORD: hunter4 }
  influxdb_url: hunter5#
`;
    const told = (await problemsOf(text)).join('\n');
    expect(told).toContain('days/day.yaml:5:7: docker_env[1]: not accepted');
    expect(told).not.toContain('hunter');
  });

  it('in keys of the configuration that nobody knows are warnings, as for the daemon', async () => {
    const { warnings } = await good('ncpus: 4\nconfig:\n  max_dokcs: 3\n');
    expect(warnings).toEqual([
      expect.stringMatching(/^days\/day\.yaml:3:3: max_dokcs: warning: unknown key .* did you mean max_docks\?/),
    ]);
  });
});

describe('a configuration of its own', () => {
  it('takes the place of the one in the scenario', async () => {
    const { config } = await good('ncpus: 8\nconfig: { main_sleep: 7, grace_kill: 9 }\n', {
      config: 'max_docks: ncpus\ngrace_kill: 60\n',
    });
    expect(config).toMatchObject({ max_docks: 8, grace_kill: 60, main_sleep: 30 });
  });

  it('is told by its own name where it is wrong', async () => {
    expect(await problemsOf('ncpus: 0\n', { config: 'main_sleep: soon\n' })).toEqual([
      expect.stringMatching(/^days\/day\.yaml:1:8: ncpus: 0 is not accepted/),
      expect.stringMatching(/^site\.yaml:1:13: main_sleep: "soon" is not accepted[^]*\n {4}main_sleep: soon\n/),
    ]);
  });
});

describe('a recorded load', () => {
  const text = 'ncpus: 4\nforeign: { file: load.csv }\n';

  it('is read from a file beside the scenario', async () => {
    const load = '\uFEFFseconds,cpus\r\n# a day\r\n0,1\r\n\r\n 60 , 2.5\r\n';
    const { scenario } = await good(text, { files: { 'days/load.csv': load } });
    expect(scenario.foreign).toEqual([
      { at: 0, cpus: 1 },
      { at: 60, cpus: 2.5 },
    ]);
  });

  it('may have its columns named below a comment', async () => {
    const load = '# recorded on wn042\n\nseconds,cpus\n0,1\n';
    const { scenario } = await good(text, { files: { 'days/load.csv': load } });
    expect(scenario.foreign).toEqual([{ at: 0, cpus: 1 }]);
  });

  it.each(['', '# nothing\n', 'seconds,cpus\n'])('has a line at least, unlike %j', async (load) => {
    const [problem] = await problemsOf(text, { files: { 'days/load.csv': load } });
    expect(problem).toContain('days/load.csv:1:1: there is no load in this file; give lines of seconds,cpus');
  });

  it('may be elsewhere', async () => {
    const { scenario } = await good('ncpus: 4\nforeign: { file: /srv/l }\n', { files: { '/srv/l': '0,3' } });
    expect(scenario.foreign).toEqual([{ at: 0, cpus: 3 }]);
  });

  it('is told with its own lines and columns where it is wrong', async () => {
    const load = 'seconds,cpus\n0,1\n60, x\n70,2\n60,3,4\n50,2\nseconds,cpus\n';
    expect(await problemsOf(text, { files: { 'days/load.csv': load } })).toEqual([
      'days/load.csv:3:5: cpus: "x" is not accepted; give a number from 0 to 4096\n    60, x\n        ^',
      'days/load.csv:5:1: "60,3,4" is not accepted; give seconds,cpus\n    60,3,4\n    ^',
      'days/load.csv:6:1: seconds: 50 is not later than the 70 of the line before\n    50,2\n    ^',
      expect.stringMatching(/^days\/load\.csv:7:1: seconds: "seconds" is not accepted; give a time/),
      expect.stringMatching(/^days\/load\.csv:7:9: cpus: "cpus" is not accepted; give a number/),
    ]);
  });

  it('is another kind of file after twenty mistakes', async () => {
    expect(await problemsOf(text, { files: { 'days/load.csv': 'x\n'.repeat(1000) } })).toHaveLength(20);
  });

  it('must end before it begins anew', async () => {
    expect(await placesOf(`${text}period: 60\n`, { files: { 'days/load.csv': '0,1\n60,2\n' } })).toEqual([
      'days/day.yaml:3:9: period: must be more than 60, when foreign ends',
    ]);
  });

  it('that is not there, or cannot be read, is told where it is named', async () => {
    expect(await placesOf(text)).toEqual(['days/day.yaml:2:18: foreign.file: there is no file days/load.csv']);
    const reading = await readScenario({
      scenario: { file: 'day.yaml', text },
      config: undefined,
      readText: () => Promise.reject(new ConfigSourceError('broken', 'Cannot read load.csv: make it readable.')),
    });
    expect(reading).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^day\.yaml:2:18: foreign\.file: Cannot read load\.csv/)],
    });
  });
});
