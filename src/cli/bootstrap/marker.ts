import { mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../write-file-atomic.js';

/** What bootstrap made on this host, so that it can take it back and never touches what others made. */
export interface Marker {
  readonly confDir: string;
  /** The inode of that folder: another folder of the same name is not ours. */
  readonly inode: number;
  readonly made:
    | { readonly from: 'repository'; readonly url: string; readonly branch?: string }
    | { readonly from: 'dryrun'; readonly sha256: string };
}

function markerFile(stateDir: string): string {
  return join(stateDir, 'bootstrap.json');
}

/** The marker; undefined where bootstrap made nothing (or nobody can tell any more). */
export function readMarker(stateDir: string): Marker | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(markerFile(stateDir), 'utf8'));
    return isMarker(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMarker(value: unknown): value is Marker {
  if (typeof value !== 'object' || value === null || !('confDir' in value) || !('made' in value)) return false;
  const { made } = value;
  return typeof made === 'object' && made !== null && 'from' in made;
}

/** Throws what the file system says. */
export function writeMarker(stateDir: string, marker: Marker): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeFileAtomic(markerFile(stateDir), `${JSON.stringify(marker)}\n`, 0o600);
}

export function removeMarker(stateDir: string): void {
  rmSync(markerFile(stateDir), { force: true });
  try {
    rmdirSync(stateDir);
  } catch {
    // There is more in it, which is the daemon's.
  }
}
