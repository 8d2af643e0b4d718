import { createHash, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** As it can stand in a request; shorter ones can be guessed. */
const TOKEN = /^[\x21-\x7e]{16,}$/;
const MOST_BYTES = 4096;

/** The token in a file that nobody but root and `uid` can read; undefined: there is none that can be relied on. */
async function readToken(file: string, uid: number): Promise<string | undefined> {
  // Not blocking: a pipe in its place must not hold us up.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    const isOurs = stats.uid === 0 || stats.uid === uid;
    if (!stats.isFile() || !isOurs || (stats.mode & 0o077) !== 0 || stats.size > MOST_BYTES) return undefined;
    const token = (await handle.readFile('utf8')).trim();
    return TOKEN.test(token) ? token : undefined;
  } finally {
    await handle.close();
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Compares what somebody shows with the token in a file; `unknown`: the host has none. The file has to be root's or `uid`'s, mode 0600 or less.
 * Never rejects.
 */
export async function checkToken(file: string, uid: number, shown: string): Promise<'right' | 'wrong' | 'unknown'> {
  const token = file === 'none' ? undefined : await readToken(file, uid).catch(() => undefined);
  if (token === undefined) return 'unknown';
  // As long for a good guess as for a bad one.
  return timingSafeEqual(digest(token), digest(shown)) ? 'right' : 'wrong';
}
