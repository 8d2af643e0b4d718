import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readCapped } from '../config/capped-file.js';
import { MAX_FILE_BYTES, readConfigTree } from '../config/config-tree.js';
import type { ConfigText } from '../config/layers.js';
import { ConfigSourceError } from '../config/source.js';
import { CliError, exitCodes } from './exit-codes.js';

/** The files that make up the configuration of a host in a folder. Rejects with a ConfigSourceError. */
export function readConfigFolder(confDir: string, hostname: string): Promise<ConfigText[]> {
  // Links in a repository could point at any file of the host; those in a folder of one's own are one's own.
  const followLinks = !existsSync(join(confDir, '.git'));
  return readConfigTree({ confDir, hostname, followLinks });
}

/** The same of the folder in use, for commands that cannot do without. Rejects with a CliError when it cannot be read (78). */
export async function readConfigInUse(confDir: string, hostname: string): Promise<ConfigText[]> {
  try {
    return await readConfigFolder(confDir, hostname);
  } catch (error) {
    if (!(error instanceof ConfigSourceError)) throw error;
    const message = `cannot read the configuration in ${confDir}: ${error.message}`;
    throw new CliError(exitCodes.config, message, { cause: error });
  }
}

/** One file on its own, called as the user called it. Rejects with a CliError when it is not there (66) or cannot be read (78). */
export async function readConfigFile(file: string): Promise<ConfigText> {
  let text: string | undefined;
  try {
    text = await readCapped(resolve(file), { followLinks: true, maxBytes: MAX_FILE_BYTES });
  } catch (error) {
    throw error instanceof ConfigSourceError ? new CliError(exitCodes.config, error.message, { cause: error }) : error;
  }
  if (text === undefined) throw new CliError(exitCodes.noInput, `there is no file ${file}`);
  return { file, text };
}
