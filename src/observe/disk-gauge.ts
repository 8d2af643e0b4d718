import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Clock } from '../clock.js';
import type { DiskSpace } from '../model.js';
import { withDeadline } from './deadline.js';

const deadlineMs = 5000;

/** What is used of the answer of statfs(2). */
type FileSystem = Pick<StatsFs, 'bsize' | 'blocks' | 'bavail' | 'files' | 'ffree'>;

/**
 * Tells the room on the file system that holds a path; rejects after five seconds. A file system that does not answer (a dead network
 * mount) keeps a thread of this process waiting, and there are few of these: it is not asked again before it has answered.
 */
export function createDiskGauge(
  clock: Clock,
  stat: (path: string) => Promise<FileSystem> = statfs,
): (path: string) => Promise<DiskSpace> {
  const asked = new Map<string, Promise<DiskSpace>>();
  const ask = (path: string) =>
    stat(path)
      .then(toDiskSpace)
      .finally(() => asked.delete(path));
  return (path) => {
    const asking = asked.get(path) ?? ask(path);
    asked.set(path, asking);
    return withDeadline(clock, deadlineMs, `asking for the free space of ${path}`, asking);
  };
}

function toDiskSpace(disk: FileSystem): DiskSpace {
  return {
    freeBytes: disk.bavail * disk.bsize,
    totalBytes: disk.blocks * disk.bsize,
    freeInodes: disk.ffree,
    totalInodes: disk.files,
  };
}
