import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes what a git that failed or was killed left half written among its objects, so that a server that sends rubbish again and again
 * fills no disk. `isOurs`: by the time it was last written, ms since 1970. Never rejects: the next try sees the rest.
 */
export async function removeLeftovers(objectsDir: string, isOurs: (mtimeMs: number) => boolean): Promise<void> {
  const folders = await readdir(objectsDir).catch(() => []);
  for (const folder of folders.filter((name) => name === 'pack' || /^[0-9a-f]{2}$/.test(name))) {
    const names = await readdir(join(objectsDir, folder)).catch(() => []);
    for (const name of names.filter((each) => each.startsWith('tmp_'))) {
      const path = join(objectsDir, folder, name);
      const mtimeMs = (await stat(path).catch(() => undefined))?.mtimeMs;
      if (mtimeMs !== undefined && isOurs(mtimeMs)) await rm(path, { force: true }).catch(() => undefined);
    }
  }
}
