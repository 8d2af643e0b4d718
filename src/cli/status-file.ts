import { join } from 'node:path';
import type { Status } from '../report/status.js';
import { isStatus } from '../report/status-shape.js';
import { readOwnFile } from './own-files.js';
import { removeFile } from './remove-file.js';
import { removeDrafts, writeFileAtomic } from './write-file-atomic.js';

/** What is said of a daemon that runs and has left no status, or none that can be read. */
export const NO_STATUS = 'is starting, or of another version';

/** More than any number of pilots needs. */
const mostBytes = 64 * 1024 * 1024;

function statusFile(runDir: string): string {
  return join(runDir, 'status.json');
}

/** Leaves the state of the daemon for `status`, whole or not at all. Throws what the file system says. */
export function writeStatusFile(runDir: string, status: Status): void {
  writeFileAtomic(statusFile(runDir), `${JSON.stringify(status)}\n`, 0o644);
}

/** What the daemon left last; undefined when there is nothing (readable). */
export function readStatusFile(runDir: string): Status | undefined {
  try {
    const status: unknown = JSON.parse(readOwnFile(statusFile(runDir), mostBytes));
    return isStatus(status) ? status : undefined;
  } catch {
    return undefined;
  }
}

/** With what a daemon that was killed while writing has left of it. Throws a CliError (73) where something else has its place. */
export function removeStatusFile(runDir: string): void {
  removeDrafts(statusFile(runDir));
  removeFile(statusFile(runDir), 'the status file', 'choose another run directory with --rundir');
}
