import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readConfigTree } from './config-tree.js';
import type { ConfigText } from './layers.js';
import { ConfigSourceError, type ConfigSource } from './source.js';

export interface DirectorySourceOptions {
  readonly confDir: string;
  readonly hostname: string;
}

/** Names a configuration by its content, where no commit does. */
export function contentId(layers: readonly ConfigText[]): string {
  const hash = createHash('sha256');
  for (const { file, text } of layers) hash.update(JSON.stringify([file, text]));
  return `dir-${hash.digest('hex').slice(0, 12)}`;
}

/** A folder without git: the administrator edits it in place, so what is there is always the newest. */
export function createDirectorySource({ confDir, hostname }: DirectorySourceOptions): ConfigSource {
  return {
    describe: () => `the folder ${confDir}`,
    current: async () => {
      try {
        // A missing folder is no configuration, not an empty one: it may be a mount that is late.
        if (!(await stat(confDir)).isDirectory()) throw new Error('not a folder');
      } catch (error) {
        const why = error instanceof Error && 'code' in error ? String(error.code) : 'not a folder';
        throw new ConfigSourceError('broken', `Cannot read the configuration folder ${confDir} (${why}): create it.`);
      }
      const layers = await readConfigTree({ confDir, hostname, followLinks: true });
      return { id: contentId(layers), layers };
    },
    unedited: () => Promise.resolve(undefined),
    candidate: () => Promise.resolve(undefined),
    accept: () => Promise.resolve(),
  };
}
