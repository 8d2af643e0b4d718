import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';

const run = promisify(execFile);
const script = path.resolve(import.meta.dirname, '../../bin/demo.sh');
// The CPUs of this machine are in use by the tests themselves; a pilot comes as soon as half of one is free.
const patienceMs = 240_000;

/** Everything the demo makes is below this folder. */
let folder: string;
let demo: Demo | undefined;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'plancton-demo-test-'));
});
afterEach(async () => {
  demo?.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Demo {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  text(): string;
  says(pattern: RegExp): Promise<void>;
}

function start(command: readonly string[], env: NodeJS.ProcessEnv): Demo {
  const [file = '', ...args] = command;
  // A session of its own, as in a terminal of its own.
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder, ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      text += part;
    });
  }
  async function says(pattern: RegExp): Promise<void> {
    for (let waitedMs = 0; !pattern.test(text); waitedMs += 200) {
      if (waitedMs > patienceMs || child.exitCode !== null)
        throw new Error(`it never said ${String(pattern)}:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  demo = { child, exit: once(child, 'exit'), text: () => text, says };
  return demo;
}

/** Sends what Ctrl-C sends: the signal to everybody in the terminal's foreground. */
function pressCtrlC({ child }: Demo): void {
  process.kill(-(child.pid ?? 0), 'SIGINT');
}

/** Command lines of processes that know the folder. */
function processesOf(dir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(dir));
}

/** The control group of the newest pilot, in whichever hierarchy. */
async function groupsOfPilots(host: string): Promise<string[]> {
  const id = (await containers(host)).split('\n')[0] ?? '';
  const format = '{{.HostConfig.CgroupParent}}';
  const { stdout } = await run('docker', ['-H', host, 'inspect', '--format', format, id]);
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu'].map((root) => path.join(root, stdout.trim()));
}

async function containers(host: string): Promise<string> {
  return (await run('docker', ['-H', host, 'ps', '-aq', '--filter', 'name=plancton-worker-'])).stdout;
}

test('Ctrl-C ends the demo, which leaves no pilot, process, file or control group behind', async () => {
  const host = inject('dockerHost');
  const [before, configured] = [await containers(host), existsSync('/etc/plancton')];
  const running = start(['bash', script], { DOCKER_HOST: host });
  await running.says(/started plancton-worker-/);
  expect(await containers(host)).not.toBe(before);
  const groups = await groupsOfPilots(host);
  expect(groups.some((group) => existsSync(group))).toBe(true);
  await running.says(/ended +plancton-worker-/);
  pressCtrlC(running);
  expect(await running.exit, running.text()).toEqual([0, null]);
  expect(await containers(host)).toBe(before);
  expect(await readdir(folder)).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
  expect(groups.filter((group) => existsSync(group))).toEqual([]);
  expect(existsSync('/etc/plancton')).toBe(configured);
}, 600_000);

/** A host as it is, but for its engine: the socket is hidden. */
function withoutEngine(command: string): string[] {
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', `mount -t tmpfs none /run && ${command}`];
}

test('where no engine runs the demo starts one, makes its own image, and takes both away', async () => {
  const running = start(withoutEngine(`exec bash ${script}`), { DOCKER_HOST: '' });
  await running.says(/making it from what this host has/);
  await running.says(/started plancton-worker-/);
  expect(processesOf(folder).some((line) => line.includes('dockerd'))).toBe(true);
  pressCtrlC(running);
  expect(await running.exit, running.text()).toEqual([0, null]);
  expect(await readdir(folder)).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
}, 600_000);

test('SIGTERM at any time, here while the engine starts, leaves nothing either', async () => {
  const running = start(withoutEngine(`exec bash ${script}`), { DOCKER_HOST: '' });
  await running.says(/starting one for the demo/);
  running.child.kill('SIGTERM');
  await running.exit;
  expect(await readdir(folder)).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
}, 600_000);

test('whoever declines an engine is told what to do instead', async () => {
  const hidden = 'mount -t tmpfs none /usr/sbin && ';
  const running = start(withoutEngine(`${hidden} exec bash ${script}`), {
    DOCKER_HOST: '',
    PLANCTON_DEMO_INSTALL: 'no',
  });
  expect(await running.exit).toEqual([69, null]);
  expect(running.text()).toMatch(
    /there is no Docker Engine on this host; installing .*PLANCTON_DEMO_INSTALL=no declines/,
  );
  expect(running.text()).toContain('install Docker Engine 20.10 or newer and run the demo again');
  expect(await readdir(folder)).toEqual([]);
}, 600_000);

test('an engine that was named but does not answer is not replaced by another', async () => {
  const running = start(['bash', script], { DOCKER_HOST: 'unix:///nowhere.sock' });
  expect(await running.exit).toEqual([69, null]);
  expect(running.text()).toContain('DOCKER_HOST is unix:///nowhere.sock');
  expect(await readdir(folder)).toEqual([]);
}, 600_000);
