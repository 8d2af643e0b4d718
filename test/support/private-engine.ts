import { execFile, spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dockerCli, type DockerCli } from './docker-cli.js';
import { engineCgroup, engineDirPrefix, removeEngine, sweepAbandonedEngines } from './engine-leftovers.js';

const run = promisify(execFile);
const startDeadlineMs = 60_000;

export interface PrivateEngineOptions {
  /** Containers survive a restart of the engine. */
  readonly liveRestore?: boolean;
  /** Its images and containers are on a file system of their own, of this size, that root can fill to the last block. */
  readonly dataRootMb?: number;
  /** More arguments for dockerd. */
  readonly args?: readonly string[];
}

/**
 * A Docker Engine of its own: folders, socket, containerd, cgroup and network namespace are private, so that it neither sees
 * nor touches any other engine on the host. Ends with the process that started it. Needs root.
 */
export interface PrivateEngine {
  /** Everything of this engine is in here, and goes with it. */
  readonly dir: string;
  readonly socketPath: string;
  /** The value for DOCKER_HOST. */
  readonly host: string;
  readonly pid: number;
  /** Runs the docker client against it; resolves to what it prints. */
  readonly docker: DockerCli;
  /** Starts a command in the network of the engine, where 127.0.0.1 is its own. Ends with this process. */
  spawnInNetwork(command: string, args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Freezes dockerd, which takes connections and answers nothing then; or containerd, without which dockerd only looks alive. */
  pause(part?: 'dockerd' | 'containerd'): void;
  resume(part?: 'dockerd' | 'containerd'): void;
  /** Kills dockerd alone, as a crash would; containers and containerd live on. */
  kill9(): Promise<void>;
  /** Starts dockerd again, after an orderly end unless it is dead already. */
  restart(): Promise<void>;
  /** Removes everything, whatever happened before. */
  stop(): Promise<void>;
}

export async function startPrivateEngine(options: PrivateEngineOptions = {}): Promise<PrivateEngine> {
  await sweepAbandonedEngines();
  // The kernel tells the real path of mounts, and they are found by it.
  const dir = await realpath(await mkdtemp(join(tmpdir(), engineDirPrefix)));
  await writeFile(join(dir, 'owner'), String(process.pid));
  try {
    return await start(dir, options);
  } catch (error) {
    await removeEngine(dir);
    throw error;
  }
}

async function start(dir: string, options: PrivateEngineOptions): Promise<PrivateEngine> {
  const socketPath = join(dir, 'docker.sock');
  const host = `unix://${socketPath}`;
  await writeFile(join(dir, 'daemon.json'), '{}');
  if (options.dataRootMb !== undefined) await mountDataRoot(dir, options.dataRootMb);
  const network = await createNetwork(dir);
  const inNetwork = (argv: readonly string[], signal: 'KILL' | 'TERM' = 'KILL') =>
    tied(signal, ['nsenter', `--net=/proc/${String(network.pid)}/ns/net`, '--', ...argv]);
  const docker = dockerCli(host, join(dir, 'client'));
  const containerd = await startContainerd(dir);
  let dockerd = await startDockerd();

  async function startDockerd(): Promise<ChildProcess> {
    await rm(join(dir, 'docker.pid'), { force: true });
    const child = spawnLogged(dir, 'dockerd.log', inNetwork(dockerdArgs(dir, host, options), 'TERM'));
    await untilReady(child, join(dir, 'dockerd.log'), () => ping(socketPath));
    return child;
  }

  async function removeContainers(): Promise<void> {
    const ids = await docker('ps', '-aq');
    if (ids !== '') await docker('rm', '--force', '--volumes', ...ids.split('\n'));
  }

  return {
    dir,
    socketPath,
    host,
    get pid() {
      return dockerd.pid ?? 0;
    },
    docker,
    spawnInNetwork: (command, args) => {
      const [program = '', ...rest] = inNetwork([command, ...args]);
      return spawn(program, rest, { cwd: dir, stdio: 'pipe' });
    },
    pause: (part = 'dockerd') => (part === 'dockerd' ? dockerd : containerd).kill('SIGSTOP'),
    resume: (part = 'dockerd') => (part === 'dockerd' ? dockerd : containerd).kill('SIGCONT'),
    kill9: () => end(dockerd, 'SIGKILL'),
    restart: async () => {
      await end(dockerd, 'SIGTERM');
      dockerd = await startDockerd();
    },
    stop: async () => {
      for (const child of [dockerd, containerd]) child.kill('SIGCONT');
      // Only for the cgroups that tests had containers put in elsewhere; a dead engine is swept away all the same.
      if (isAlive(dockerd)) await removeContainers().catch(() => undefined);
      await Promise.all([dockerd, containerd, network].map((child) => end(child, 'SIGKILL')));
      await removeEngine(dir);
    },
  };
}

async function mountDataRoot(dir: string, megabytes: number): Promise<void> {
  const image = join(dir, 'data.img');
  await writeFile(image, '');
  await truncate(image, megabytes * 2 ** 20);
  // Nothing is reserved for root.
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  await mkdir(join(dir, 'data'));
  await run('mount', ['-o', 'loop', image, join(dir, 'data')]);
}

/** A network namespace with a loopback device, held by a process and gone with it. */
async function createNetwork(dir: string): Promise<ChildProcess> {
  const hold = 'ip link set lo up && echo ready && exec sleep infinity';
  const [program = '', ...args] = tied('KILL', ['unshare', '--net', '--', 'sh', '-c', hold]);
  const child = spawn(program, args, { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  if (!String(first).startsWith('ready')) {
    throw new Error('Cannot make a network namespace; this needs root and iproute2');
  }
  return child;
}

async function startContainerd(dir: string): Promise<ChildProcess> {
  const config = join(dir, 'containerd.toml');
  const socket = join(dir, 'containerd.sock');
  await writeFile(
    config,
    `version = 2
root = "${dir}/containerd"
state = "${dir}/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
`,
  );
  const child = spawnLogged(dir, 'containerd.log', tied('TERM', ['containerd', '--config', config]));
  await untilReady(child, join(dir, 'containerd.log'), async () =>
    (await readFile('/proc/net/unix', 'utf8')).includes(socket),
  );
  return child;
}

function dockerdArgs(dir: string, host: string, options: PrivateEngineOptions): string[] {
  return [
    '/usr/sbin/dockerd',
    // Anything the host says about its own engine must not matter here.
    ...['--config-file', join(dir, 'daemon.json')],
    ...['--host', host],
    ...['--containerd', join(dir, 'containerd.sock')],
    ...['--data-root', join(dir, 'data')],
    ...['--exec-root', join(dir, 'exec')],
    ...['--pidfile', join(dir, 'docker.pid')],
    ...['--exec-opt', 'native.cgroupdriver=cgroupfs'],
    ...['--cgroup-parent', engineCgroup(dir)],
    '--userland-proxy=false',
    ...(options.liveRestore === true ? ['--live-restore'] : []),
    ...(options.args ?? []),
  ];
}

/** A command that gets `signal` when this process ends, however it ends. */
function tied(signal: 'KILL' | 'TERM', argv: readonly string[]): string[] {
  return ['setpriv', '--pdeathsig', signal, ...argv];
}

function spawnLogged(dir: string, log: string, argv: readonly string[]): ChildProcess {
  const [program = '', ...args] = argv;
  const fd = openSync(join(dir, log), 'a');
  const child = spawn(program, args, { cwd: dir, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  return child;
}

async function untilReady(child: ChildProcess, log: string, isReady: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < startDeadlineMs; waitedMs += 50) {
    if (!isAlive(child)) break;
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const tail = (await readFile(log, 'utf8')).split('\n').slice(-15).join('\n');
  throw new Error(`The private engine did not come up:\n${tail}`);
}

function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/_ping', timeout: 2000 }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200);
    });
    request.on('error', () => {
      resolve(false);
    });
    request.on('timeout', () => {
      request.destroy();
    });
  });
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill(signal);
  await exit;
}
