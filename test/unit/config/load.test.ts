import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig, type ConfigText } from '../../../src/config/load.js';
import { formatProblem } from '../../../src/config/problem.js';
import type { Config } from '../../../src/config/schema.js';
import { keys } from '../../../src/config/schema.js';

const host = { ncpus: 8, ramBytes: 16e9, swapBytes: 1e9 };

function configOf(...texts: readonly string[]): Config {
  const result = loadConfig(texts.map(layer), host);
  expect(result).toMatchObject({ ok: true });
  if (!result.ok) throw new Error('not valid');
  return result.config;
}

function layer(text: string, index = 0): ConfigText {
  return { file: index === 0 ? 'config.yaml' : `hosts/${index}.yaml`, text };
}

/** Problems and warnings, each as `line:column key: message`. */
function problemsOf(...texts: readonly string[]): readonly string[] {
  const result = loadConfig(texts.map(layer), host);
  const found = result.ok ? result.warnings : result.problems;
  return found.map((problem) => formatProblem(problem));
}

describe('values', () => {
  it('have their defaults where nothing is said', () => {
    const nothing = configOf();
    expect(nothing).toMatchObject({
      influxdb_url: [],
      updateconfig: 60,
      image_expiration: 43_200,
      main_sleep: 30,
      grace_kill: 120,
      grace_spawn: 60,
      cpus_per_dock: 1,
      max_docks: 6,
      docks_per_loop: 4,
      max_ttl: 43_200,
      docker_image: 'busybox',
      docker_cmd: ['/bin/sleep', '60'],
      docker_entrypoint: undefined,
      docker_env: {},
      docker_privileged: false,
      max_dock_mem: 2e9,
      max_dock_swap: 0,
      user_group: '0:0',
      binds: [],
      bind_options: 'rw,rslave',
      devices: [],
      capabilities: [],
      security_opts: [],
      network: 'bridge',
      stop_timeout: 10,
      cpus: 'auto',
      cpu_headroom: 0,
      cpu_slack: 'auto',
      foreign_window: 300,
      evict_margin: 0.25,
      evict: 'always',
      policy: 'capacity',
      cpu_source: 'auto',
      nice: true,
      own_cgroups: [],
      start_cost: 0.3,
      adopt_original: false,
      git_interval: 60,
    });
    expect(configOf('')).toEqual(nothing);
    expect(
      configOf(
        Object.keys(keys)
          .map((name) => `${name}:\n`)
          .join(''),
      ),
    ).toEqual(nothing);
  });

  it('may carry units, or be quoted', () => {
    const text = 'main_sleep: "10"\nmax_ttl: 2d\ngrace_kill: 1h30m\nmax_dock_mem: 2Gi\nmax_dock_swap: 2e9\ncpus: 2.5\n';
    expect(configOf(text)).toMatchObject({
      main_sleep: 10,
      max_ttl: 172_800,
      grace_kill: 5400,
      max_dock_mem: 2 ** 31,
      max_dock_swap: 2e9,
      cpus: 2.5,
    });
  });

  it('of commands are split at blanks, and as a shell would where they are quoted', () => {
    expect(configOf('docker_cmd: sh  -c $HOME\n').docker_cmd).toEqual(['sh', '-c', '$HOME']);
    expect(configOf(`docker_cmd: sh -c "echo $X; sleep 5" a\\ b\n`).docker_cmd).toEqual([
      'sh',
      '-c',
      'echo $X; sleep 5',
      'a b',
    ]);
    expect(configOf('docker_cmd: [sleep, 60, 017]\ndocker_entrypoint: [/init]\n')).toMatchObject({
      docker_cmd: ['sleep', '60', '017'],
      docker_entrypoint: ['/init'],
    });
  });

  it('of environment variables keep their spelling', () => {
    const expected = { VERSION: '1.10', MODE: '017', EMPTY: '', EQUAL: 'a=b', __proto__: 'x' };
    const mapping = 'docker_env: {VERSION: 1.10, MODE: 017, EMPTY: , EQUAL: a=b}\n';
    const list = 'docker_env: [VERSION=1.10, MODE=017, EMPTY=, EQUAL=a=b]\n';
    expect(configOf(mapping).docker_env).toEqual(expected);
    expect(configOf(list).docker_env).toEqual(expected);
  });

  it('of devices may be texts or mappings', () => {
    const text = 'devices:\n- /dev/fuse\n- /dev/a:/dev/b:r\n- {PathOnHost: /dev/c, CgroupPermissions: rw}\n';
    expect(configOf(text).devices).toEqual([
      { hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rwm' },
      { hostPath: '/dev/a', containerPath: '/dev/b', permissions: 'r' },
      { hostPath: '/dev/c', containerPath: '/dev/c', permissions: 'rw' },
    ]);
  });
});

describe('layers', () => {
  it('override one another key by key, and say where each value comes from', () => {
    const result = loadConfig(['main_sleep: 5\ngrace_kill: 7\n', '\nmain_sleep: 6\n'].map(layer), host);
    if (!result.ok) throw new Error('not valid');
    expect(result.config).toMatchObject({ main_sleep: 6, grace_kill: 7 });
    expect(result.origins.main_sleep).toEqual({ file: 'hosts/1.yaml', line: 2, column: 1 });
    expect(result.origins.grace_kill).toEqual({ file: 'config.yaml', line: 2, column: 1 });
    expect(result.origins.max_ttl).toBe('default');
  });

  it('put a default back with an empty value', () => {
    expect(configOf('main_sleep: 5\n', 'main_sleep:\n').main_sleep).toBe(30);
  });

  it('are all judged, also where a later one overrides', () => {
    expect(problemsOf('main_sleep: no\n', 'main_sleep: 5\ncpus: none\n')).toEqual([
      expect.stringMatching(/^config\.yaml:1:13: main_sleep: false is not accepted; give a time/),
      expect.stringMatching(/^hosts\/1\.yaml:2:7: cpus: "none" is not accepted; give auto, or a number/),
    ]);
  });
});

describe('max_docks', () => {
  it.each([
    ['max_docks: ncpus', 8],
    ['max_docks: 3', 3],
    ['max_docks: 3.9', 3],
    ['max_docks: ncpus / 3', 2],
    // The values in force count, not those of the file.
    ['max_docks: ram_bytes / (max_dock_mem + max_dock_swap)', 8],
    ['max_docks: ram_bytes / max_dock_mem\nmax_dock_mem: 4G', 4],
    ['max_docks: swap_bytes / 500000000', 2],
    ['max_docks: ncpus\ncpus: 2.9', 2],
    ['cpus: 2.9', 1],
  ])('%j comes to %d', (text, value) => {
    expect(configOf(text).max_docks).toBe(value);
  });

  it('sees memory that another layer sets', () => {
    expect(configOf('max_docks: ram_bytes / max_dock_mem\n', 'max_dock_mem: 8G\n').max_docks).toBe(2);
  });

  it('below 0 counts as 0, with a warning', () => {
    expect(configOf('max_docks: ncpus - 9').max_docks).toBe(0);
    expect(problemsOf('max_docks: ncpus - 9')).toEqual([expect.stringMatching(/warning: comes to -1 on this host/)]);
    expect(problemsOf('max_docks: 0')).toEqual([]);
  });

  it.each([
    ['max_docks: ncpus / (2 - 2)', '1:18', /division by zero/],
    ['max_docks: "ncpu - 2"', '1:13', /ncpu is not known/],
    ['max_docks: 9**9**9', '1:13', /too large/],
    ['max_docks: 20000', '1:12', /more than 10000/],
    ['max_docks: yes', '1:12', /true is not accepted/],
    ['max_docks: [1]', '1:12', /a list is not accepted/],
    ['max_docks: __import__("os").system("id")', '1:23', /no meaning/],
    ['max_docks: |\n  1 / 0\n', '2:1', /division by zero/],
  ])('%j is refused at %s', (text, place, message) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
    expect(problems[0]).toContain(`config.yaml:${place}: max_docks`);
  });
});

describe('bad values', () => {
  it.each([
    ['main_sleep: 0', /0 is not accepted; give a time from 1s to 1h, such as 90, 90s/],
    ['main_sleep: soon', /"soon" is not accepted/],
    ['max_dock_mem: 2g', /"2g" is not accepted; give .* a size .*2G = 2GB \(10\^9\) or 2Gi/],
    ['max_dock_mem: 5M', /give 0, or a size from 6Mi/],
    ['max_dock_mem: 0\nmax_dock_swap: 1G', /2:1: max_dock_swap: cannot be limited while max_dock_mem is 0/],
    ['max_dock_mem: 1e999', /1e999 is not accepted/],
    ['cpus_per_dock: 0', /give a number from 0.01/],
    ['cpus_per_dock: .nan', /".nan" is not accepted/],
    ['docks_per_loop: 1.5', /whole number/],
    ['docker_privileged: maybe', /give true or false/],
    ['docker_image: Busy Box', /\[registry\[:port\]\/\]name/],
    ['docker_cmd: sh -c "x', /quote is not closed/],
    ['docker_cmd: [[a]]', /docker_cmd\[0\]: a list is not accepted/],
    ['binds: /a:/b', /give a list/],
    ['binds: [/a]', /binds\[0\]: "\/a" is not accepted/],
    ['binds: ["a:/b"]', /not accepted/],
    ['binds: ["/a:/b:rw:shared"]', /not accepted/],
    ['binds: ["/a:/b:fast"]', /not accepted/],
    ['binds: ["/a:/b:ro,rw"]', /not accepted/],
    ['binds: ["/a:/b:rslave,rw,shared"]', /not accepted/],
    ['bind_options: z,Z', /one of a kind/],
    ['binds: ["/a/../etc:/b"]', /not accepted/],
    ['bind_options: rx', /mount options/],
    ['devices: [/dev/fuse:/dev/fuse:rwx]', /permissions out of r, w and m/],
    ['devices: [/dev/fuse:/dev/fuse:rr]', /permissions out of r, w and m/],
    ['devices: [{PathOnHost: /dev/x, Mode: 1}]', /devices\[0\]: a mapping/],
    ['capabilities: [SYS_ADMIM]', /Linux capability/],
    ['security_opts: [seccomp=/etc/docker/pilots.json]', /seccomp=\{JSON of the profile\}/],
    ['user_group: root:wheel:x', /user or user:group/],
    ['user_group: $(id)', /user or user:group/],
    ['network: --host', /network of the engine/],
    ['evict: sometimes', /give always or never/],
    ['policy: off', /false is not accepted; give capacity or legacy/],
    ['own_cgroups: [../x]', /path of a cgroup/],
    ['influxdb_url: ftp://host#db', /https:\/\/ or insecure_https:\/\//],
    ['influxdb_url: "http://host#d/b"', /#database/],
    ['influxdb_url: "http://host#\\uD800"', /#database/],
    ['influxdb_url: "http://user:12/34secret@host#db"', /#database/],
    ['influxdb_url: "http://user:12#secret@host#db"', /#database/],
    ['influxdb_url: "http://host?verson=3#db"', /org=NAME/],
    ['influxdb_url: "http://host?org=#db"', /org=NAME/],
    ['docker_env: [NAME]', /docker_env\[0\]/],
    ['docker_env: {A: yes}', /docker_env\.A: .*in quotes/],
    ['docker_env: {"A B": x}', /docker_env/],
  ])('%s is refused', (text, message) => {
    const result = loadConfig([layer(text)], host);
    expect(result.ok).toBe(false);
    expect(problemsOf(text)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    'binds: [/a:/b, "/a:/b:ro", "/a:/b:rw,rslave"]',
    `security_opts: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', seccomp=builtin, no-new-privileges]`,
    'capabilities: [SYS_ADMIN, +cap_net_raw, -MKNOD, ALL]',
    'max_dock_mem: 0',
  ])('%s is accepted', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it('are all reported at once, in the order of the lines, each with its line and a caret', () => {
    const text = 'main_sleep: soon\nbinds:\n  - /a:/b\n  - oops\nmainsleep: 5\nmax_docks: ncpus +\n';
    const result = loadConfig([layer(text)], host);
    if (result.ok) throw new Error('valid');
    expect(result.problems.map(({ line, column, key, severity }) => [line, column, key, severity])).toEqual([
      [1, 13, 'main_sleep', 'error'],
      [4, 5, 'binds[1]', 'error'],
      [5, 1, 'mainsleep', 'warning'],
      [6, 19, 'max_docks', 'error'],
    ]);
    expect(result.problems.map((problem) => formatProblem(problem, text))[1]).toBe(
      'config.yaml:4:5: binds[1]: "oops" is not accepted; ' +
        'give /path/on/host:/path/in/container[:options], options such as ro or rw,rslave\n' +
        '      - oops\n' +
        '        ^',
    );
  });

  it('never make loading fail or take the defaults of others, whatever the text', () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.string({ maxLength: 30 }),
      fc.constantFrom('&a [*a]', '&a {X: *a}', '{__proto__: {x: 1}}', '1e999', '-0', '9'.repeat(40), '1 / 0', '**'),
    );
    const line = fc.tuple(fc.constantFrom(...Object.keys(keys), 'rigidity', '__proto__', 'toString'), value);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const text = lines.map(([name, given]) => `${name}: ${given}`).join('\n');
        const result = loadConfig([layer(text)], host);
        const problems = result.ok ? result.warnings : result.problems;
        for (const problem of problems) expect(formatProblem(problem, text)).toContain(`:${problem.line}:`);
        if (!result.ok) return;
        expect(result.config.max_docks).toBeGreaterThanOrEqual(0);
        expect(result.config.max_docks).toBeLessThanOrEqual(10_000);
        expect(result.config.main_sleep).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a file that was made to keep us busy', () => {
  function shown(text: string): readonly string[] {
    const result = loadConfig([{ file: 'config.yaml', text }], host);
    if (result.ok) throw new Error('it was accepted');
    return result.problems.map((problem) => formatProblem(problem, text));
  }

  it('with a list of any length is told of once', () => {
    expect(shown(`binds: [${'a,'.repeat(100_000)}a]`)).toEqual([
      expect.stringMatching(/^config.yaml:1:8: binds: has more than 1000 entries$/),
    ]);
    expect(shown(`binds: [${'a,'.repeat(999)}a]`)).toHaveLength(100);
  });

  it('with a line of any length is told of without that line', () => {
    const [problem] = shown(`docker_image: ${'A'.repeat(200_000)}`);
    expect(problem).toMatch(/^config.yaml:1:15: docker_image: /);
    expect(problem?.length).toBeLessThan(500);
    const [far] = shown(`binds: ["${'é'.repeat(3000)}", x]`);
    expect(far).not.toContain('\n');
  });

  it('and is one of many is not read at all', () => {
    const layers = Array.from({ length: 5 }, (_, index) => ({
      file: `hosts/${index}.yaml`,
      text: '#'.repeat(250_000),
    }));
    expect(loadConfig(layers.slice(1), host)).toMatchObject({ ok: true });
    expect(loadConfig(layers, host)).toMatchObject({
      ok: false,
      problems: [{ file: 'hosts/4.yaml', message: 'with the files before it this is more than 1024 Ki characters' }],
    });
  });
});
