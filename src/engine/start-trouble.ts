import type { StartTrouble } from '../model.js';
import type { EngineError } from './container-engine.js';

/**
 * What engines have been seen to say when the kernel would not do more for them, the clearest first: all of them come as HTTP 500. moby issues 29638
 * (control groups), 32484 (addresses), 5618 (a network device that does not go), 22865 (keys).
 */
const SIGNS: readonly (readonly [StartTrouble, RegExp])[] = [
  [
    'control-groups',
    /(mkdir|write|open) \S*\/sys\/fs\/cgroup\S*: (no space left|cannot allocate memory|resource temporarily|device or resource busy)/i,
  ],
  ['addresses', /no (available|free) (IP|IPv4|IPv6) address|free IP in range|address pool|no IP addresses available/i],
  ['keys', /(session key|keyring|keyctl).*(quota|create|join)/is],
  ['no-room', /no space left on device|disk quota exceeded/i],
  ['network', /unregister_netdevice|\bveth|network sandbox|create endpoint|external connectivity|netavark/i],
  ['processes', /resource temporarily unavailable|fork\/exec.*cannot allocate|pthread_create|too many open files/is],
];

/** What the host lacks, by what a start has failed with; undefined where the engine says nothing of the kind. */
export function startTroubleOf({ kind, message }: EngineError): StartTrouble | undefined {
  return kind === 'refused' ? SIGNS.find(([, sign]) => sign.test(message))?.[0] : undefined;
}
