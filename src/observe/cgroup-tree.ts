import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The mounted control groups of a host; `root` is normally `/sys/fs/cgroup`. */
export interface CgroupTree {
  readonly root: string;
  readonly version: 1 | 2;
}

/** A weight of a group as it is in force. */
export interface Weight {
  readonly lowest: boolean;
  /** Name and value, in the kernel's own words. */
  readonly text: string;
}

/** CPU time in ns that the group at `path` and all below it have used; undefined when there is no such group. */
export function readCpuNs(tree: CgroupTree, path: string): number | undefined {
  const [file, pattern, nsPerUnit] =
    tree.version === 1
      ? ([join(tree.root, 'cpuacct', path, 'cpuacct.usage'), /^(\d{1,20})$/m, 1] as const)
      : ([join(tree.root, path, 'cpu.stat'), /^usage_usec (\d{1,20})$/m, 1000] as const);
  const used = pattern.exec(readIfThere(file) ?? '')?.[1];
  return used === undefined ? undefined : Number(used) * nsPerUnit;
}

/**
 * Memory in bytes that the group at `path` and all below it hold, without their file cache: what the kernel can drop it counts as available, and
 * nothing may count twice. Undefined when there is no such group, or its memory is not counted.
 */
export function readMemoryBytes(tree: CgroupTree, path: string): number | undefined {
  const [dir, usage, cache] =
    tree.version === 1
      ? ([join(tree.root, 'memory', path), 'memory.usage_in_bytes', /^total_(?:in)?active_file (\d{1,20})$/gm] as const)
      : ([join(tree.root, path), 'memory.current', /^(?:in)?active_file (\d{1,20})$/gm] as const);
  const used = /^\d{1,20}$/m.exec(readIfThere(join(dir, usage)) ?? '')?.[0];
  if (used === undefined) return undefined;
  const caches = [...(readIfThere(join(dir, 'memory.stat')) ?? '').matchAll(cache)];
  return caches.reduce((left, [, bytes]) => Math.max(0, left - Number(bytes)), Number(used));
}

/** The most memory in bytes that the group at `path` ever held, or what it holds where the kernel keeps no peak; undefined as above. With file cache. */
export function readMemoryPeakBytes(tree: CgroupTree, path: string): number | undefined {
  const files =
    tree.version === 1
      ? [join(tree.root, 'memory', path, 'memory.max_usage_in_bytes')]
      : ['memory.peak', 'memory.current'].map((name) => join(tree.root, path, name));
  const text = files.map(readIfThere).find((found) => found !== undefined);
  const bytes = /^\d{1,20}$/m.exec(text ?? '')?.[0];
  return bytes === undefined ? undefined : Number(bytes);
}

/**
 * Bytes that the group at `path` and all below it have read from disks and written to them; undefined when there is no such group, or they are
 * not counted. Each layer of devices counts: only those count here that are made of no other ones (`isStacked`: by number, e.g. `253:0`).
 */
export function readBlockBytes(
  tree: CgroupTree,
  path: string,
  isStacked: (device: string) => boolean,
): number | undefined {
  const folder = tree.version === 1 ? join(tree.root, 'blkio', path) : join(tree.root, path);
  const [files, count] =
    tree.version === 1
      ? ([
          ['_recursive', ''].map((kind) => `blkio.throttle.io_service_bytes${kind}`),
          / (?:Read|Write) (\d{1,20})$/g,
        ] as const)
      : ([['io.stat'], /\b[rw]bytes=(\d{1,20})\b/g] as const);
  const text = files.map((file) => readIfThere(join(folder, file))).find((found) => found !== undefined);
  if (text === undefined) return undefined;
  let sum = 0;
  for (const line of text.split('\n')) {
    const [device = ''] = line.split(' ', 1);
    if (!device.includes(':') || isStacked(device)) continue;
    for (const [, bytes] of line.matchAll(count)) sum += Number(bytes);
  }
  return sum;
}

/** Whether there is a group at `path`. */
export function hasGroup(tree: CgroupTree, path: string): boolean {
  return existsSync(tree.version === 1 ? join(tree.root, 'cpuacct', path) : join(tree.root, path));
}

/** Makes the group and those above it, with the CPU controller in force. Throws when that is not allowed. */
export function makeGroup(tree: CgroupTree, path: string): void {
  if (tree.version === 1) {
    for (const controller of ['cpu', 'cpuacct']) mkdirSync(join(tree.root, controller, path), { recursive: true });
    return;
  }
  let dir = tree.root;
  for (const name of path.split('/')) {
    // In the group above too: a controller that is in use further down is not switched off by others.
    const control = join(dir, 'cgroup.subtree_control');
    if (!/\bcpu\b/.test(readFileSync(control, 'utf8'))) writeFileSync(control, '+cpu');
    dir = join(dir, name);
    mkdirSync(dir, { recursive: true });
  }
}

/** Sets the weight of the group against its neighbours: the lowest there is, or the kernel's default. */
export function setWeight(tree: CgroupTree, path: string, lowest: boolean): void {
  if (tree.version === 1) {
    writeFileSync(join(tree.root, 'cpu', path, 'cpu.shares'), lowest ? '2' : '1024');
    return;
  }
  const idle = join(tree.root, path, 'cpu.idle');
  const hasIdle = readIfThere(idle) !== undefined;
  // An idle group refuses any weight, hence this order.
  if (hasIdle) writeFileSync(idle, lowest ? '1' : '0');
  if (!hasIdle || !lowest) writeFileSync(join(tree.root, path, 'cpu.weight'), lowest ? '1' : '100');
}

/** The weight in force in the kernel's own words; undefined when the group or its CPU controller is missing. */
export function readWeight(tree: CgroupTree, path: string): Weight | undefined {
  if (tree.version === 1) {
    const shares = readIfThere(join(tree.root, 'cpu', path, 'cpu.shares'))?.trim();
    return shares === undefined ? undefined : { lowest: shares === '2', text: `cpu.shares ${shares}` };
  }
  if (readIfThere(join(tree.root, path, 'cpu.idle'))?.trim() === '1') return { lowest: true, text: 'cpu.idle 1' };
  const weight = readIfThere(join(tree.root, path, 'cpu.weight'))?.trim();
  return weight === undefined ? undefined : { lowest: weight === '1', text: `cpu.weight ${weight}` };
}

/** Which kind of tree is mounted at `root`; version 1 also where both are (then the CPU controller is in version 1). */
export function detectCgroupTree(root: string): CgroupTree {
  return { root, version: readIfThere(join(root, 'cpuacct', 'cpuacct.usage')) === undefined ? 2 : 1 };
}

/** The text of a file of the kernel; undefined where there is none to be had. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
