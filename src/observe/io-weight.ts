import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere, type CgroupTree, type Weight } from './cgroup-tree.js';

/** The files that carry a weight for disks, each with its lowest and its default value. A kernel has none, one or two of them. */
const weightFiles = {
  1: [
    { name: 'blkio.weight', lowest: 10, usual: 500 },
    { name: 'blkio.bfq.weight', lowest: 1, usual: 100 },
  ],
  2: [
    { name: 'io.weight', lowest: 1, usual: 100 },
    { name: 'io.bfq.weight', lowest: 1, usual: 100 },
  ],
} as const;

function folderOf(tree: CgroupTree, path: string): string {
  return tree.version === 1 ? join(tree.root, 'blkio', path) : join(tree.root, path);
}

/**
 * Sets the weight of the group for disks against its neighbours: the lowest there is, or the kernel's default. As far as the
 * kernel offers one and lets us: a group that waits its turn for the CPU only is better than none.
 */
export function setIoWeight(tree: CgroupTree, path: string, lowest: boolean): void {
  try {
    offerIoWeight(tree, path);
  } catch {
    // Where it may not be switched on it may be on already.
  }
  for (const file of weightFiles[tree.version]) {
    const place = join(folderOf(tree, path), file.name);
    try {
      if (readIfThere(place) !== undefined) writeFileSync(place, String(lowest ? file.lowest : file.usual));
    } catch {
      // readIoWeight tells what is in force.
    }
  }
}

/** Makes the group in the tree of the I/O controller (version 1), or switches that controller on for it (version 2). */
function offerIoWeight(tree: CgroupTree, path: string): void {
  if (tree.version === 1) {
    // Not to be made where there is no such tree.
    if (readIfThere(join(tree.root, 'blkio', 'cgroup.procs')) === undefined) return;
    mkdirSync(folderOf(tree, path), { recursive: true });
    return;
  }
  const above = join(tree.root, path, '..');
  const has = (file: string) => /\bio\b/.test(readFileSync(join(above, file), 'utf8'));
  if (has('cgroup.controllers') && !has('cgroup.subtree_control')) {
    writeFileSync(join(above, 'cgroup.subtree_control'), '+io');
  }
}

/** The weights for disks in force, in the kernel's own words; undefined where it offers none. */
export function readIoWeight(tree: CgroupTree, path: string): Weight | undefined {
  const found = weightFiles[tree.version].flatMap(({ name, lowest }) => {
    const weight = /^(?:default )?(\d+)$/m.exec(readIfThere(join(folderOf(tree, path), name)) ?? '')?.[1];
    return weight === undefined ? [] : [{ lowest: Number(weight) === lowest, text: `${name} ${weight}` }];
  });
  if (found.length === 0) return undefined;
  return { lowest: found.every((weight) => weight.lowest), text: found.map(({ text }) => text).join(', ') };
}
