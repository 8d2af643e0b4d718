import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSafe, unsafePath } from './safe-path.js';

/**
 * What is in a file that only root and `uid` can change; a text: why it cannot be trusted, as the end of a sentence. Rejects with the error of
 * the system.
 */
export async function readTrustedFile(file: string, uid: number, mostBytes: number): Promise<Buffer | string> {
  const folder = dirname(file);
  const about = await lstat(folder);
  if (!isSafe(about, uid)) return `is in ${folder}, where others than root may write`;
  // Who may change a folder above can put another one in its place.
  const above = await unsafePath(folder, uid);
  if (above !== undefined) return `cannot be trusted: ${above}`;
  // Not blocking: a pipe in its place must not hold us up.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return 'is not a file';
    if (!isSafe(stats, uid)) return 'can be changed by others than root; chown root and chmod go-w it';
    if (stats.size > mostBytes) return `holds more than ${mostBytes / 1024} KiB`;
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
