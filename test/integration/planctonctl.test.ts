import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { eventually, planctonSite } from '../support/plancton-process.js';

const dockerHost = inject('dockerHost');

describe('planctonctl on a real engine', () => {
  it('starts a daemon that fills the host, shows it, and stops it without touching its pilots', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({});
    const start = await site.ctl('start');
    expect(start).toMatchObject({ exitCode: 0, stderr: '' });
    expect(start.stdout).toContain(`pid ${site.pid()}`);
    await site.untilRunning(2);
    const text = await site.ctl('status');
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/pilots +2 running, of \d+ that fit \(max_docks 2/);
    const pilots = await site.pilotIds();
    expect(pilots).toHaveLength(2);

    expect((await site.ctl('start')).stdout).toContain('already running');
    expect(await site.ctl('stop')).toMatchObject({ exitCode: 0 });
    expect(existsSync(site.pidFile)).toBe(false);
    expect((await site.ctl('status')).exitCode).toBe(3);
    expect(await site.pilotIds()).toEqual(pilots);
    expect(await site.ctl('stop')).toMatchObject({ exitCode: 0, stdout: 'plancton is not running\n' });
  });

  it('says which commit it was built from', async () => {
    const version = await planctonSite({ dockerHost }).ctl('version');
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{12}\n$/);
  });

  it.each([
    [
      '/dev/full',
      73,
      'planctonctl: not all could be printed (ENOSPC: no space left on device, write); make room for it\n',
    ],
    ['/dev/null', 0, ''],
  ])('prints to %s and ends with %i', async (file, exitCode, stderr) => {
    const cli = join(import.meta.dirname, '..', '..', 'bin', 'planctonctl.js');
    const command = `"$0" "$1" completion bash >${file}; echo $?`;
    const ended = await promisify(execFile)('sh', ['-c', command, process.execPath, cli]);
    expect(ended).toEqual({ stdout: `${exitCode}\n`, stderr });
  });

  it('shows pilots, what they write, and what is left of those that fail', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ docker_cmd: "/bin/sh -c 'echo out of licences >&2; sleep 600'" });
    await site.ctl('start');
    await site.untilRunning(2);
    const { stdout: listed } = await site.ctl('ps');
    const [, one = ''] = /^plancton-worker-(\w+) +\w{12} +running /m.exec(listed) ?? [];
    expect(await site.ctl('logs', one)).toMatchObject({ exitCode: 0, stdout: 'out of licences\n', stderr: '' });
    expect((await site.ctl('logs')).stdout.match(/^plancton-worker-\w+ \| out of licences$/gm)).toHaveLength(2);
    const follower = site.spawnCtl('logs', '--follow', one);
    let followed = '';
    follower.stdout?.on('data', (chunk: Buffer) => (followed += chunk.toString()));
    await eventually('the log is followed', () => followed === 'out of licences\n');

    const left = once(follower, 'exit');
    await promisify(execFile)('docker', ['--host', dockerHost, 'kill', '--signal', 'KILL', `plancton-worker-${one}`]);
    expect(await left).toEqual([0, null]);
    await eventually('its post-mortem is kept', async () => (await site.ctl('post-mortem', one)).exitCode === 0);
    const { stdout: words } = await site.ctl('post-mortem', one);
    expect(words).toMatch(/^ {2}why +exit code 137$/m);
    expect(words).toMatch(/^ {2}CPU +\d+\.\d s /m);
    expect(words).toMatch(/^ {2}memory +\d+ MB at most/m);
    expect(words).toContain('  | out of licences');

    await site.until('it was replaced', ({ health, pilots }) => {
      const others = pilots.filter(({ name, state }) => state === 'running' && !name.endsWith(one));
      return health === 'ok' && pilots.length === 2 && others.length === 2;
    });
    await site.ctl('stop');
    expect((await site.ctl('ps')).stdout.match(/ running /g)).toHaveLength(2);
    const { stdout: replayed, exitCode } = await site.ctl('simulate', '--journal', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(replayed)).toMatchObject({
      results: [{ title: 'as it was', completed: 1 }, { title: 'in use' }],
    });
  });

  it('runs one pilot on trial, beside those of the daemon', async () => {
    const site = planctonSite({ dockerHost });
    const trialConfig = { docker_env: { GREETING: 'hello from the trial' }, user_group: '4711:4711', stop_timeout: 10 };
    site.configure(trialConfig);
    await site.ctl('start');
    await site.untilRunning(2);
    const trial = await site.ctl('try', '--', 'sh', '-c', 'echo $GREETING; id -u; exit 4');
    expect(trial).toMatchObject({ exitCode: 4, stdout: 'hello from the trial\n4711\n' });
    expect(trial.stderr).toMatch(/starting plancton-try-\w{6}\nit ended with exit code 4 after /);
    const interrupted = site.spawnCtl(
      'try',
      '--',
      'sh',
      '-c',
      'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done',
    );
    let said = '';
    interrupted.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await eventually('the trial runs', () => said === 'ready\n');
    const { cycles: before } = await site.status();
    await site.until('three cycles have passed', ({ cycles }) => cycles > before + 3);
    expect((await site.status()).pilots).toHaveLength(2);
    const left = once(interrupted, 'exit');
    interrupted.kill('SIGINT');
    expect(await left).toEqual([9, null]);
    await site.untilRunning(2);
    expect(await site.pilotIds()).toHaveLength(2);
    const doctor = await site.ctl('doctor');
    // There is no registry here.
    expect(doctor.stdout).toMatch(/^PROBLEM +daemon +the container engine cannot reach the registry of image busybox/m);
    expect(doctor.stdout).toMatch(/^ok +policy +.* allows what the configuration asks for$/m);
    expect(doctor.stdout).toMatch(/^ok +engine +Docker Engine /m);
  });

  it('makes its directories for their owner only, and the files that others read readable', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 0 });
    chmodSync(site.confDir, 0o755);
    await site.ctl('start');
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(mode(site.runDir)).toBe('700');
    expect(mode(site.confDir)).toBe('755');
    expect(mode(site.pidFile)).toBe('644');
    await site.ctl('drain');
    expect(mode(join(site.runDir, 'drain'))).toBe('644');
  });

  it('drains, resumes, and remembers a drain across a restart', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({});
    await site.ctl('drain');
    expect((await site.ctl('start')).stdout).toContain('resume');
    await site.until('it is draining', ({ mode }) => mode === 'drain');
    expect(await site.pilotIds()).toEqual([]);
    expect(site.log()).toMatch(/no new containers will be started/i);
    await site.ctl('stop');
    await site.ctl('start');
    await site.until('it is still draining', ({ mode }) => mode === 'drain');
    await site.ctl('resume');
    await site.untilRunning(2);
    // By hand is as good as by command.
    writeFileSync(join(site.runDir, 'drain'), '');
    await site.until('it is draining again', ({ mode }) => mode === 'drain');
    await site.ctl('stop');
    expect((await site.ctl('force-start')).exitCode).toBe(0);
    await site.until('it is active', ({ mode }) => mode === 'active');
  });

  it('ends after the last pilot on drain-stop, and stays drained until force-start', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ docker_cmd: '/bin/sleep 4' });
    await site.ctl('start');
    await site.untilRunning(2);
    await site.ctl('drain-stop');
    await eventually('the daemon has ended', async () => (await site.ctl('status')).exitCode === 3);
    expect(await site.pilotIds()).toEqual([]);
    expect(readdirSync(site.runDir)).toContain('drain');
    expect(readdirSync(site.runDir)).not.toContain('stop');
    await site.ctl('force-start');
    await site.untilRunning(2);
  });

  it('removes every pilot on force-stop, whether a daemon runs or not', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({});
    for (const daemon of ['runs', 'was stopped', 'has no valid configuration any more']) {
      await site.ctl('start');
      await site.untilRunning(2);
      if (daemon !== 'runs') await site.ctl('stop');
      if (daemon.startsWith('has no')) site.configure({ max_docks: 'nonsense' });
      expect(await site.pilotIds()).toHaveLength(2);
      expect(await site.ctl('force-stop')).toMatchObject({ exitCode: 0 });
      expect(await site.pilotIds()).toEqual([]);
      expect((await site.ctl('status')).exitCode).toBe(3);
      expect(existsSync(join(site.runDir, 'force-stop'))).toBe(false);
    }
    expect(site.log()).toMatch(/not starting containers, killing existing/i);
  });

  it('finds its pilots again after kill -9', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({});
    await site.ctl('start');
    await site.untilRunning(2);
    const before = await site.pilotIds();
    const pid = site.pid();
    process.kill(pid, 'SIGKILL');
    await eventually('the daemon is found dead', async () => (await site.ctl('status')).exitCode === 1);
    await site.ctl('start');
    expect(site.pid()).not.toBe(pid);
    await site.untilRunning(2);
    await site.until('three cycles have passed', ({ cycles }) => cycles > 2);
    expect(await site.pilotIds()).toEqual(before);

    expect((await site.ctl('explain')).stdout).toMatch(/^ {2}cap +none +2 pilots hold a slot, max_docks 2$/m);
    const { stdout: history } = await site.ctl('history', '--since', '1h');
    expect(history.match(/ plancton started /g)).toHaveLength(2);
    expect(history.match(/ pilot started /g)).toHaveLength(2);
    const then = await site.ctl('explain', '--at', '1s', '--json');
    expect(JSON.parse(then.stdout)).toMatchObject({ kind: 'Explanation', mode: 'active', capacity: { maxDocks: 2 } });
  });

  it('allows one daemon per run directory, and names the one that is there', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 0 });
    await site.ctl('start');
    const pid = site.pid();
    const second = await site.ctl('nodaemon');
    expect(second.exitCode).toBe(75);
    expect(second.stderr).toContain(`pid ${pid}`);
    expect(second.stderr).toContain(site.runDir);
    expect(site.pid()).toBe(pid);
    expect((await site.status()).pid).toBe(pid);
  });

  it('lets exactly one of many daemons started at once have the run directory', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 0 });
    const daemons = [1, 2, 3, 4].map(() => site.spawnCtl('nodaemon'));
    await eventually('three have given up', () => daemons.filter(({ exitCode }) => exitCode === 75).length === 3);
    expect(daemons.filter(({ exitCode }) => exitCode === null)).toHaveLength(1);
  });

  it('puts a changed configuration in force on reload', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 1, updateconfig: 3600 });
    await site.ctl('start');
    await site.untilRunning(1);
    site.configure({ max_docks: 3, updateconfig: 3600 });
    expect((await site.ctl('reload')).exitCode).toBe(0);
    await site.untilRunning(3);
  });

  it('keeps the configuration in force when a reload finds nonsense, and says where it is', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 1 });
    await site.ctl('start');
    site.configure({ max_docks: 'ncpus / 0' });
    await site.ctl('reload');
    const status = await site.until('it was refused', ({ config }) => config.refused !== undefined);
    expect(status.config.refused?.problems.join()).toContain('max_docks');
    expect((await site.ctl('status')).stdout).toMatch(/refused/);
    expect(status.capacity?.maxDocks).toBe(1);
  });
});

describe('planctonctl start tells why not', () => {
  it('ends with 78 and every problem of the configuration', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 'ncpus / 0', main_sleep: 'soon' });
    const { exitCode, stderr } = await site.ctl('start');
    expect(exitCode).toBe(78);
    expect(stderr).toContain('max_docks');
    expect(stderr).toContain('main_sleep');
    expect((await site.ctl('status')).exitCode).toBe(3);
    site.configure({});
  });

  it('ends with 73 when the run directory cannot be had', async () => {
    const site = planctonSite({ dockerHost });
    const file = join(site.base, 'file');
    writeFileSync(file, '');
    const { exitCode, stderr } = await site.ctl('start', `--rundir=${file}/run`);
    expect(exitCode).toBe(73);
    expect(stderr).toContain(`${file}/run`);
    expect(stderr).toContain('--rundir');
  });

  it('ends with 73 when the log cannot be written', async () => {
    const site = planctonSite({ dockerHost });
    mkdirSync(site.logFile, { recursive: true });
    const { exitCode, stderr } = await site.ctl('start');
    expect(exitCode).toBe(73);
    expect(stderr).toContain(site.logFile);
    renameSync(site.logFile, `${site.logFile}.moved`);
  });

  it('ends with 69 on a reload of nothing', async () => {
    expect((await planctonSite({ dockerHost }).ctl('reload')).exitCode).toBe(69);
  });

  it('comes up without an engine, says so, and works as soon as there is one', async () => {
    const site = planctonSite({ dockerHost });
    const later = join(site.base, 'later.sock');
    site.configure({});
    const start = await site.ctl('start', `--engine=unix://${later}`);
    expect(start.exitCode).toBe(0);
    expect(start.stderr).toContain('engine');
    expect((await site.status()).health).toBe('waiting');
    symlinkSync(dockerHost.replace('unix://', ''), later);
    await site.untilRunning(2);
  });
});

describe('planctonctl nodaemon', () => {
  it('shows its log and keeps it in the file, reloads on HUP, opens a new log on USR2, and ends on TERM', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ max_docks: 0 });
    const daemon = site.spawnCtl('nodaemon');
    const shown: string[] = [];
    daemon.stdout?.on('data', (data: Buffer) => shown.push(data.toString()));
    await site.until('a cycle ended', ({ cycles }) => cycles > 0);
    expect(site.pid()).toBe(daemon.pid);
    daemon.kill('SIGHUP');
    await eventually('the reload is in the log', () => site.log().includes('asked to reload'));
    expect(shown.join('')).toContain('asked to reload');
    daemon.kill('SIGUSR1');
    renameSync(site.logFile, `${site.logFile}.old`);
    daemon.kill('SIGUSR2');
    await eventually('there is a new log', () => site.log().includes('log opened again'));
    daemon.kill('SIGTERM');
    expect(await once(daemon, 'exit')).toEqual([0, null]);
    expect(existsSync(site.pidFile)).toBe(false);
  });

  it('drains and stops on QUIT', async () => {
    const site = planctonSite({ dockerHost });
    site.configure({ docker_cmd: '/bin/sleep 10' });
    const daemon = site.spawnCtl('nodaemon');
    await site.untilRunning(2);
    daemon.kill('SIGQUIT');
    expect(await once(daemon, 'exit')).toEqual([0, null]);
    expect(site.log()).toMatch(/drain-stop requested/i);
    expect(await site.pilotIds()).toEqual([]);
  });
});

describe('planctonctl for users', () => {
  it.each(['--user', 'nobody'] as const)('keeps everything below the home directory (%s)', async (mode) => {
    const site = planctonSite({ dockerHost, mode });
    site.configure({});
    expect((await site.ctl('start')).exitCode).toBe(0);
    await site.untilRunning(2);
    expect(readdirSync(site.base).filter((name) => name !== 'engine.sock')).toEqual(['.plancton']);
    expect(readdirSync(join(site.base, '.plancton')).sort()).toEqual(['conf', 'log', 'policy.yaml', 'run', 'state']);
    expect(existsSync(site.pidFile)).toBe(true);
    expect(await site.ctl('force-stop')).toMatchObject({ exitCode: 0 });
  });
});
