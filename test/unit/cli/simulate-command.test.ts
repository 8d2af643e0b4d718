import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.js';
import { recordingContext } from '../../support/cli-context.js';
import { scenarioFolder } from '../../support/shipped-scenario.js';
import { tempDirectory } from '../../support/temp-directory.js';

const scenario = `ncpus: 4
hours: 2
pilot: { seconds: 600, jitter: 0.5 }
foreign: { file: load.csv }
config: { max_docks: ncpus, docker_env: { PASS: hunter2 } }
`;

/** Runs `simulate day.yaml ...` in a folder with these files. */
async function run(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const folder = tempDirectory();
  const all = { 'day.yaml': scenario, 'load.csv': '0,0.2\n3600,2\n', ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  const context = recordingContext();
  const words = args.map((word) => (word in all ? join(folder, word) : word));
  const code = await runProgram(context, ['simulate', join(folder, 'day.yaml'), ...words]);
  return { code, folder, out: context.stdout.join('\n'), err: context.stderr.join('\n') };
}

async function json(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const { code, out, err } = await run(['--json', ...args], files);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Record<string, number> & { readonly config: Record<string, unknown> };
}

describe('simulate', () => {
  it('tells people what would have been done', async () => {
    const { code, out, err } = await run([]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^4 CPUs, 2 h, seed 1; policy capacity, max_docks 4, cpus_per_dock 1\n/);
    expect(out).toMatch(/^ {2}pilots {4}\d+ started, \d+ completed, \d+ evicted, 0 expired, 0 fizzled$/m);
    expect(out).toMatch(/^ {2}at a time \d\.\d, where \d\.\d would have fitted, on average$/m);
  });

  it('tells programs in one object, with the effective configuration and without secrets', async () => {
    const result = await json([]);
    expect(result).toMatchObject({
      apiVersion: 'plancton/v1',
      kind: 'Simulation',
      fizzled: 0,
      ownerSlowdownFraction: 0,
    });
    const figures = 'spawned completed evicted pilotsMean idleCpusMean wastedFraction overcommittedSeconds';
    for (const name of figures.split(' ')) expect(result[name]).toBeTypeOf('number');
    expect(result['completed']).toBeGreaterThan(20);
    expect(result.config).toMatchObject({
      max_docks: 4,
      main_sleep: 30,
      policy: 'capacity',
      docker_env: { PASS: '…' },
    });
  });

  it('says the same each time, and something else with another seed', async () => {
    const once = await json([]);
    expect(await json([])).toEqual(once);
    const other = { 'day.yaml': scenario.replace('ncpus: 4', 'ncpus: 4\nseed: 2') };
    expect(await json([], other)).not.toEqual(once);
  });

  it('tries another policy', async () => {
    const legacy = await json(['--policy', 'legacy']);
    expect(legacy.config).toMatchObject({ policy: 'legacy', max_docks: 4 });
    expect(legacy['pilotsMean']).toBeLessThan((await json([]))['pilotsMean'] ?? 0);
  });

  it('tries another configuration instead of the one in the scenario', async () => {
    const result = await json(['--config', 'site.yaml'], { 'site.yaml': 'main_sleep: 10\n' });
    expect(result.config).toMatchObject({ main_sleep: 10, max_docks: 2, docker_env: {} });
  });

  it('shows what is wrong in its place and ends with 78', async () => {
    const { code, out, err, folder } = await run([], {
      'day.yaml': 'ncpus: 4\nhours: long\nconfig: { evict: maybe }\n',
    });
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain(`${folder}/day.yaml:2:8: hours: "long" is not accepted`);
    expect(err).toContain('\n    hours: long\n           ^\n');
    expect(err).toContain(`${folder}/day.yaml:3:18: evict: "maybe" is not accepted; give always or never`);
  });

  it('warns of what has no effect and goes on', async () => {
    const { code, out, err } = await run([], { 'day.yaml': 'ncpus: 4\nhours: 1\nconfig: { main_slep: 5 }\n' });
    expect(code).toBe(0);
    expect(out).toContain('4 CPUs, 1 h');
    expect(err).toContain('did you mean main_sleep?');
  });

  it('ends with 66 where a file is not there, 78 where it cannot be read, 64 where the command is wrong', async () => {
    const folder = tempDirectory();
    mkdirSync(join(folder, 'folder.yaml'));
    for (const [file, exitCode, words] of [
      ['none.yaml', 66, 'there is no file'],
      ['folder.yaml', 78, 'it is not a file'],
    ] as const) {
      const context = recordingContext();
      expect(await runProgram(context, ['simulate', join(folder, file)])).toBe(exitCode);
      expect(context.stderr.join('\n')).toContain(words);
    }
    for (const args of [[], ['a', 'b'], ['a', '--policy', 'best']]) {
      expect(await runProgram(recordingContext(), ['simulate', ...args])).toBe(64);
    }
  });

  it.each(readdirSync(scenarioFolder))('knows what %s means', async (name) => {
    const context = recordingContext();
    expect(await runProgram(context, ['simulate', join(scenarioFolder, name)])).toBe(0);
    expect(context.stderr).toEqual([]);
  });
});
