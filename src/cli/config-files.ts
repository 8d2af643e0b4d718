import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readConfigTree, readLayers } from '../config/config-tree.js';
import type { ConfigText } from '../config/layers.js';
import { CliError, exitCodes } from './exit-codes.js';

/** The files that make up the configuration of a host in a folder. Rejects with a ConfigSourceError. */
export function readConfigFolder(confDir: string, hostname: string): Promise<ConfigText[]> {
  // Links in a repository could point at any file of the host; those in a folder of one's own are one's own.
  const followLinks = !existsSync(join(confDir, '.git'));
  return readConfigTree({ confDir, hostname, followLinks });
}

/** One file on its own, called as the user called it. Rejects with a CliError (78) when there is none. */
export async function readConfigFile(file: string, hostname: string): Promise<ConfigText[]> {
  const path = resolve(file);
  const [layer] = await readLayers({ confDir: dirname(path), hostname, followLinks: true }, [basename(path)]);
  if (layer === undefined) throw new CliError(exitCodes.config, `there is no file ${file}`);
  return [{ file, text: layer.text }];
}
