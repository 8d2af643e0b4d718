import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '../..');

/** What a command left behind; `code` is its exit code, or 1 when a signal ended it. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A whole host: systemd as PID 1, a Docker Engine of its own, git, Node and Plancton installed. */
export interface SystemdHost {
  readonly name: string;
  /** Runs a command as root in the host. Never rejects because of its exit code. */
  exec(...command: string[]): Promise<Ran>;
  /** As exec, but rejects with everything the command said unless it succeeds; returns its trimmed stdout. */
  must(...command: string[]): Promise<string>;
  /** Runs a shell script in the host; for tests only, where the text is a constant. */
  sh(script: string): Promise<string>;
  journal(unit: string): Promise<string>;
  copyIn(from: string, to: string): Promise<void>;
  /** Shuts down and boots again; disks stay, /run and processes go. */
  reboot(): Promise<void>;
  /** Polls until the script succeeds, at most `seconds`. */
  until(script: string, seconds?: number): Promise<string>;
  stop(): Promise<void>;
}

export interface SystemdHostOptions {
  /** The engine that runs the host as a container, e.g. `unix:///tmp/x/docker.sock`. */
  readonly dockerHost: string;
  /** False: PID 1 is a shell and dockerd runs without systemd, as on hosts that have none. */
  readonly systemd?: boolean;
  /** Where `bin` and `lib/node_modules` go. */
  readonly prefix?: string;
}

/** Everything the engine of Debian 12 knows, but for the one that the machine running the tests may lack. */
const capabilities = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_CHROOT SYS_PTRACE SYS_ADMIN SYS_NICE SYS_TTY_CONFIG MKNOD LEASE ' +
  'AUDIT_WRITE SETFCAP'
).split(' ');

/** Mounts the control groups of the host itself; systemd would join hierarchies that the outer kernel keeps apart. */
const mountCgroups = `
mount -o remount,rw /sys/fs/cgroup 2>/dev/null || true
[ -e /sys/fs/cgroup/cgroup.controllers ] || for c in $(sed -n 's/^[0-9]*:\\([a-z_,]*\\):.*/\\1/p' /proc/self/cgroup); do
  mkdir -p /sys/fs/cgroup/$c && mount -t cgroup -o $c cgroup /sys/fs/cgroup/$c
done`;

/**
 * The machine that runs the tests is busy with them, and its CPUs are those of the host: so the host gets a /proc/stat of
 * its own, of two CPUs that have nothing to do. One write of constant length, so that no reader sees a part of it.
 */
const idleCpus = `
stat() { i=$(cut -d. -f1 /proc/uptime); printf 'cpu  1000 0 1000 %014d 0 0 0 0 0 0\\n' $((i * 200))
  for n in 0 1; do printf 'cpu%d 500 0 500 %014d 0 0 0 0 0 0\\n' $n $((i * 100)); done
  echo 'btime 1700000000'; }
stat >/var/lib/idle-stat
mount --bind /var/lib/idle-stat /proc/stat
(while :; do s=$(stat); printf '%s\\n' "$s" 1<>/var/lib/idle-stat; sleep 0.5; done) &
mkdir -p /etc/systemd/system/plancton.service.d
printf '[Service]\\nBindReadOnlyPaths=/var/lib/idle-stat:/proc/stat\\n' >/etc/systemd/system/plancton.service.d/cpus.conf`;

const withSystemd = `${mountCgroups}${idleCpus}\nexec /sbin/init`;
const withoutSystemd = `${mountCgroups}${idleCpus}\ndockerd >/var/log/dockerd.log 2>&1 &\nexec sleep infinity`;

function run(file: string, args: readonly string[], input?: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { timeout: 300_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: error?.code === 'ENOENT' ? error.message : stderr });
    });
    child.stdin?.end(input);
  });
}

async function must(file: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}\nexited with ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** What npm would ship, compiled from the present sources; the dependencies stay where they are and are mounted. */
async function stagePackage(folder: string): Promise<string> {
  const source = path.join(folder, 'source');
  await mkdir(source);
  for (const part of ['bin', 'conf', 'systemd', 'package.json'])
    await cp(path.join(repository, part), path.join(source, part), { recursive: true });
  const compiler = path.join(repository, 'node_modules/typescript/bin/tsc');
  const project = path.join(repository, 'tsconfig.json');
  const compiled = await run(process.execPath, [compiler, '-p', project, '--outDir', path.join(source, 'dist')]);
  if (!existsSync(path.join(source, 'dist/cli'))) throw new Error(`nothing was compiled:\n${compiled.stdout}`);
  await must('npm', 'pack', source, '--silent', '--ignore-scripts', '--pack-destination', folder);
  await must(
    'sh',
    '-euc',
    `cd ${folder} && tar -xzf *.tgz && chmod 755 package/bin/*.js && mkdir package/node_modules`,
  );
  return path.join(folder, 'package');
}

/** Imports the host image unless the engine has it; returns its tag, which names the version. */
async function importHostImage(dockerHost: string): Promise<string> {
  const tar = await must('bash', path.join(repository, 'test/support/build-host-image.sh'));
  const tag = `plancton-test-host:${path.basename(tar, '.tar')}`;
  const known = await run('docker', ['-H', dockerHost, 'image', 'inspect', tag]);
  if (known.code !== 0) await must('docker', '-H', dockerHost, 'import', tar, tag);
  return tag;
}

function runArguments(name: string, installed: string, options: SystemdHostOptions): string[] {
  const prefix = options.prefix ?? '/usr/local';
  const home = `${prefix}/lib/node_modules/plancton`;
  const systemd = options.systemd ?? true;
  return [
    ...['run', '-d', '--name', name, '--hostname', name, '--stop-signal', systemd ? 'SIGRTMIN+3' : 'SIGKILL'],
    ...['--cap-drop=ALL', ...capabilities.map((capability) => `--cap-add=${capability}`)],
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--sysctl', 'net.ipv4.ip_forward=1', '--cgroupns=private', '-e', 'container=docker'],
    ...['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
    ...(existsSync('/sys/fs/cgroup/cgroup.controllers') ? [] : ['--tmpfs', '/sys/fs/cgroup:rw']),
    // A volume, because overlays cannot be stacked on an overlay.
    ...['-v', '/var/lib/docker', '-v', `${process.execPath}:${prefix}/bin/node:ro`, '-v', `${installed}:${home}:ro`],
    ...['-v', `${path.join(repository, 'node_modules')}:${home}/node_modules:ro`],
  ];
}

/** The demo image of the tests: Debian's static busybox with links to its applets. */
const importBusybox =
  'cd "$(mktemp -d)" && mkdir bin tmp && cp /bin/busybox bin/ && for a in $(/bin/busybox --list); do ' +
  '[ $a = busybox ] || ln -s busybox bin/$a; done && tar -c . | docker import - busybox:latest';

/**
 * Boots a host and waits until its engine answers. The first call on a machine builds the image (minutes), later ones
 * take some seconds. Rejects with the host's journal when it does not come up.
 */
export async function startSystemdHost(options: SystemdHostOptions): Promise<SystemdHost> {
  const name = `host-${randomBytes(4).toString('hex')}`;
  const prefix = options.prefix ?? '/usr/local';
  const systemd = options.systemd ?? true;
  const image = await importHostImage(options.dockerHost);
  const staged = await mkdtemp('/var/tmp/plancton-host-');
  const docker = (...args: string[]) => must('docker', '-H', options.dockerHost, ...args);
  const environment = ['-e', `PATH=${prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`];
  const exec = (...command: string[]) =>
    run('docker', ['-H', options.dockerHost, 'exec', ...environment, name, ...command]);
  const sh = (script: string) =>
    must('docker', '-H', options.dockerHost, 'exec', ...environment, name, '/bin/sh', '-euc', script);

  async function until(script: string, seconds = 60): Promise<string> {
    for (let tries = 0; ; tries += 1) {
      const { code, stdout, stderr } = await exec('/bin/sh', '-euc', script);
      if (code === 0) return stdout.trim();
      if (tries >= seconds * 2) throw new Error(`not within ${seconds} s: ${script}\n${stdout}${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  async function booted(): Promise<void> {
    if (systemd) await until('systemctl is-system-running | grep -E "running|degraded"');
    await until('docker version >/dev/null');
  }
  async function stop(): Promise<void> {
    await run('docker', ['-H', options.dockerHost, 'rm', '-f', '-v', name]);
    await rm(staged, { recursive: true, force: true });
  }

  try {
    const installed = await stagePackage(staged);
    const init = ['/bin/bash', '-c', systemd ? withSystemd : withoutSystemd];
    await docker(...runArguments(name, installed, options), image, ...init);
    await booted();
    await sh(`cd ${prefix}/bin; for c in planctonctl plancton-bootstrap; do
      ln -sf ../lib/node_modules/plancton/bin/$c.js $c; done`);
    await sh(importBusybox);
  } catch (error) {
    const { stdout } = await exec('journalctl', '-b', '--no-pager', '-n', '50');
    await stop();
    throw new Error(`the test host did not come up: ${String(error)}\n${stdout}`, { cause: error });
  }
  return {
    name,
    exec,
    sh,
    until,
    stop,
    must: (...command) => must('docker', '-H', options.dockerHost, 'exec', ...environment, name, ...command),
    journal: async (unit) => (await exec('journalctl', '--no-pager', '-o', 'cat', '-u', unit)).stdout,
    copyIn: async (from, to) => {
      await docker('cp', from, `${name}:${to}`);
    },
    reboot: async () => {
      await docker('restart', '-t', '60', name);
      await booted();
    },
  };
}
