import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addConfigCommands } from '../../../src/cli/config-command.js';
import { CliError } from '../../../src/cli/exit-codes.js';
import type { ConfigText } from '../../../src/config/load.js';

const host = { hostname: 'h', ncpus: 4, ramBytes: 8e9, swapBytes: 0, bootId: 'b' };

/** Runs `config ...` over files that are texts; a file that is not among them is read from the disk. */
async function run(args: readonly string[], layers: readonly ConfigText[] = []) {
  const out: string[] = [];
  const err: string[] = [];
  const codes: number[] = [];
  const program = new Command().exitOverride();
  addConfigCommands(program, {
    confDir: () => '/etc/plancton',
    host: () => Promise.resolve(host),
    layers: async (file) => (file === undefined ? [...layers] : [{ file, text: await readFile(file, 'utf8') }]),
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    exit: (code) => codes.push(code),
  });
  await program.parseAsync(['config', ...args], { from: 'user' });
  expect(codes).toHaveLength(1);
  return { code: codes[0], out: out.join('\n'), err: err.join('\n') };
}

const good = { file: 'config.yaml', text: 'main_sleep: 5s\ndocker_cmd: sh -c "sleep 60"\nmax_docks: ncpus - 1\n' };
const bad = { file: 'config.yaml', text: 'main_sleep: soon\nmainsleep: 5\n' };

describe('config check', () => {
  it('tells what a valid configuration comes to on this host', async () => {
    const { code, out, err } = await run(['check'], [good]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain("valid: config.yaml\nmax_docks on this host (4 CPUs): 3\ndocker_cmd: sh -c 'sleep 60'\n");
  });

  it('prints nothing that could steer the terminal', async () => {
    const file = 'hosts/[v\u001b\u0007\n]m.yaml';
    const text = 'docker_cmd: ["a\\e[2J\\u202E"]\nsecurity_opts: ["label=\\x9b\\e"]\n';
    const steering = /\p{Cf}|(?!\n)\p{Cc}/u;
    const checked = await run(
      ['check'],
      [
        { ...good, text },
        { file, text: '' },
      ],
    );
    expect(checked.out).toContain('valid: config.yaml, hosts/[v\\u001b\\u0007\\u000a]m.yaml\n');
    expect(checked.out).toContain('docker_cmd: ');
    const shown = await run(['show'], [good, { file, text }]);
    for (const { code, out, err } of [checked, shown, await run(['show', '--json'], [good, { file, text }])]) {
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).not.toMatch(steering);
    }
  });

  it('tells what could be tighter, how, and at what price', async () => {
    const { code, out } = await run(['check'], [good]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\ncould be tighter:\n {2}user_group: '65534:65534' instead of '0:0'\n {4}gain: .+\n {4}price: .+/,
    );
    expect((await run(['check', 'conf/demo.yaml'])).out).not.toContain('tighter');
  });

  it('shows every problem in its place and ends with 78', async () => {
    const { code, out, err } = await run(['check'], [bad]);
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain('config.yaml:1:13: main_sleep: "soon"');
    expect(err).toContain('\n    main_sleep: soon\n                ^');
    expect(err).toContain('config.yaml:2:1: mainsleep: warning: unknown key');
    expect(err).toContain('not valid (one error): config.yaml');
  });

  it('ends with 0 where there are only warnings', async () => {
    const { code, err } = await run(['check'], [{ file: 'config.yaml', text: 'mainsleep: 5\n' }]);
    expect(code).toBe(0);
    expect(err).toContain('did you mean main_sleep?');
  });

  it('says when there is no configuration and the defaults hold', async () => {
    expect((await run(['check'])).out).toContain('valid: no configuration in /etc/plancton: the defaults');
  });

  it('checks the file it is given instead of the configuration in use', async () => {
    const { code, out } = await run(['check', 'conf/demo.yaml'], [bad]);
    expect(code).toBe(0);
    expect(out).toContain('max_docks on this host (4 CPUs): 4');
  });

  it('gives programs the same as JSON', async () => {
    expect(JSON.parse((await run(['check', '--json'], [good])).out)).toEqual({
      apiVersion: 'plancton/v1',
      valid: true,
      files: ['config.yaml'],
      problems: [],
      maxDocks: 3,
      command: ['sh', '-c', 'sleep 60'],
      tightenings: ['user_group', 'capabilities', 'security_opts'].map(
        (key) => expect.objectContaining({ key }) as unknown,
      ),
    });
    const { code, out, err } = await run(['check', '--json'], [bad]);
    expect({ code, err }).toEqual({ code: 78, err: '' });
    expect(JSON.parse(out)).toMatchObject({ valid: false, problems: [{ line: 1, column: 13, severity: 'error' }, {}] });
  });

  it('names a file that cannot be read', async () => {
    const failure: unknown = await run(['check', '/nowhere/config.yaml']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CliError);
    expect(failure).toMatchObject({ exitCode: 78 });
    expect(String(failure)).toContain('cannot read the configuration /nowhere/config.yaml');
  });
});

describe('config show', () => {
  const layers = [
    { file: 'config.yaml', text: 'main_sleep: 5\ndocker_env: {PASS: hunter2}\n' },
    { file: 'hosts/h.yaml', text: '# own\ngrace_kill: 300\n' },
  ];

  it('prints each value in force with its origin, without secrets', async () => {
    const { code, out } = await run(['show'], layers);
    expect(code).toBe(0);
    expect(out).toMatch(/^main_sleep: 5s +# config\.yaml:1$/m);
    expect(out).toMatch(/^grace_kill: 5m +# hosts\/h\.yaml:2$/m);
    expect(out).toMatch(/^max_docks: 2 +# default$/m);
    expect(out).not.toContain('hunter2');
  });

  it('gives programs the same as JSON', async () => {
    const { out } = await run(['show', '--json'], layers);
    expect(JSON.parse(out)).toMatchObject({
      config: { main_sleep: 5, grace_kill: 300, docker_env: { PASS: '…' } },
      origins: { grace_kill: { file: 'hosts/h.yaml', line: 2, column: 1 }, max_ttl: 'default' },
    });
    expect(out).not.toContain('hunter2');
  });

  it('prints a configuration that can be read again', async () => {
    const { out } = await run(['show'], [good]);
    const again = await run(['show'], [{ file: 'again.yaml', text: out }]);
    const values = (text: string) => text.split('\n').map((line) => line.split(/ {2,}#/)[0]?.trim());
    expect(values(again.out)).toEqual(values(out));
  });

  it('ends with 78 and the problems where the configuration is not valid', async () => {
    const { code, out, err } = await run(['show'], [bad]);
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain('main_sleep: "soon"');
  });
});

describe('config schema', () => {
  it('prints a JSON Schema of draft 7', async () => {
    const { code, out } = await run(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
  });
});
