import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ConfigSourceError } from './source.js';

export interface CappedFileOptions {
  readonly followLinks: boolean;
  readonly maxBytes: number;
}

/** The `code` of a failed system call, or whatever else there is to say. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** What to tell people of a file or folder that cannot be read, and how to mend it. */
export function unreadable(path: string, error: unknown): ConfigSourceError {
  const code = codeOf(error);
  const cures: Record<string, string> = {
    ELOOP: 'it is a symbolic link, which a repository may not use here; replace it by what it points to',
    ENOTDIR: 'it is not a folder; rename it',
    EISDIR: 'it is a folder; rename it',
  };
  const cure = cures[code] ?? `make it readable (${code})`;
  return new ConfigSourceError('broken', `Cannot read ${path}: ${cure}.`);
}

function tooBig(path: string, maxBytes: number): ConfigSourceError {
  return new ConfigSourceError('broken', `Cannot use ${path}: it holds more than ${maxBytes / 1024} KiB.`);
}

/**
 * The text of a file; undefined when there is none. The size is capped on what is read, not on what a file claims to hold.
 * Rejects with `ConfigSourceError`.
 */
export async function readCapped(
  path: string,
  { followLinks, maxBytes }: CappedFileOptions,
): Promise<string | undefined> {
  // Not blocking: a pipe in the place of a file must not hold us up.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW);
  let file;
  try {
    file = await open(path, flags);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  try {
    if (!(await file.stat()).isFile()) throw new ConfigSourceError('broken', `Cannot use ${path}: it is not a file.`);
    const buffer = Buffer.alloc(maxBytes + 1);
    let bytes = 0;
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) {
      read = (await file.read(buffer, bytes, buffer.length - bytes)).bytesRead;
    }
    if (bytes > maxBytes) throw tooBig(path, maxBytes);
    return buffer.toString('utf8', 0, bytes);
  } catch (error) {
    throw error instanceof ConfigSourceError ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
}
