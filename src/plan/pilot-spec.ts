import type { Config } from '../config/schema.js';
import type { Observation, PilotSpec } from '../model.js';
import { nextRandom } from './random.js';
import type { PilotSource } from './state.js';

/** Today there is one kind of pilot; every pilot says which kind it is, so that there may be more. */
const FLAVOUR = 'default';
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';
const SUFFIX_LENGTH = 6;
/** Host names may have 63 characters; `plancton-`, a dash and the suffix leave more than these 40. */
const LONGEST_HOST_PART = 40;

/** Six characters of [0-9a-z] that no name in `taken` ends with, and the seed for the next ones. */
export function nextSuffix(
  seed: number,
  taken: ReadonlySet<string>,
): { readonly suffix: string; readonly seed: number } {
  let current = seed;
  for (;;) {
    let suffix = '';
    while (suffix.length < SUFFIX_LENGTH) {
      const step = nextRandom(current);
      current = step.seed;
      suffix += DIGITS.charAt(step.value % DIGITS.length);
    }
    if (!taken.has(pilotName(suffix))) return { suffix, seed: current };
  }
}

/** As the original named them, so that what sites have built around the name goes on working. */
export function pilotName(suffix: string): string {
  return `plancton-worker-${suffix}`;
}

function splitCapabilities(capabilities: readonly string[]): { added: string[]; dropped: string[] } {
  const dropped = capabilities.filter((name) => name.startsWith('-')).map((name) => name.slice(1));
  const added = capabilities.filter((name) => !name.startsWith('-')).map((name) => name.replace(/^\+/, ''));
  return { added, dropped };
}

/** Ways in which mounts made later show up on the other side of a bind. */
const PROPAGATIONS = ['shared', 'rshared', 'slave', 'rslave'];

/**
 * A bind that names no mode gets the configured one. From a private mount nothing can propagate, and the engine would refuse the pilot
 * for asking: there the rest of the mode has to do.
 */
function withMode(bind: string, mode: string, privateBinds: readonly string[]): string {
  const [source = '', , given] = bind.split(':');
  if (given !== undefined) return bind;
  const parts = mode.split(',').filter((part) => part !== '');
  const kept = privateBinds.includes(source) ? parts.filter((part) => !PROPAGATIONS.includes(part)) : parts;
  return kept.length === 0 ? bind : `${bind}:${kept.join(',')}`;
}

/** All that a configuration says about each pilot. */
function settings(config: Config, privateBinds: readonly string[]) {
  const { added, dropped } = splitCapabilities(config.capabilities);
  return {
    image: config.docker_image,
    command: config.docker_cmd,
    entrypoint: config.docker_entrypoint,
    env: config.docker_env,
    user: config.user_group,
    cpus: config.cpus_per_dock,
    memoryBytes: config.max_dock_mem,
    swapBytes: config.max_dock_swap,
    pids: config.max_dock_pids,
    privileged: config.docker_privileged,
    network: config.network,
    binds: config.binds.map((bind) => withMode(bind, config.bind_options, privateBinds)),
    devices: config.devices,
    capabilitiesAdded: added,
    capabilitiesDropped: dropped,
    securityOptions: config.security_opts,
  };
}

/** The same text for the same pilots: what tells whether two configurations make different ones. */
export function settingsText(config: Config): string {
  return JSON.stringify(settings(config, []));
}

/** The whole of a new pilot. */
export function pilotSpec(
  { config, revision }: PilotSource,
  observation: Pick<Observation, 'at' | 'host' | 'instance' | 'privateBinds'>,
  suffix: string,
): PilotSpec {
  const host = observation.host.hostname.split('.')[0] ?? '';
  return {
    ...settings(config, observation.privateBinds),
    name: pilotName(suffix),
    hostname: `plancton-${host.slice(0, LONGEST_HOST_PART)}-${suffix}`,
    instance: observation.instance,
    flavour: FLAVOUR,
    revision,
    bootId: observation.host.bootId,
    spawnedBootMs: Math.round(observation.at.bootMs),
  };
}
