import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { lookAtDaemon } from '../../../src/cli/doctor/of-daemon.js';
import type { Finding } from '../../../src/cli/doctor/finding.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { runProgram } from '../../../src/cli/program.js';
import { writeStatusFile } from '../../../src/cli/status-file.js';
import type { Status } from '../../../src/report/status.js';
import { aStatus } from '../../support/a-status.js';
import { recordingContext } from '../../support/cli-context.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';
import { tempDirectory } from '../../support/temp-directory.js';

const opened: HttpEngine[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

interface Site {
  readonly config?: string;
  readonly policy?: string | null;
  /** The image is there. */
  readonly image?: boolean;
  readonly engine?: boolean;
}

async function findings({
  config = '',
  policy = 'images: [busybox]\nusers: ["0:0"]\n',
  image = true,
  engine = true,
}: Site) {
  const dir = tempDirectory();
  for (const name of ['conf', 'run']) mkdirSync(join(dir, name), { mode: 0o700 });
  writeFileSync(join(dir, 'conf', 'config.yaml'), config);
  if (policy !== null) writeFileSync(join(dir, 'policy.yaml'), policy, { mode: 0o644 });
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.includes('/info') === true) {
      const facts = { ServerVersion: '20.10.24', CgroupDriver: 'systemd', CgroupVersion: '2', DockerRootDir: dir };
      sendJson(reply, 200, facts);
    } else if (image) sendJson(reply, 200, { Id: 'sha256:1' });
    else sendJson(reply, 404, { message: 'no such image' });
  });
  opened.push(server);
  const context = recordingContext({
    uid: process.getuid?.() ?? 0,
    cliFile: process.execPath,
    run: (file) => Promise.resolve({ exitCode: 0, stdout: file === 'timedatectl' ? 'yes' : '', stderr: '' }),
  });
  const address = engine ? server.host : 'unix:///nonexistent.sock';
  const places = [
    `--confdir=${dir}/conf`,
    `--rundir=${dir}/run`,
    `--policyfile=${dir}/policy.yaml`,
    `--engine=${address}`,
  ];
  const exitCode = await runProgram(context, ['doctor', '--json', ...places]);
  const { findings: found } = JSON.parse(context.stdout.join('\n')) as { readonly findings: readonly Finding[] };
  const of = (name: string) => found.filter((finding) => finding.name === name);
  return { exitCode, found, of };
}

describe('planctonctl doctor', () => {
  it('finds nothing wrong but that no daemon runs', async () => {
    const { exitCode, found } = await findings({});
    expect(found.filter(({ state }) => state === 'problem')).toEqual([
      { name: 'daemon', state: 'problem', text: 'it does not run', cure: 'planctonctl start' },
    ]);
    const fine = found.filter(({ state }) => state === 'ok').map(({ name }) => name);
    expect(fine).toEqual(expect.arrayContaining(['engine', 'control groups', 'configuration', 'policy', 'image']));
    expect(exitCode).toBe(69);
  });

  it.each<[string, Site, string, RegExp]>([
    ['an engine that is away', { engine: false }, 'engine', /no container engine at/],
    ['a configuration with a slip', { config: 'max_docks: many\n' }, 'configuration', /max_docks/],
    ['a policy that is missing', { policy: null }, 'policy', /plancton-bootstrap|policy/],
    ['what the policy refuses', { config: 'docker_image: evil\n' }, 'policy', /evil/],
    [
      'a bind that is not there',
      { config: 'binds: ["/nonexistent:/x"]\n', policy: 'images: [busybox]\nusers: ["0:0"]\nbinds: [/nonexistent]\n' },
      'binds',
      /nonexistent/,
    ],
  ])('tells of %s, with a cure', async (_, site, name, text) => {
    const { of } = await findings(site);
    const problem = of(name).find(({ state }) => state === 'problem');
    expect(problem?.text).toMatch(text);
    expect(problem?.cure).toMatch(/\w/);
  });

  it('says that an image has yet to come', async () => {
    const { of } = await findings({ image: false });
    expect(of('image')).toMatchObject([{ state: 'advice', text: 'busybox is not on this host yet' }]);
  });

  it('says what could be tighter', async () => {
    const { of } = await findings({
      config: 'docker_privileged: true\n',
      policy: 'images: [busybox]\nusers: ["0:0"]\nprivileged: true\n',
    });
    expect(of('containment')).toMatchObject([
      { state: 'advice', text: expect.stringContaining('docker_privileged') as string },
    ]);
  });
});

describe('the doctor of a daemon', () => {
  async function looked(status: Partial<Status>) {
    const runDir = join(tempDirectory(), 'run');
    mkdirSync(runDir, { mode: 0o700 });
    const attempt = await acquireProcessLock(runDir, 4711, systemClock);
    if (!attempt.held) throw new Error('the lock is taken');
    onTestFinished(() => {
      attempt.lock.release();
    });
    const { bootMs } = systemClock.now();
    writeStatusFile(runDir, aStatus({ atBootMs: bootMs, ...status }));
    return lookAtDaemon(runDir, bootMs);
  }

  it('finds nothing wrong with one that is well', async () => {
    expect((await looked({})).map(({ state }) => state)).toEqual(['ok', 'ok']);
  });

  it('tells its faults with their cures, and what is in trouble', async () => {
    const fault = { code: 'pilot-stuck', subject: 'x', since: '2026-01-01T00:00:00Z', doing: 'waits' } as const;
    const found = await looked({
      faults: [{ ...fault, what: 'a pilot cannot be removed', said: 'no', cure: 'look at it' }],
      mode: 'drain',
      yields: { mode: 'containers', text: 'to containers only' },
      sinks: [
        { name: 'journal', trouble: 'no space' },
        { name: 'InfluxDB x', trouble: 'HTTP 503' },
      ],
    });
    expect(found).toMatchObject([
      { name: 'daemon', state: 'problem', text: 'a pilot cannot be removed: no', cure: 'look at it' },
      { name: 'mode', state: 'advice', cure: 'planctonctl resume' },
      { name: 'yielding', state: 'advice' },
      { name: 'reports', state: 'advice', text: 'journal: no space', cure: 'the log of the daemon tells since when' },
      { name: 'reports', text: 'InfluxDB x: HTTP 503', cure: 'planctonctl history tells since when' },
    ]);
  });

  it('tells what lets no pilot start, unless it was told as a fault or is as it should be', async () => {
    const gate = (name: 'disk' | 'memory' | 'cap' | 'pace', most: number | null) =>
      ({ gate: name, most, text: `${name} it is` }) as const;
    const gates = [gate('disk', 0), gate('memory', 0), gate('cap', 0), gate('pace', 0)];
    const fault = { code: 'memory', subject: undefined, since: '2026-01-01T00:00:00Z', doing: 'waits' } as const;
    const found = await looked({ gates, faults: [{ ...fault, what: 'no memory', said: 'memory it is', cure: 'x' }] });
    expect(found.filter(({ state }) => state === 'advice')).toEqual([
      {
        ...{ name: 'disk', state: 'advice', text: 'lets no pilot start: disk it is' },
        cure: expect.stringContaining('min_free_disk') as string,
      },
    ]);
  });

  it('tells that it cannot be looked at', () => {
    const runDir = tempDirectory();
    symlinkSync('/nonexistent', join(runDir, 'lock'));
    expect(lookAtDaemon(runDir, 0)).toEqual([
      {
        name: 'daemon',
        state: 'unknown',
        text: expect.stringMatching(/cannot read .*lock \(ELOOP\); remove/) as string,
      },
    ]);
  });

  it('tells one that hangs', async () => {
    const found = await looked({ atBootMs: systemClock.now().bootMs - 3_600_000 });
    expect(found).toMatchObject([{ state: 'problem', text: expect.stringContaining('it hangs') as string }]);
  });
});
