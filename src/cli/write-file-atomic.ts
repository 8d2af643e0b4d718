import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeFileSync, fchmodSync } from 'node:fs';

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
