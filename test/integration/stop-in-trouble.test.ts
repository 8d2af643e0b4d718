import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { lockHolder } from '../../src/cli/process-lock.js';
import { systemClock } from '../../src/clock.js';
import { importBusybox } from '../support/busybox-image.js';
import { git } from '../support/config-repo.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { eventually, planctonSite, quickConfig, type PlanctonSite } from '../support/plancton-process.js';
import { tempDirectory } from '../support/temp-directory.js';

// Whatever hangs around it, a daemon that is told to end is gone within 25 s, with exit code 0, and its pilots stay.

const deadlineMs = 25_000;

let engine: PrivateEngine;
beforeAll(async () => {
  engine = await startPrivateEngine();
  await importBusybox(engine);
});
afterAll(() => engine.stop());

function aSite(): PlanctonSite {
  return planctonSite({ dockerHost: engine.host });
}

/** A server that takes connections and never says a word. */
async function muteServer(): Promise<{ readonly port: number; readonly called: () => boolean }> {
  let calls = 0;
  const server = net.createServer((socket) => {
    calls += 1;
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, called: () => calls > 0 };
}

async function endsInTime(daemon: ChildProcess): Promise<void> {
  const exit = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const late = systemClock.sleep(deadlineMs).then(() => 'still there');
  expect(await Promise.race([exit, late])).toEqual([0, null]);
}

function pauseEngine(): void {
  engine.pause();
  // Before the site is cleaned up, which needs an engine.
  onTestFinished(() => {
    engine.resume();
  });
}

test('an engine that hangs, with removals and starts under way', async () => {
  const site = aSite();
  site.configure({
    docker_cmd: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
    max_ttl: 3,
    stop_timeout: 60,
  });
  const daemon = site.spawnCtl('nodaemon');
  await site.untilRunning(2);
  // They do not go when they are asked to.
  await site.until('removals are under way', ({ pilots }) => pilots.every(({ ageSeconds }) => ageSeconds > 6));
  pauseEngine();
  await endsInTime(daemon);
});

test('a file server that does not answer', async () => {
  const preload = join(import.meta.dirname, '..', 'support', 'hang-thread.cjs');
  const site = planctonSite({
    dockerHost: engine.host,
    env: { NODE_OPTIONS: `--require ${preload}`, HANG_THREAD_AT: join(tempDirectory(), 'away') },
  });
  site.configure({});
  const daemon = site.spawnCtl('nodaemon');
  await site.untilRunning(2);
  const exit = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  // Node cannot end by itself then; a service manager takes this for a clean end, too.
  expect(await Promise.race([exit, systemClock.sleep(deadlineMs)])).toEqual([null, 'SIGTERM']);
  expect(lockHolder(site.runDir)).toBeUndefined();
  expect(await site.pilotIds()).toHaveLength(2);
});

test('an engine that hangs before the daemon has found it', async () => {
  const site = aSite();
  site.configure({});
  pauseEngine();
  const daemon = site.spawnCtl('nodaemon');
  await eventually('it has begun', () => site.log() !== '');
  await endsInTime(daemon);
});

test('a pull that hangs', async () => {
  const registry = engine.spawnInNetwork(process.execPath, ['-e', 'require("net").createServer(()=>{}).listen(15999)']);
  onTestFinished(() => {
    registry.kill('SIGKILL');
  });
  const site = aSite();
  site.configure({ docker_image: 'localhost:15999/never:v1' });
  const daemon = site.spawnCtl('nodaemon');
  await site.until('it pulls', ({ image }) => image.pulling !== undefined);
  await endsInTime(daemon);
});

test('an InfluxDB that hangs', async () => {
  const influx = await muteServer();
  const site = aSite();
  site.configure({ influxdb_url: `http://127.0.0.1:${influx.port}#db` });
  const daemon = site.spawnCtl('nodaemon');
  await eventually('points are being sent', () => influx.called());
  await endsInTime(daemon);
});

test.each(['with a configuration that is checked out', 'without any'])('a git server that hangs, %s', async (what) => {
  const server = await muteServer();
  const site = aSite();
  mkdirSync(site.confDir, { recursive: true });
  await git(site.confDir, 'init', '--quiet');
  writeFileSync(
    join(site.confDir, 'config.yaml'),
    JSON.stringify(what === 'without any' ? { main_sleep: 'never' } : quickConfig),
  );
  await git(site.confDir, 'add', '--all');
  await git(site.confDir, 'commit', '--quiet', '--message', 'first');
  await git(site.confDir, 'remote', 'add', 'origin', `git://127.0.0.1:${server.port}/conf`);
  await git(site.confDir, 'config', 'branch.main.remote', 'origin');
  await git(site.confDir, 'config', 'branch.main.merge', 'refs/heads/main');
  const daemon = site.spawnCtl('nodaemon');
  await eventually('git waits for the server', () => server.called());
  await endsInTime(daemon);
});

test('a full disk for the log', async () => {
  const site = aSite();
  const logDir = join(site.logFile, '..');
  mkdirSync(logDir, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', logDir]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', logDir]);
  });
  execFileSync('sh', ['-c', 'head -c 100000 /dev/zero >fill || true'], { cwd: logDir, stdio: 'ignore' });
  site.configure({});
  const daemon = site.spawnCtl('nodaemon');
  await site.untilRunning(2);
  await endsInTime(daemon);
});

test('a reader of its output that has stopped reading', async () => {
  const site = aSite();
  site.configure({});
  const daemon = site.spawnCtl('nodaemon');
  daemon.stdout?.pause();
  await site.untilRunning(2);
  await endsInTime(daemon);
});
