import { constants } from 'node:fs';
import { mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { TellTrouble } from '../report/event.js';

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
  /** Told once when lines begin to be lost, and once when they are not any more. */
  readonly onTrouble: TellTrouble;
}

/** Lines in files that are never more than a number of bytes together, nor older than an age and an eighth. Never rejects or throws. */
export interface Ring {
  /** Returns at once. `limits`: as they are now; with no bytes nothing is kept. */
  add(line: string, limits: RingLimits): void;
  /** Why lines are being lost; undefined: they are not. */
  readonly trouble: string | undefined;
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
async function openPart(file: string, nowMs: number): Promise<Part> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    const about = await handle.stat();
    if (!about.isFile() || about.nlink > 1) throw new Error(`${file} is not a file of its own`);
    if (about.size === 0) return { handle, sinceMs: nowMs, bytes: 0 };
    // Some file systems do not know when a file was made.
    const sinceMs = about.birthtimeMs > 0 ? about.birthtimeMs : about.mtimeMs;
    const last = Buffer.alloc(1);
    await handle.read(last, 0, 1, about.size - 1);
    if (last.toString() === '\n') return { handle, sinceMs, bytes: about.size };
    await handle.appendFile('\n');
    return { handle, sinceMs, bytes: about.size + 1 };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface Part {
  readonly handle: FileHandle;
  readonly sinceMs: number;
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
  #trouble: string | undefined;
  #restsUntilMs = -Infinity;
  #cleared = false;

  constructor(options: RingOptions) {
    this.#options = options;
  }

  add(line: string, limits: RingLimits): void {
    this.#limits = limits;
    if (limits.bytes === 0) {
      [this.#waiting, this.#waitingLength] = [[], 0];
      if (!this.#cleared) this.#writing ??= this.#clear();
      return;
    }
    this.#cleared = false;
    if (this.#waitingLength + line.length > MOST_WAITING) {
      this.#lose(1, 'the disk is too slow');
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length + 1;
    this.#writing ??= this.#write();
  }

  async close(deadlineMs: number): Promise<void> {
    const closed = (async () => {
      await this.#writing;
      await this.#closePart();
    })();
    await Promise.race([closed, this.#options.clock.sleep(deadlineMs)]);
  }

  #lose(lines: number, why: string): void {
    if (this.#lost === 0) this.#options.onTrouble(`what happens is not kept for a while: ${why}`);
    this.#trouble = why;
    this.#lost += lines;
  }

  #recover(): void {
    if (this.#lost > 0) this.#options.onTrouble(`what happens is kept again; ${this.#lost} events are missing`, true);
    this.#lost = 0;
    this.#trouble = undefined;
  }

  get trouble(): string | undefined {
    return this.#trouble;
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
      const { bytes, ageMs } = this.#limits;
      const lines = this.#take(bytes / PARTS);
      try {
        await this.#append(`${lines.join('\n')}\n`, { bytes, ageMs });
        this.#recover();
      } catch (error) {
        this.#restsUntilMs = this.#options.clock.now().monoMs + PAUSE_MS;
        this.#lose(lines.length, error instanceof Error ? error.message : String(error));
        await this.#closePart();
      }
    }
    // Not later: a line that comes in between would wait for the next one.
    this.#writing = undefined;
  }

  async #append(text: string, limits: RingLimits): Promise<void> {
    if (this.#options.clock.now().monoMs < this.#restsUntilMs) throw new Error('it is not tried again yet');
    const part = await this.#partToUse(limits);
    await part.handle.appendFile(text);
    part.bytes += Buffer.byteLength(text);
  }

  async #partToUse(limits: RingLimits): Promise<Part> {
    if (this.#part !== undefined && !this.#isFull(this.#part, limits)) return this.#part;
    const { folder, clock } = this.#options;
    const { wallMs } = clock.now();
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    const newest = Number((await partsOf(folder)).at(-1)?.slice(0, 8) ?? 0);
    const known = this.#part === undefined ? await openPart(join(folder, nameOf(newest)), wallMs) : undefined;
    if (known !== undefined && !this.#isFull(known, limits)) this.#part = known;
    else {
      await known?.handle.close();
      await this.#closePart();
      this.#part = await openPart(join(folder, nameOf(newest + 1)), wallMs);
    }
    await this.#forget(limits);
    return this.#part;
  }

  /** Of so many bytes, or so old, that it goes as a whole before it is much too old. */
  #isFull({ bytes, sinceMs }: Part, limits: RingLimits): boolean {
    const { wallMs } = this.#options.clock.now();
    return bytes > 0 && (bytes >= limits.bytes / PARTS || wallMs - sinceMs >= limits.ageMs / PARTS);
  }

  async #closePart(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    await part?.handle.close().catch(() => undefined);
  }

  /** Takes away what is too much or too old. */
  async #forget({ bytes, ageMs }: RingLimits): Promise<void> {
    const { folder, clock } = this.#options;
    const parts = await partsOf(folder);
    const sizes = await Promise.all(parts.map(async (name) => ({ name, about: await stat(join(folder, name)) })));
    let total = sizes.reduce((sum, { about }) => sum + about.size, 0);
    const oldestMs = clock.now().wallMs - ageMs;
    for (const { name, about } of sizes.slice(0, -1)) {
      // The part that is being written grows until it is one, and by another one at most with the last write.
      const isTooMuch = total > bytes * (1 - 2 / PARTS);
      if (!isTooMuch && about.mtimeMs >= oldestMs) break;
      await unlink(join(folder, name));
      total -= about.size;
    }
  }

  /** Nothing is to be kept any more: what was goes, or stays where it cannot be removed. */
  async #clear(): Promise<void> {
    const { folder } = this.#options;
    await this.#closePart();
    try {
      for (const name of await partsOf(folder)) await unlink(join(folder, name));
    } catch {
      // There is none, mostly.
    }
    this.#cleared = true;
    this.#writing = undefined;
  }
}

export function createRing(options: RingOptions): Ring {
  return new FileRing(options);
}
