import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A daemon that has the lock of the run directory, or thinks it has. */
export interface DaemonProcess {
  readonly pid: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly threads: number;
}

/**
 * Ids of those containers that have a living process, each by the cgroup that process is in. All of them lived at the same moment: who
 * ended while the others were looked at is left out.
 */
export function livingContainers(): ReadonlySet<string> {
  const found = pids().flatMap((pid) => containersOf(pid).map((id) => ({ pid, id })));
  return new Set(found.filter(({ pid, id }) => lives(pid) && containersOf(pid).includes(id)).map(({ id }) => id));
}

/** Containers that this process is in itself. */
const around = new Set(idsIn('self'));

/** The containers that a process is in and this one is not. */
function containersOf(pid: number): readonly string[] {
  return idsIn(pid).filter((id) => !around.has(id));
}

function idsIn(pid: number | 'self'): readonly string[] {
  return [...new Set(read(`/proc/${pid}/cgroup`).match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [])];
}

/** Not a zombie, nor gone. */
function lives(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  // The name stands in brackets and may hold anything, brackets too.
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z' && state !== 'X';
}

/** The command lines of all processes but this one and those in containers, arguments separated by blanks. */
export function commandLines(): readonly string[] {
  return pids()
    .filter((pid) => pid !== process.pid && containersOf(pid).length === 0)
    .map(commandLine)
    .filter((line) => line !== '');
}

function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** The daemons of a run directory, wherever that has been moved to. A child that has not become another program yet is none. */
export function daemonsOf(runDir: string): readonly DaemonProcess[] {
  const holders = pids().filter((pid) => isDaemon(commandLine(pid), runDir) && lives(pid) && holdsLock(pid));
  // One that has ended meanwhile, or become another program, was such a child.
  const known = holders.map((pid) => ({ pid, parent: parentOf(pid) }));
  const own = known.filter(({ pid, parent }) => !holders.includes(parent) && isDaemon(commandLine(pid), runDir));
  return own.map(({ pid }) => measure(pid));
}

function isDaemon(line: string, runDir: string): boolean {
  return / nodaemon( |$)/.test(line) && line.includes(`--rundir=${runDir}`);
}

function holdsLock(pid: number): boolean {
  return descriptorsOf(pid).some(
    ({ fd, target }) =>
      /\/lock( \(deleted\))?$/.test(target) && /FLOCK +ADVISORY +WRITE/.test(read(`/proc/${pid}/fdinfo/${fd}`)),
  );
}

function measure(pid: number): DaemonProcess {
  const open = descriptorsOf(pid);
  const threads = Number(/^Threads:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  const sockets = open.filter(({ target }) => target.startsWith('socket:')).length;
  return { pid, descriptors: open.length, sockets, threads };
}

function descriptorsOf(pid: number): readonly { readonly fd: string; readonly target: string }[] {
  return list(`/proc/${pid}/fd`).map((fd) => ({ fd, target: readLink(`/proc/${pid}/fd/${fd}`) }));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function pids(): readonly number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

// Whatever is looked at may have ended meanwhile: then there is nothing to see.

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
