import type { Config } from '../config/schema.js';
import { settingsText } from '../plan/pilot-spec.js';
import { parseBind } from '../policy/match-bind.js';

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/**
 * Whether pilots are the same under both configurations. Files in the folder of the configuration change with it, so pilots that see any
 * of them may always be different.
 */
export function samePilots(a: Config, b: Config, confDir: string): boolean {
  const seesFolder = b.binds
    .map((bind) => parseBind(bind, b.bind_options).source)
    .some((source) => isWithin(source, confDir) || isWithin(confDir, source));
  return !seesFolder && settingsText(a) === settingsText(b);
}
