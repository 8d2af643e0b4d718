import type { Config } from '../config/schema.js';
import { withoutControls } from '../config/source-line.js';
import type { DeviceSpec } from '../model.js';
import { plainPath, type AllowedUser } from './allowed-values.js';
import { boundNumbers } from './bounds.js';
import { alwaysRefused, parseBind, refusedBind, type OwnPlaces } from './match-bind.js';
import { allowsImage } from './match-image.js';
import { mostSwap, type Policy, type PolicyKey } from './policy.js';

/** What a configuration becomes under a policy. */
export interface Narrowed {
  /** With every number within the policy's caps. */
  readonly config: Config;
  /** What was capped; sentences. */
  readonly clamps: readonly string[];
  /** What no cap can make right, so that no pilot may be started with it; sentences that name key, value and cure. */
  readonly refusals: readonly string[];
}

/** What a pilot may get from the host, of a configuration or of a container that was made. */
export interface Wishes {
  readonly image: string;
  readonly user: string;
  readonly privileged: boolean;
  /** `source:target[:options]`. */
  readonly binds: readonly string[];
  readonly bindOptions: string;
  readonly devices: readonly DeviceSpec[];
  /** As the engine writes them, to add only. */
  readonly capabilities: readonly string[];
  readonly securityOptions: readonly string[];
  readonly network: string;
}

function allowsUser(entry: AllowedUser, user: string): boolean {
  if ('exactly' in entry) return entry.exactly === user;
  const numbers = user.split(':').map((part) => (/^\d{1,10}$/.test(part) ? Number(part) : NaN));
  // Without a group it is the one that the image says, or root's.
  return numbers.length === 2 && numbers.every((number) => number >= entry.least && number <= entry.most);
}

function allowsDevice(policy: Policy, { hostPath, permissions }: DeviceSpec): boolean {
  const isWithin = (allowed: string) => permissions.split('').every((permission) => allowed.includes(permission));
  return policy.devices.some((entry) => entry.path === hostPath && isWithin(entry.permissions));
}

/** `seccomp:x` and `seccomp=x` are one. */
export function plainOption(option: string): string {
  return option.replace(/^([a-z-]+):/, '$1=');
}

function refusedImage(policy: Policy, image: string): string | undefined {
  if (!policy.images.some((entry) => allowsImage(entry, image))) return 'not among the allowed images';
  return policy.require_digest && !image.includes('@')
    ? 'images are allowed by digest only (name@sha256:...)'
    : undefined;
}

/** `what`: key or property; `why`: the policy's reason; `cure`: the key of the policy that could allow it. */
function refusal(what: string, value: string, why: string, cure?: PolicyKey): string {
  const hint = cure === undefined ? '' : `; the policy of this host could allow it under ${cure}`;
  return `${what} ${withoutControls(value)}: ${why}${hint}`;
}

/** Refusals of those values that are not allowed. */
function others<T>(
  key: string,
  values: readonly T[],
  cure: PolicyKey,
  isAllowed: (value: T) => boolean,
  show: (value: T) => string = String,
): readonly string[] {
  const why = `not among the allowed ${cure === 'security_opts' ? 'security options' : cure}`;
  return values.filter((value) => !isAllowed(value)).map((value) => refusal(key, show(value), why, cure));
}

/** With the files that the policy names: who knows the token may drain, and who changes keys signs for others. */
function withPolicyFiles(own: OwnPlaces, { http_token_file: token, config_keys: keys }: Policy): OwnPlaces {
  return {
    hidden: token === 'none' ? own.hidden : [...own.hidden, plainPath(token)],
    readOnly: [...own.readOnly, ...keys.filter((key) => key.startsWith('/')).map(plainPath)],
  };
}

function refusedBinds({ binds, bindOptions }: Wishes, policy: Policy, own: OwnPlaces): readonly string[] {
  const places = withPolicyFiles(own, policy);
  return binds.flatMap((written) => {
    const bind = parseBind(written, bindOptions);
    const always = alwaysRefused(bind, places);
    if (always !== undefined) return refusal('binds', written, always);
    const why = refusedBind(bind, policy.binds);
    return why === undefined ? [] : refusal('binds', written, why, 'binds');
  });
}

/** Everything that a policy refuses. */
export function refusedWishes(wishes: Wishes, policy: Policy, own: OwnPlaces): readonly string[] {
  const image = refusedImage(policy, wishes.image);
  const options = ['no-new-privileges', 'no-new-privileges=true', ...policy.security_opts.map(plainOption)];
  const isCapability = (name: string) => policy.capabilities.includes(name) || policy.capabilities.includes('ALL');
  return [
    ...(image === undefined ? [] : [refusal('docker_image', wishes.image, image, 'images')]),
    ...others('user_group', [wishes.user], 'users', (user) => policy.users.some((entry) => allowsUser(entry, user))),
    ...(wishes.privileged && !policy.privileged
      ? [refusal('docker_privileged', 'true', 'privileged pilots are not allowed', 'privileged')]
      : []),
    ...refusedBinds(wishes, policy, own),
    ...others(
      'devices',
      wishes.devices,
      'devices',
      (device) => allowsDevice(policy, device),
      ({ hostPath, permissions }) => `${hostPath}:${permissions}`,
    ),
    ...others('capabilities', wishes.capabilities, 'capabilities', isCapability),
    ...others('security_opts', wishes.securityOptions, 'security_opts', (option) =>
      options.includes(plainOption(option)),
    ),
    ...others('network', [wishes.network], 'networks', (network) => policy.networks.includes(network)),
  ];
}

/** Engines limit swap only together with memory. */
function refusedSwap({ max_dock_mem: memory }: Config, policy: Policy): readonly string[] {
  if (memory > 0 || policy.most_dock_swap === mostSwap) return [];
  return [
    'max_dock_mem 0: without a limit on memory there is none on swap either, which the policy caps; set max_dock_mem',
  ];
}

/** What keeps pilots from making room for others, numbers aside; key and value of each. */
export function rudenessOf({ evict, nice, policy: model, own_cgroups: own }: Config): readonly string[] {
  return [
    ...(evict === 'never' ? ['evict never'] : []),
    ...(nice ? [] : ['nice false']),
    ...(model === 'legacy' ? ['policy legacy'] : []),
    // What others use there would count as ours.
    ...own.map((group) => `own_cgroups ${withoutControls(group)}`),
  ];
}

function refusedRudeness(config: Config): readonly string[] {
  const why = 'pilots must yield here; the policy of this host says require_yielding';
  return rudenessOf(config).map((what) => `${what}: ${why}`);
}

/** `SYS_ADMIN` of `CAP_SYS_ADMIN`, `+sys_admin` and the like; undefined for one to drop. */
export function addedCapability(written: string): string | undefined {
  return written.startsWith('-') ? undefined : written.toUpperCase().replace(/^\+/, '').replace(/^CAP_/, '');
}

/** What a configuration asks for. */
export function wishesOf(config: Config): Wishes {
  return {
    image: config.docker_image,
    user: config.user_group,
    privileged: config.docker_privileged,
    binds: config.binds,
    bindOptions: config.bind_options,
    devices: config.devices,
    capabilities: config.capabilities.flatMap((name) => addedCapability(name) ?? []),
    securityOptions: config.security_opts,
    network: config.network,
  };
}

/** What a configuration becomes under the policy of a host. Depends on nothing but its arguments. */
export function narrow(config: Config, policy: Policy, own: OwnPlaces): Narrowed {
  const { changed, clamps } = boundNumbers(config, policy);
  const isSilenced = config.http_address !== 'none' && !policy.local_http;
  const allowed = { ...config, ...changed, ...(isSilenced ? { http_address: 'none' } : {}) };
  const refusals = [
    ...refusedWishes(wishesOf(config), policy, own),
    ...refusedSwap(allowed, policy),
    ...(policy.require_yielding ? refusedRudeness(config) : []),
  ];
  const silence = `http_address is none instead of ${config.http_address}: the policy of this host does not say local_http: true`;
  return { config: allowed, clamps: isSilenced ? [...clamps, silence] : clamps, refusals };
}
