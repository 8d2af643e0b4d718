import { createHash, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Clock } from '../clock.js';

/** As it can stand in a request; shorter ones can be guessed. */
const TOKEN = /^[\x21-\x7e]{16,}$/;
const MOST_BYTES = 4096;
const LONGEST_READ_MS = 2000;

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

/** The token of one host, compared with what others show. */
export class HostToken {
  readonly #clock: Clock;
  readonly #readFile: (file: string) => Promise<string | undefined>;
  #reading: { readonly file: string; readonly token: Promise<string | undefined> } | undefined;

  /** `uid`: whose file it may be, besides root's. */
  constructor(clock: Clock, uid: number, read = readToken) {
    this.#clock = clock;
    this.#readFile = (file) => read(file, uid);
  }

  /** `unknown`: the host has none, or it cannot be read in time. The file has to be of mode 0600 or less. Never rejects. */
  async check(file: string, shown: string): Promise<'right' | 'wrong' | 'unknown'> {
    const token = file === 'none' ? undefined : await this.#inTime(this.#read(file));
    if (token === undefined) return 'unknown';
    // As long for a good guess as for a bad one.
    return timingSafeEqual(digest(token), digest(shown)) ? 'right' : 'wrong';
  }

  /** One at a time, however many ask: what hangs on a file server takes a thread away from all other files. */
  #read(file: string): Promise<string | undefined> {
    if (this.#reading?.file === file) return this.#reading.token;
    const token = this.#readFile(file).catch(() => undefined);
    const reading = { file, token };
    this.#reading = reading;
    void token.then(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    return token;
  }

  async #inTime(token: Promise<string | undefined>): Promise<string | undefined> {
    const read = new AbortController();
    const late = this.#clock.sleep(LONGEST_READ_MS, read.signal).then(() => undefined);
    const found = await Promise.race([token, late]);
    read.abort();
    return found;
  }
}
