import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

/** Whoever may change what is ours: we, and root, who may do anything. */
function isOurs({ uid }: Pick<Stats, 'uid'>): boolean {
  return uid === 0 || uid === process.getuid?.();
}

/** From the top of the tree to `path` itself. */
function stepsTo(path: string): readonly string[] {
  return path === '/' ? ['/'] : [...stepsTo(dirname(path)), path];
}

function whyUnsafe(path: string): string | undefined {
  for (const step of stepsTo(path)) {
    const found = lstatSync(step);
    if (!isOurs(found)) return `${step} belongs to somebody else (user ${found.uid})`;
    // In a folder like /tmp what is ours stays where it is, but new names may be taken by anybody.
    const keepsOurs = step !== path && (found.mode & 0o1000) !== 0;
    if (found.isDirectory() && (found.mode & 0o002) !== 0 && !keepsOurs) return `everybody may write to ${step}`;
  }
  return undefined;
}

/**
 * Why others could put files of theirs, or links, where ours are to be in `folder`; undefined: only its owner's group, root and we could.
 * Throws what the file system says.
 */
export function unsafeFolder(folder: string): string | undefined {
  // Both the way there, which may have links, and where it leads to.
  return whyUnsafe(folder) ?? whyUnsafe(realpathSync(folder));
}

/** Why an open file is not what we take it for; undefined: it is. With a second name it may be anything, also of root's. */
export function whyForeign(fd: number): string | undefined {
  const found = fstatSync(fd);
  // Devices are made by root alone.
  if (!found.isFile() && !found.isCharacterDevice()) return 'is no file';
  if (!isOurs(found)) return `belongs to somebody else (user ${found.uid})`;
  return found.nlink > 1 ? 'has a second name' : undefined;
}

/** Throws an error with the code `EINVAL` where an open file is not ours. */
export function refuseForeignFile(fd: number, file: string): void {
  const why = whyForeign(fd);
  if (why !== undefined) throw Object.assign(new Error(`${file} ${why}`), { code: 'EINVAL' });
}

/** The text of a file of ours. Throws what the file system says, and for a link, a pipe, a file of somebody else or a larger one. */
export function readOwnFile(file: string, maxBytes: number): string {
  // Not blocking: a pipe in its place must not hold us up.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    refuseForeignFile(fd, file);
    if (fstatSync(fd).size > maxBytes) throw new Error(`${file} holds more than ${maxBytes} bytes`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
