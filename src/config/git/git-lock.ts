import { rm, stat } from 'node:fs/promises';
import { sep } from 'node:path';

export interface LockRules {
  /** The folder git keeps its data in; nothing outside is ever removed. */
  readonly gitDir: string;
  readonly nowWallMs: number;
  /** When this process began: an older lock is none of ours. */
  readonly startedWallMs: number;
  /** How long a git command may run: one that was orphaned gets as long to end. */
  readonly graceMs: number;
}

/** The lock file git complains about, if that is what the message is about. */
export function lockOf(message: string): string | undefined {
  return /Unable to create '([^']+\.lock)': File exists/.exec(message)?.[1];
}

/**
 * Removes a lock that a killed git left behind; false when it may still be in use. The caller is the only one that
 * writes to this clone by itself, so a lock from before its start belongs to its dead predecessor.
 */
export async function removeStaleLock(path: string, rules: LockRules): Promise<boolean> {
  if (!path.startsWith(rules.gitDir + sep)) return false;
  const mtimeMs = await stat(path).then(
    (stats) => stats.mtimeMs,
    () => undefined,
  );
  if (mtimeMs === undefined) return true;
  if (mtimeMs >= rules.startedWallMs || rules.nowWallMs - mtimeMs < rules.graceMs) return false;
  await rm(path, { force: true });
  return true;
}
