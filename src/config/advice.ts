import type { KeyName } from './schema.js';
import type { YamlPath } from './yaml.js';

/** Something in a value that works, but hardly as meant. */
interface Advice {
  /** Below the key. */
  readonly path: YamlPath;
  readonly message: string;
  readonly hint: string;
}

function onTargets(given: unknown): Advice[] {
  const entries: readonly unknown[] = Array.isArray(given) ? given : [given];
  return entries.flatMap((entry, index) => {
    if (typeof entry !== 'string' || entry === '' || entry.includes('#')) return [];
    const path = Array.isArray(given) ? [index] : [];
    return [{ path, message: 'has no #database and is left out', hint: 'give URL#database' }];
  });
}

function onSecurityOptions(given: unknown): Advice[] {
  const entries: readonly unknown[] = Array.isArray(given) ? given : [];
  return entries.flatMap((entry, index) => {
    if (typeof entry !== 'string' || !/^[a-z-]+:/.test(entry)) return [];
    const message = 'is in a form that engines are giving up';
    return [{ path: [index], message, hint: `write ${entry.replace(':', '=')}` }];
  });
}

/** What to tell people about a value that was accepted, as it was given. */
export function adviseOn(name: KeyName, given: unknown): readonly Advice[] {
  if (name === 'influxdb_url') return onTargets(given);
  if (name === 'security_opts') return onSecurityOptions(given);
  return [];
}
