import type { ConfigRevision, ConfigSource } from './source.js';

const DEFAULTS: ConfigRevision = { id: 'defaults', layers: [] };

/** No configuration at all: every key has its default, for ever. For a force-stop, which must not depend on a valid file. */
export function createDefaultSource(): ConfigSource {
  return {
    describe: () => 'defaults only',
    current: () => Promise.resolve(DEFAULTS),
    unedited: () => Promise.resolve(undefined),
    candidate: () => Promise.resolve(undefined),
    accept: () => Promise.resolve(),
  };
}
