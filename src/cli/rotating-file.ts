import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { refuseForeignFile } from './own-files.js';

/** How large a file may grow, and how many old ones (`.1` is the youngest) are kept. */
export interface Rotation {
  readonly maxBytes: number;
  readonly keep: number;
}

/**
 * A log file that is written at once, so that nothing is lost however the process ends. A line that cannot be written
 * (full disk) is dropped: logging must not hurt; the next line is tried again.
 */
export class RotatingFile {
  readonly #file: string;
  readonly #rotation: Rotation;
  #fd: number;
  #bytes: number;

  /** Throws what the file system says if the file cannot be opened. */
  constructor(file: string, rotation: Rotation) {
    this.#file = file;
    this.#rotation = rotation;
    this.#fd = openForAppend(file);
    this.#bytes = fstatSync(this.#fd).size;
  }

  write(line: string): void {
    try {
      if (this.#bytes >= this.#rotation.maxBytes) this.#rotate();
      this.#bytes += writeSync(this.#fd, line);
    } catch {
      // See above.
    }
  }

  /** Goes on in a new file of the same name, after somebody has moved the old one away. */
  reopen(): void {
    try {
      const fd = openForAppend(this.#file);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#bytes = fstatSync(fd).size;
    } catch {
      // The old file is as good as none.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    for (let index = this.#rotation.keep; index > 0; index -= 1) {
      const older = `${this.#file}.${index}`;
      const newer = index === 1 ? this.#file : `${this.#file}.${index - 1}`;
      try {
        renameSync(newer, older);
      } catch {
        // Not that many yet.
      }
    }
    this.reopen();
  }
}

function openForAppend(file: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Not blocking: a pipe in its place must not hold us up.
  const fd = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
  try {
    refuseForeignFile(fd, file);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
