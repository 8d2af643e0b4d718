import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BASE_FILE, HOSTS_FOLDER, layerFiles, type ConfigText } from './layers.js';
import { ConfigSourceError } from './source.js';

/** The most a file of the configuration may hold. */
export const MAX_FILE_BYTES = 256 * 1024;

export interface TreeOptions {
  readonly confDir: string;
  readonly hostname: string;
  /** False where the tree was written by somebody else's commits: a link could then point at any file of the host. */
  readonly followLinks: boolean;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function unreadable(path: string, error: unknown): ConfigSourceError {
  const code = codeOf(error);
  const cures: Record<string, string> = {
    ELOOP: 'it is a symbolic link, which a repository may not use here; replace it by what it points to',
    ENOTDIR: 'it is not a folder; rename it',
    EISDIR: 'it is a folder; rename it',
  };
  const cure = cures[code] ?? `make it readable (${code})`;
  return new ConfigSourceError('broken', `Cannot read ${path}: ${cure}.`);
}

/** Undefined when there is no such file. The size is capped on what is read, not on what a file claims to hold. */
async function readCapped(path: string, followLinks: boolean): Promise<string | undefined> {
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
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let bytes = 0;
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) {
      read = (await file.read(buffer, bytes, buffer.length - bytes)).bytesRead;
    }
    if (bytes > MAX_FILE_BYTES) throw tooBig(path);
    return buffer.toString('utf8', 0, bytes);
  } catch (error) {
    throw error instanceof ConfigSourceError ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
}

function tooBig(path: string): ConfigSourceError {
  return new ConfigSourceError('broken', `Cannot use ${path}: it holds more than ${MAX_FILE_BYTES / 1024} KiB.`);
}

async function overrideFiles({ confDir, followLinks }: TreeOptions): Promise<string[]> {
  const folder = join(confDir, HOSTS_FOLDER);
  try {
    // The names found are opened without following links, too, so a link put here meanwhile gains nothing.
    if (!followLinks && (await lstat(folder)).isSymbolicLink()) throw Object.assign(new Error(), { code: 'ELOOP' });
    return (await readdir(folder)).map((name) => `${HOSTS_FOLDER}/${name}`);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw unreadable(folder, error);
  }
}

/** Reads the named files of a folder, leaving out what is not there. Rejects with `ConfigSourceError`. */
export async function readLayers(
  { confDir, followLinks }: TreeOptions,
  files: readonly string[],
): Promise<ConfigText[]> {
  const layers: ConfigText[] = [];
  for (const file of files) {
    const text = await readCapped(join(confDir, file), followLinks);
    if (text !== undefined) layers.push({ file, text });
  }
  return layers;
}

/** Reads the files of a folder that make up the configuration of this host. Rejects with `ConfigSourceError`. */
export async function readConfigTree(options: TreeOptions): Promise<ConfigText[]> {
  return readLayers(options, layerFiles([BASE_FILE, ...(await overrideFiles(options))], options.hostname));
}
