import type { PullTrouble } from '../model.js';
import type { EngineError } from './container-engine.js';

/**
 * What engines have been seen to say, the clearest first. Their status does not tell: whatever a registry answers comes through as HTTP 500,
 * or as a line in a reply that began with 200.
 */
const SIGNS: readonly (readonly [PullTrouble, RegExp])[] = [
  ['rate-limited', /toomanyrequests|too many requests|rate limit|\bHTTP 429\b|\bstatus:? 429\b/i],
  ['no-room', /no space left|quota exceeded/i],
  ['untrusted', /x509|certificate|HTTP response to HTTPS client/i],
  ['denied', /unauthorized|authentication required|no basic auth credentials|denied|forbidden/i],
  ['absent', /manifest unknown|name unknown|not found/i],
  ['damaged', /verification failed|checksum|unexpected EOF|short read|unexpected size|size validation|invalid tar/i],
  ['unwell', /unexpected (HTTP )?status|server error|bad gateway|service unavailable|Content-Type|error parsing HTTP/i],
  [
    'unreachable',
    /connection re(fused|set)|no such host|timeout|unreachable|no route to host|deadline exceeded|misbehaving|: EOF\b/i,
  ],
];

/** What is wrong with a registry, by what a pull of `reference` failed with; undefined where the engine is what fails, or says nothing of use. */
export function pullTroubleOf({ kind, message }: EngineError, reference: string): PullTrouble | undefined {
  if (kind === 'timeout') return 'silent';
  if (kind === 'unreachable' || kind === 'forbidden' || kind === 'malformed') return undefined;
  // A name may contain anything, these words too; its path is part of addresses.
  const [name = reference] = reference.split(/[:@][^/]*$/);
  const path = name.slice(name.indexOf('/') + 1);
  const text = [reference, name, path].reduce((rest, part) => rest.replaceAll(part, ''), message);
  const found = SIGNS.find(([, sign]) => sign.test(text))?.[0];
  return found ?? (kind === 'not-found' ? 'absent' : undefined);
}
