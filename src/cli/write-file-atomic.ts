import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Readers see the old content or the new one, never a part. `mode` holds whatever the umask. Throws what the file system says. */
export function writeFileAtomic(file: string, text: string, mode: number): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const fd = openSync(draft, 'wx', 0o600);
  try {
    fchmodSync(fd, mode);
    writeFileSync(fd, text);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Removes what writers that were killed half-way have left; what cannot be removed stays. Only for who alone writes `file`. */
export function removeDrafts(file: string): void {
  const prefix = `${basename(file)}.`;
  try {
    for (const name of readdirSync(dirname(file))) {
      if (name.startsWith(prefix) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length))) {
        rmSync(join(dirname(file), name));
      }
    }
  } catch {
    // Whoever cannot write here learns it when it matters.
  }
}
