import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { dockerCli } from '../support/docker-cli.js';
import { eventually } from '../support/plancton-process.js';
import { startReferee, type Referee, type RefereeOptions } from '../support/referee.js';
import { tempDirectory } from '../support/temp-directory.js';

// The referee must see what is wrong. Each rule is broken by hand here, without any daemon.

const dockerHost = inject('dockerHost');
const docker = dockerCli(dockerHost);
const children: ChildProcess[] = [];
let instances = 0;

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** What `docker run` has to be told for a pilot that has nothing of the host but its share. */
const withinPolicy = ['--network', 'none', '--pids-limit', '100', '--memory', '64M'];

interface Ring {
  readonly referee: Referee;
  readonly runDir: string;
  /** Starts a container that carries the labels of a pilot; gives its id. */
  readonly pilot: (options?: {
    readonly revision?: string;
    readonly only?: 'create';
    readonly flags?: readonly string[];
  }) => Promise<string>;
  /** The rules that were broken, each once. */
  readonly broken: () => Promise<readonly string[]>;
}

async function aRing(
  limits: Partial<RefereeOptions['limits']>,
  more: (runDir: string) => Partial<RefereeOptions> = () => ({}),
): Promise<Ring> {
  const runDir = tempDirectory();
  const instance = `ring${process.pid}x${(instances += 1)}`;
  const referee = await startReferee({
    dockerHost,
    instance,
    runDir,
    limits: { maxDocks: 9, ...limits },
    ...more(runDir),
  });
  const label = 'io.github.mconcas.plancton';
  onTestFinished(async () => {
    await referee.stop();
    const left = await docker('ps', '--all', '--quiet', '--filter', `label=${label}.instance=${instance}`);
    if (left !== '') await docker('rm', '--force', '--volumes', ...left.split('\n'));
  });
  let made = 0;
  return {
    referee,
    runDir,
    pilot: async ({ revision = 'good', only, flags = withinPolicy } = {}) => {
      const name = `plancton-worker-${instance}-${(made += 1)}`;
      const labels = { managed: 'true', instance, name, revision };
      const marks = Object.entries(labels).flatMap(([key, value]) => ['--label', `${label}.${key}=${value}`]);
      const command = only === 'create' ? ['create'] : ['run', '--detach'];
      return docker(...command, ...marks, ...flags, '--name', name, '--init', 'busybox', 'sleep', '1000');
    },
    broken: async () => [...new Set((await referee.verdict()).map(({ rule }) => rule))].sort(),
  };
}

/** Something that looks like a daemon: a node with the lock of the run directory. */
async function aDaemon(runDir: string): Promise<ChildProcess> {
  const script = `
    const fd = require('fs').openSync(process.argv.at(-1), 'a+');
    const { status } = require('child_process').spawnSync('flock', ['-n', '-x', '3'], { stdio: [0, 1, 2, fd] });
    if (status === 0) console.log('locked');
    setInterval(() => undefined, 1000);`;
  const file = join(runDir, 'daemon.cjs');
  writeFileSync(file, script);
  const argv = [file, 'nodaemon', `--rundir=${runDir}`, join(runDir, 'lock')];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually('the lock is taken', () => said.includes('locked'));
  return child;
}

describe('the referee', () => {
  it('finds nothing wrong with pilots that come and go within the rules', async () => {
    const secret = 'canary-of-nobody';
    const ring = await aRing(
      {
        ...{ maxDocks: 1, rights: { binds: ['/tmp'] } },
        ...{ kills: { most: 2, windowMs: 60_000 }, life: { ttlMs: 60_000, endMs: 1 } },
      },
      (dir) => ({
        secrets: [secret],
        outputs: [dir],
        folders: [{ path: dir, expected: /^(lock|daemon\.cjs|status\.json)$/ }],
      }),
    );
    await aDaemon(ring.runDir);
    const first = await ring.pilot();
    await docker('rm', '--force', first);
    const second = await ring.pilot({ flags: [...withinPolicy, '--volume', '/tmp:/host:ro'] });
    writeFileSync(join(ring.runDir, 'status.json'), '{}');

    await ring.referee.settle({ pilots: 1, withinMs: 10_000, survivors: [second] });

    expect(await ring.referee.pilots()).toEqual([second]);
    expect(await ring.referee.verdict()).toEqual([]);
    expect(ring.referee.decoys.map(({ kind, state }) => `${kind}, ${state}`)).toHaveLength(14);
  });

  it('sees that a decoy was touched, of whatever kind', async () => {
    const { referee } = await aRing({});
    const running = referee.decoys.filter(({ state }) => state === 'running');
    for (const { id } of running) await docker('restart', '--time', '0', id);
    const made = referee.decoys.filter(({ state }) => state === 'created');
    for (const { id } of made) await docker('rm', id);

    const evidence = (await referee.verdict()).filter(({ rule }) => rule === 'P1 decoy').map((found) => found.evidence);

    expect(running).toHaveLength(7);
    expect(made).toHaveLength(7);
    for (const { kind, name } of running) expect(evidence).toContain(`decoy (${kind}) ${name}: restart`);
    for (const { kind, name } of made) {
      expect(evidence).toContain(`decoy (${kind}) ${name}: destroy`);
      expect(evidence).toContain(`decoy (${kind}) ${name} created is now: gone`);
    }
  });

  it('sees a pilot too many in the events, in the list and in the processes, but not where the cap was lowered', async () => {
    const { referee, pilot } = await aRing({ maxDocks: 2 });
    await pilot();
    await pilot();
    referee.cap(1);
    await pilot();
    await eventually('it was seen', async () => (await referee.verdict()).length >= 3);

    const evidence = (await referee.verdict()).map((found) => `${found.rule}: ${found.evidence}`);

    expect(evidence).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^P2 cap: 3 alive by the events, 2 allowed/),
        expect.stringMatching(/^P2 cap: 3 alive by the list of the engine, 2 allowed/),
        expect.stringMatching(/^P2 cap: 3 alive by their processes, 2 allowed/),
      ]),
    );
    expect(evidence.filter((line) => line.includes('2 alive'))).toEqual([]);
  });

  it('sees a start while draining and after a force-stop, and who was left by that', async () => {
    const { referee, pilot, broken } = await aRing({});
    await pilot();
    referee.acknowledged('drain');
    referee.acknowledged('resume');
    await pilot();
    expect(await broken()).toEqual([]);
    referee.acknowledged('drain');
    await pilot({ only: 'create' });
    await eventually('it was seen', async () => (await broken()).includes('P6 drain'));
    referee.acknowledged('force-stop');
    await pilot();

    const verdict = await referee.verdict();
    expect(verdict.filter(({ evidence }) => evidence.includes('after a force-stop')).length).toBeGreaterThan(0);
    expect(verdict.filter(({ evidence }) => evidence.includes('still there'))).toHaveLength(4);
  });

  it('sees two daemons of one run directory, and what they take', async () => {
    const { runDir, broken } = await aRing({ daemon: { descriptors: 1000, sockets: 1000, threads: 100 } });
    await aDaemon(runDir);
    // The other one finds another lock under the same name.
    rmSync(join(runDir, 'lock'));
    await aDaemon(runDir);
    await eventually('both were seen', async () => (await broken()).includes('P8 writer'));

    const greedy = await aRing({ daemon: { descriptors: 2, sockets: 1000, threads: 2 } });
    await aDaemon(greedy.runDir);
    await eventually('it was measured', async () => (await greedy.broken()).includes('P12 bounds'));
    expect((await greedy.referee.verdict()).map(({ evidence }) => evidence.replace(/\d+/, 'N'))).toEqual([
      'daemon N has more than 2 descriptors',
      'daemon N has more than 2 threads',
    ]);
  });

  it('sees pilots killed before their time, too many starts, and a revision that was never good', async () => {
    const strict = await aRing({ kills: 'none', revisions: ['good'], starts: { most: 1, windowMs: 60_000 } });
    await docker('kill', await strict.pilot());
    await strict.pilot({ revision: 'bad' });
    await eventually('all was seen', async () => (await strict.broken()).length === 3);
    expect(await strict.broken()).toEqual(['P10 revision', 'P4 kill', 'P9 pace']);

    const paced = await aRing({ kills: { most: 1, windowMs: 60_000 } });
    await docker('kill', await paced.pilot());
    expect(await paced.broken()).toEqual([]);
    await docker('kill', await paced.pilot());
    await eventually('it was seen', async () => (await paced.broken()).includes('P9 pace'));
  });

  it('sees pilots that have more of the host than they may', async () => {
    const { referee, pilot } = await aRing({ rights: { binds: [] } });
    const host = ['--volume', '/etc:/host', '--device', '/dev/null', '--cap-add', 'SYS_NICE'];
    await pilot({ flags: [...host, '--security-opt', 'seccomp=unconfined', '--pid', 'host'] });
    const found = async () => (await referee.verdict()).filter(({ rule }) => rule === 'P5 policy');
    await eventually('it was seen', async () => (await found()).length === 7);

    const evidence = (await found()).map((violation) => violation.evidence.replace(/^\S+ /, ''));
    expect(evidence).toEqual([
      'has /etc:/host',
      'has devices',
      'may CAP_SYS_NICE',
      'runs with seccomp=unconfined',
      'shares host',
      'may have any number of processes',
      'may take all memory',
    ]);
  });

  it('sees secrets in files and on command lines, and does not repeat them', async () => {
    const secret = 'canary-3f9a';
    const { referee, runDir } = await aRing({}, (dir) => ({
      secrets: ['not there', secret],
      outputs: [join(dir, 'out')],
    }));
    mkdirSync(join(runDir, 'out', 'log'), { recursive: true });
    writeFileSync(join(runDir, 'out', 'log', 'plancton.log'), `url=http://bot:${secret}@example.org`);
    children.push(spawn('sh', ['-c', 'sleep 100; exit', secret], { stdio: 'ignore' }));
    await eventually('both were seen', async () => (await referee.verdict()).length === 2);

    const verdict = await referee.verdict();
    expect(verdict.map(({ rule }) => rule)).toEqual(['P11 secret', 'P11 secret']);
    expect(JSON.stringify(verdict)).not.toContain(secret);
  });

  it('sees a pilot that outlives its time', async () => {
    const { pilot, broken } = await aRing({ life: { ttlMs: 500, endMs: 500 } });
    await pilot();
    await eventually('it was seen', async () => (await broken()).includes('P13 ttl'));
  });

  it('sees what is left behind, who is missing and who was lost', async () => {
    const { referee, runDir, pilot, broken } = await aRing({}, (dir) => ({
      folders: [{ path: dir, expected: /^lock$/ }],
    }));
    const lost = await pilot();
    await docker('rm', '--force', lost);
    await pilot();
    await pilot({ only: 'create' });
    const gone = await docker('create', '--volume', '/data', 'busybox', 'true');
    await docker('rm', gone);
    writeFileSync(join(runDir, 'status.json.0123456789ab'), '');

    await referee.settle({ pilots: 2, withinMs: 500, survivors: [lost] });

    expect(await broken()).toEqual(['P14 residue', 'P15 progress', 'P16 restart']);
    const evidence = (await referee.verdict()).map((found) => found.evidence).join('\n');
    expect(evidence).toMatch(/plancton-worker-\S+ is created/);
    expect(evidence).toMatch(/anonymous volume [0-9a-f]{64} is left behind/);
    expect(evidence).toMatch(/status\.json\.0123456789ab is left behind/);
    expect(evidence).toContain('1 pilots live, not 2');
    await docker('volume', 'prune', '--force');
  });
});
