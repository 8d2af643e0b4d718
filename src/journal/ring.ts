import { constants } from 'node:fs';
import { mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';

/** Of the room that a ring may take; the oldest part goes as a whole. */
const PARTS = 8;
/** What waits for a slow disk, in characters; more is lost. */
const MOST_WAITING = 1_000_000;
/** After a failure nothing is tried for so long. */
const PAUSE_MS = 10_000;
const PART_NAME = /^\d{8}\.jsonl$/;

export interface RingLimits {
  readonly bytes: number;
  readonly ageMs: number;
}

export interface RingOptions {
  /** Made if it is missing; what lies above it is there and ours. */
  readonly folder: string;
  readonly clock: Clock;
  /** Told once when lines begin to be lost, and once when they are not any more. Must not throw. */
  readonly onTrouble: (message: string) => void;
}

/** Lines in files that are never more than a number of bytes together, nor older than an age. Never rejects or throws. */
export interface Ring {
  /** Returns at once. `limits`: as they are now; with no bytes nothing is kept. */
  add(line: string, limits: RingLimits): void;
  /** Resolves when all that waits is written, or when `deadlineMs` are over. */
  close(deadlineMs: number): Promise<void>;
}

/** Names of the parts of a ring, the oldest first. Rejects with the error of the system. */
export async function partsOf(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => PART_NAME.test(name)).sort();
}

function nameOf(number: number): string {
  return `${String(number).padStart(8, '0')}.jsonl`;
}

/** Opens a part to append to; what a killed daemon has left of a line is closed. */
async function openPart(file: string): Promise<Part> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    const about = await handle.stat();
    if (!about.isFile() || about.nlink > 1) throw new Error(`${file} is not a file of its own`);
    if (about.size === 0) return { handle, bytes: 0 };
    const last = Buffer.alloc(1);
    await handle.read(last, 0, 1, about.size - 1);
    if (last.toString() === '\n') return { handle, bytes: about.size };
    await handle.appendFile('\n');
    return { handle, bytes: about.size + 1 };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface Part {
  readonly handle: FileHandle;
  bytes: number;
}

class FileRing implements Ring {
  readonly #options: RingOptions;
  #limits: RingLimits = { bytes: 0, ageMs: 0 };
  #waiting: string[] = [];
  #waitingLength = 0;
  #writing: Promise<void> | undefined;
  #part: Part | undefined;
  /** Lines, since one could be written last. */
  #lost = 0;
  #restsUntilMs = -Infinity;

  constructor(options: RingOptions) {
    this.#options = options;
  }

  add(line: string, limits: RingLimits): void {
    this.#limits = limits;
    if (limits.bytes === 0) return;
    if (this.#waitingLength + line.length > MOST_WAITING) {
      this.#lose(1, 'the disk is too slow');
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length + 1;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async close(deadlineMs: number): Promise<void> {
    const closed = (async () => {
      await this.#writing;
      await this.#part?.handle.close().catch(() => undefined);
    })();
    await Promise.race([closed, this.#options.clock.sleep(deadlineMs)]);
  }

  #lose(lines: number, why: string): void {
    if (this.#lost === 0) this.#options.onTrouble(`what happens is not kept for a while: ${why}`);
    this.#lost += lines;
  }

  #recover(): void {
    if (this.#lost > 0) this.#options.onTrouble(`what happens is kept again; ${this.#lost} events are missing`);
    this.#lost = 0;
  }

  /** Of what waits as much as makes a part, or one line. */
  #take(most: number): readonly string[] {
    let length = 0;
    const count = this.#waiting.findIndex((line) => (length += line.length + 1) > most);
    const taken = this.#waiting.splice(0, count < 0 ? this.#waiting.length : Math.max(1, count));
    this.#waitingLength -= taken.reduce((sum, line) => sum + line.length + 1, 0);
    return taken;
  }

  /** One write at a time. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#take(this.#limits.bytes / PARTS);
      try {
        await this.#append(`${lines.join('\n')}\n`);
        this.#recover();
      } catch (error) {
        this.#restsUntilMs = this.#options.clock.now().monoMs + PAUSE_MS;
        this.#lose(lines.length, error instanceof Error ? error.message : String(error));
        await this.#part?.handle.close().catch(() => undefined);
        this.#part = undefined;
      }
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#options.clock.now().monoMs < this.#restsUntilMs) throw new Error('it is not tried again yet');
    const part = await this.#partToUse();
    await part.handle.appendFile(text);
    part.bytes += Buffer.byteLength(text);
  }

  async #partToUse(): Promise<Part> {
    const { folder } = this.#options;
    const most = this.#limits.bytes / PARTS;
    if (this.#part !== undefined && this.#part.bytes < most) return this.#part;
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    const newest = Number((await partsOf(folder)).at(-1)?.slice(0, 8) ?? 0);
    const before = this.#part;
    const number = before === undefined ? newest : newest + 1;
    this.#part = await openPart(join(folder, nameOf(number)));
    await before?.handle.close();
    await this.#forget();
    return this.#part.bytes < most ? this.#part : this.#partToUse();
  }

  /** Takes away what is too much or too old. */
  async #forget(): Promise<void> {
    const { folder, clock } = this.#options;
    const parts = await partsOf(folder);
    const sizes = await Promise.all(parts.map(async (name) => ({ name, about: await stat(join(folder, name)) })));
    let total = sizes.reduce((sum, { about }) => sum + about.size, 0);
    const oldestMs = clock.now().wallMs - this.#limits.ageMs;
    for (const { name, about } of sizes.slice(0, -1)) {
      // The part that is being written grows until it is one, and by another one at most with the last write.
      const isTooMuch = total > this.#limits.bytes * (1 - 2 / PARTS);
      if (!isTooMuch && about.mtimeMs >= oldestMs) break;
      await unlink(join(folder, name));
      total -= about.size;
    }
  }
}

export function createRing(options: RingOptions): Ring {
  return new FileRing(options);
}
