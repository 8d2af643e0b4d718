import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { lockHolder } from '../../src/cli/process-lock.js';
import { systemClock } from '../../src/clock.js';
import { pilotLabels } from '../../src/engine/pilot-container.js';
import type { Status } from '../../src/report/status.js';

const cliFile = join(import.meta.dirname, '..', '..', 'bin', 'planctonctl.js');
const commandDeadlineMs = 170_000;

/**
 * Cycles every second, and CPUs enough for six pilots whatever else the machine does: a test of the commands must
 * not depend on who else computes here.
 */
export const quickConfig = {
  docker_cmd: '/bin/sleep 600',
  main_sleep: 1,
  updateconfig: 1,
  docks_per_loop: 10,
  stop_timeout: 0,
  fizzle_seconds: 1,
  max_docks: 2,
  cpus: 64,
  cpus_per_dock: 0.1,
  max_dock_mem: 20_000_000,
  evict: 'never',
} as const;

/** Allows whatever the tests ask for. */
export const permissivePolicy = JSON.stringify({
  images: ['*'],
  users: ['0-65535'],
  privileged: true,
  binds: [tmpdir()],
  devices: ['/dev/fuse'],
  capabilities: ['ALL'],
  networks: ['bridge', 'none', 'host'],
  local_http: true,
});

export interface CommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command with files of its own. Daemon, pilots and files are gone when the test has ended. */
export interface PlanctonSite {
  readonly base: string;
  readonly pidFile: string;
  readonly runDir: string;
  readonly logFile: string;
  readonly confDir: string;
  /** Allows whatever the tests ask for. */
  readonly policyFile: string;
  /** Runs `planctonctl` with the options of this site. */
  ctl(...args: string[]): Promise<CommandEnd>;
  /** Starts `planctonctl` and does not wait for it. Killed when the test has ended. */
  spawnCtl(...args: string[]): ChildProcess;
  /** Writes config.yaml: the quick configuration with these changes. */
  configure(changes: Readonly<Record<string, unknown>>): void;
  log(): string;
  pid(): number;
  status(): Promise<Status & { readonly running: boolean }>;
  /** Waits until the status answers to `condition`. */
  until(what: string, condition: (status: Status) => boolean): Promise<Status>;
  /** Waits until the daemon is healthy and sees this many pilots running, and no other ones. */
  untilRunning(count: number): Promise<Status>;
  /** Ids of the pilots that the engine says are running, of whatever instance, the oldest first. */
  pilotIds(): Promise<readonly string[]>;
}

type SiteMode = 'root' | '--user' | 'nobody';

export interface SiteOptions {
  readonly dockerHost: string;
  /**
   * `root`: every path is given as an option. `--user`: root with that option and a home directory of its own. `nobody`: really
   * without rights, but for reading the program wherever it is and for talking to the engine.
   */
  readonly mode?: SiteMode;
  readonly env?: Readonly<Record<string, string>>;
}

/** Waits until `condition` holds; throws with `what` when that takes too long, which on a busy machine is long. */
export async function eventually(
  what: string,
  condition: () => Promise<boolean> | boolean,
  withinMs = 180_000,
): Promise<void> {
  const endMs = systemClock.now().monoMs + withinMs;
  while (!(await condition())) {
    if (systemClock.now().monoMs > endMs) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
    await systemClock.sleep(100);
  }
}

interface Layout extends Pick<PlanctonSite, 'pidFile' | 'runDir' | 'logFile' | 'confDir' | 'policyFile'> {
  readonly options: readonly string[];
}

function layOut(base: string, mode: SiteMode): Layout {
  const top = mode === 'root' ? base : join(base, '.plancton');
  const runDir = join(top, 'run');
  const confDir = join(top, 'conf');
  const logDir = join(top, 'log');
  const pidFile = mode === 'root' ? join(base, 'plancton.pid') : join(runDir, 'plancton.pid');
  const policyFile = mode === 'root' ? join(base, 'policy.yaml') : join(top, 'policy.yaml');
  const given = [
    ...[`--rundir=${runDir}`, `--confdir=${confDir}`, `--logdir=${logDir}`, `--pidfile=${pidFile}`],
    `--policyfile=${policyFile}`,
  ];
  const options = { root: given, '--user': ['--user'], nobody: [] }[mode];
  return { runDir, confDir, pidFile, policyFile, logFile: join(logDir, 'plancton.log'), options };
}

const nobody = 65_534;

/** What stands before the command: nothing, or the loss of all rights but that to read every file. */
function asWhom(mode: SiteMode): readonly string[] {
  const caps = '-all,+dac_read_search';
  const become = [
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    '--clear-groups',
    `--inh-caps=${caps}`,
    `--ambient-caps=${caps}`,
  ];
  return mode === 'nobody' ? ['setpriv', ...become] : [];
}

/** The socket of the engine again, for everybody. */
function openToAll(dockerHost: string, path: string): string {
  const server = net.createServer((client) => {
    const engine = net.connect(dockerHost.replace('unix://', ''));
    client.on('error', () => engine.destroy());
    engine.on('error', () => client.destroy());
    client.pipe(engine).pipe(client);
  });
  server.listen({ path, readableAll: true, writableAll: true });
  onTestFinished(() => {
    server.close();
  });
  return `unix://${path}`;
}

export function planctonSite({ dockerHost, mode = 'root', env: more = {} }: SiteOptions): PlanctonSite {
  const base = mkdtempSync(join(tmpdir(), 'plancton-site-'));
  const layout = layOut(base, mode);
  const { runDir, confDir, pidFile, policyFile, logFile } = layout;
  mkdirSync(dirname(policyFile), { recursive: true, mode: 0o700 });
  writeFileSync(policyFile, permissivePolicy, { mode: 0o644 });
  const argv = [...asWhom(mode), process.execPath, cliFile, ...layout.options];
  const [program = '', ...words] = argv;
  if (mode === 'nobody') for (const path of [base, dirname(policyFile)]) chownSync(path, nobody, nobody);
  const engine = mode === 'nobody' ? openToAll(dockerHost, join(base, 'engine.sock')) : dockerHost;
  const env = {
    ...process.env,
    HOME: base,
    DOCKER_HOST: engine,
    DOCKER_CONFIG: base,
    PLANCTON_LOG_LEVEL: 'debug',
    ...more,
  };
  const children: ChildProcess[] = [];

  async function ctl(...args: string[]): Promise<CommandEnd> {
    try {
      const options = { env, timeout: commandDeadlineMs };
      const { stdout, stderr } = await promisify(execFile)(program, [...words, ...args], options);
      return { exitCode: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string };
      return { exitCode: typeof code === 'number' ? code : -1, stdout, stderr };
    }
  }

  async function status(): Promise<Status & { readonly running: boolean }> {
    return JSON.parse((await ctl('status', '--json')).stdout) as Status & { readonly running: boolean };
  }

  async function until(what: string, condition: (status: Status) => boolean): Promise<Status> {
    let last: Status | undefined;
    await eventually(what, () => {
      // Not by the command: that would keep a busy machine busier.
      last = lastStatus(runDir);
      return last !== undefined && condition(last);
    });
    if (last === undefined) throw new Error('no status');
    return last;
  }

  const site: PlanctonSite = {
    ...{ base, runDir, confDir, pidFile, policyFile, logFile, ctl, status },
    spawnCtl: (...args) => {
      const child = spawn(program, [...words, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      children.push(child);
      return child;
    },
    configure: (changes) => {
      mkdirSync(confDir, { recursive: true });
      const file = join(confDir, 'config.yaml');
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ ...quickConfig, ...changes }));
      if (mode === 'nobody') for (const path of [dirname(confDir), confDir, file]) chownSync(path, nobody, nobody);
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    pid: () => Number(readFileSync(pidFile, 'utf8')),
    until,
    untilRunning: (count) =>
      until(`${count} pilots run`, ({ health, pilots }) => {
        return health === 'ok' && pilots.length === count && pilots.every(({ state }) => state === 'running');
      }),
    pilotIds: async () => {
      const filters = ['--filter', 'status=running', '--filter', `label=${pilotLabels.managed}`];
      const { stdout } = await promisify(execFile)('docker', ['ps', '--no-trunc', '-q', ...filters], {
        env,
        timeout: 30_000,
      });
      return stdout.trim().split('\n').filter(Boolean).reverse();
    },
  };
  onTestFinished(async () => {
    await Promise.all(children.map(killChild));
    const end = await ctl('force-stop');
    // Whose lock is somebody else's is not believed, not even by root.
    const left = mode === 'nobody' ? undefined : lockHolder(runDir)?.pid;
    if (left !== undefined) process.kill(left, 'SIGKILL');
    rmSync(base, { recursive: true, force: true });
    if (end.exitCode !== 0) throw new Error(`the site could not be cleaned up: ${end.stderr}${end.stdout}`);
  });
  return site;
}

/** As the file says, whoever it belongs to; undefined while there is none. */
function lastStatus(runDir: string): Status | undefined {
  try {
    return JSON.parse(readFileSync(join(runDir, 'status.json'), 'utf8')) as Status;
  } catch {
    return undefined;
  }
}

async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
