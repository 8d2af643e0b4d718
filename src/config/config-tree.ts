import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, readCapped, unreadable } from './capped-file.js';
import { BASE_FILE, HOSTS_FOLDER, layerFiles, type ConfigText } from './layers.js';
import { ConfigSourceError } from './source.js';

/** The most a file of the configuration may hold. */
export const MAX_FILE_BYTES = 256 * 1024;

/** A host belongs to a few groups at most, and each file is read and judged by itself. */
const MOST_LAYERS = 20;

/** The files for a host, as `layerFiles` finds them. Throws a `ConfigSourceError` where far too many are. `revision`: they are of this one. */
export function hostFiles(paths: Iterable<string>, hostname: string, revision?: string): readonly string[] {
  const files = layerFiles(paths, hostname);
  if (files.length <= MOST_LAYERS) return files;
  const why = `${files.length} files are for this host, and ${MOST_LAYERS} are the most`;
  throw new ConfigSourceError('rejected', `${HOSTS_FOLDER}: ${why}; put what they say into fewer files.`, revision);
}

export interface TreeOptions {
  readonly confDir: string;
  readonly hostname: string;
  /** False where the tree was written by somebody else's commits: a link could then point at any file of the host. */
  readonly followLinks: boolean;
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
    const text = await readCapped(join(confDir, file), { followLinks, maxBytes: MAX_FILE_BYTES });
    if (text !== undefined) layers.push({ file, text });
  }
  return layers;
}

/** Reads the files of a folder that make up the configuration of this host. Rejects with `ConfigSourceError`. */
export async function readConfigTree(options: TreeOptions): Promise<ConfigText[]> {
  return readLayers(options, hostFiles([BASE_FILE, ...(await overrideFiles(options))], options.hostname));
}
