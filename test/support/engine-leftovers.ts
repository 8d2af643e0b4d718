import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Private engines live in folders of this name under the temporary folder. */
export const engineDirPrefix = 'plancton-engine-';

/** The cgroup under which the containers of the engine in `dir` are. */
export function engineCgroup(dir: string): string {
  return `/${dir.slice(dir.lastIndexOf('/') + 1)}`;
}

/** Removes what an interrupted run left behind: folders whose owner does not run any more. */
export async function sweepAbandonedEngines(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dir = join(tmpdir(), name);
    const owner = readText(join(dir, 'owner'));
    if (name.startsWith(engineDirPrefix) && owner !== undefined && !existsSync(`/proc/${owner}`)) {
      await removeEngine(dir);
    }
  }
}

/** Ends every process of the engine in `dir`, whatever state it is in, and removes all traces of it. */
export async function removeEngine(dir: string): Promise<void> {
  await thaw(dir);
  await killProcesses(dir);
  await removeShimSockets(dir);
  await unmountBelow(dir);
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  await removeCgroups(engineCgroup(dir));
}

/** A test that was killed may have left a disk frozen, which keeps processes from ending, or files that nobody may remove. */
async function thaw(dir: string): Promise<void> {
  for (const point of mountsBelow(dir)) await run('fsfreeze', ['--unfreeze', point]).catch(() => undefined);
  const containers = join(dir, 'data', 'containers');
  if (existsSync(containers)) await run('chattr', ['-R', '-i', containers]).catch(() => undefined);
}

async function killProcesses(dir: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && belongsTo(name, dir));
    if (pids.length === 0) return;
    for (const pid of pids) killIfThere(Number(pid));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Processes of the engine in ${dir} do not end`);
}

/** Daemons and shims work in the folder; what runs in a container has its root there. */
function belongsTo(pid: string, dir: string): boolean {
  if (Number(pid) === process.pid) return false;
  if (`${readLink(`/proc/${pid}/cwd`) ?? ''}/`.startsWith(`${dir}/`)) return true;
  const root = (readText(`/proc/${pid}/mountinfo`) ?? '').split('\n').find((line) => line.split(' ')[4] === '/');
  return root?.includes(`${dir}/`) ?? false;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Shims keep their sockets in a folder shared by all engines and tell where in a file of their own. */
async function removeShimSockets(dir: string): Promise<void> {
  const tasks = join(dir, 'containerd-state', 'io.containerd.runtime.v2.task');
  for (const entry of await readdir(tasks, { recursive: true }).catch(() => [])) {
    if (!/^[^/]+\/[^/]+\/address$/.test(entry)) continue;
    const address = await readFile(join(tasks, entry), 'utf8').catch(() => '');
    if (address.startsWith('unix:///run/containerd/s/')) await rm(address.slice('unix://'.length), { force: true });
  }
}

function mountsBelow(dir: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${dir}/`));
}

async function unmountBelow(dir: string): Promise<void> {
  for (const point of mountsBelow(dir).toReversed()) await run('umount', ['--lazy', point]).catch(() => undefined);
}

/** Removes a cgroup with its children from every hierarchy there is; cgroups with processes stay. */
export async function removeCgroups(path: string): Promise<void> {
  const root = '/sys/fs/cgroup';
  for (const hierarchy of ['.', ...(await readdir(root))]) {
    const top = join(root, hierarchy, path);
    if (existsSync(top)) await removeTree(top);
  }
}

async function removeTree(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  }
  await rmdir(dir).catch(() => undefined);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
