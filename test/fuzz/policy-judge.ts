import type { Policy } from '../../src/policy/policy.js';

/** A create request or an inspection, as far as the judge looks. */
export interface MadeContainer {
  readonly Config: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

interface EngineDevice {
  readonly PathOnHost: string;
  readonly CgroupPermissions: string;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isOf(path: string, top: string): boolean {
  return `${path}/`.startsWith(top === '/' ? '/' : `${top}/`);
}

const HOST_SECRETS = ['/etc/shadow', '/proc', '/sys', '/dev', '/run', '/var/run', '/var/lib/docker', '/root', '/boot'];
const STRANGE = [
  'VolumesFrom', 'Mounts', 'Sysctls', 'DeviceCgroupRules', 'GroupAdd', 'Links', 'OomKillDisable', 'Tmpfs', 'PortBindings',
]; // prettier-ignore

function beyondBinds(binds: readonly string[], policy: Policy, hidden: readonly string[]): readonly string[] {
  return binds.filter((bind) => {
    const [source = '', , options = 'rw'] = bind.split(':');
    const writes = !options.split(',').includes('ro');
    if (/(^|\/)\.\.?(\/|$)/.test(source) || !source.startsWith('/')) return true;
    if ([...HOST_SECRETS, ...hidden].some((secret) => isOf(secret, source) || isOf(source, secret))) return true;
    return !policy.binds.some(
      ({ path, options: allowed }) => isOf(source, path) && (!writes || (allowed.includes('rw') && source === path)),
    );
  });
}

function isAllowedUser(user: string, policy: Policy): boolean {
  return policy.users.some((entry) => {
    if ('exactly' in entry) return entry.exactly === user;
    const ids = user.split(':');
    return (
      ids.length === 2 && ids.every((id) => /^\d+$/.test(id) && Number(id) >= entry.least && Number(id) <= entry.most)
    );
  });
}

function beyondDevices(devices: readonly EngineDevice[], policy: Policy): readonly EngineDevice[] {
  const isWithin = (asked: string, granted: string) => asked.split('').every((one) => granted.includes(one));
  return devices.filter(
    (device) =>
      !policy.devices.some(
        ({ path, permissions }) => path === device.PathOnHost && isWithin(device.CgroupPermissions, permissions),
      ),
  );
}

function beyondCapabilities(host: MadeContainer['HostConfig'], policy: Policy): readonly string[] {
  if (host['Privileged'] === true || policy.capabilities.includes('ALL')) return [];
  const granted = [...policy.capabilities, ...policy.capabilities.map((name) => `CAP_${name}`)];
  return strings(host['CapAdd']).filter((name) => !granted.includes(name.toUpperCase()));
}

function beyondOptions(host: MadeContainer['HostConfig'], policy: Policy): readonly string[] {
  const granted = policy.security_opts.map((option) => option.replace(':', '='));
  const given = strings(host['SecurityOpt']).map((option) => option.replace(':', '='));
  // Who is privileged has no label to lose; the engine says so itself.
  if (host['Privileged'] === true && policy.privileged) granted.push('label=disable');
  return given.filter((option) => !option.startsWith('no-new-privileges') && !granted.includes(option));
}

function beyondLimits(host: MadeContainer['HostConfig'], policy: Policy): readonly string[] {
  const quota = Number(host['NanoCpus'] ?? 0) / 1e9 || Number(host['CpuQuota']) / Number(host['CpuPeriod']);
  const memory = Number(host['Memory']);
  const beyond: string[] = [];
  if (quota > policy.most_cpus_per_dock + 1e-6) beyond.push('CPUs');
  if (policy.most_dock_mem > 0 && (memory === 0 || memory > policy.most_dock_mem)) beyond.push('memory');
  if (memory > 0 && Number(host['MemorySwap']) - memory > policy.most_dock_swap) beyond.push('swap');
  return beyond;
}

/** What Plancton never asks for, whatever the policy is. */
function strangeSettings(host: MadeContainer['HostConfig']): readonly string[] {
  const shared = ['PidMode', 'IpcMode', 'UTSMode', 'UsernsMode'].filter((mode) => host[mode] === 'host');
  const given = STRANGE.filter((name) => {
    const value = host[name];
    return typeof value === 'boolean' ? value : Object.keys(value ?? {}).length > 0;
  });
  return [...shared, ...given];
}

/**
 * What a container has of the host that a policy does not grant. A second opinion: it shares no code with the checks of the daemon, and
 * is the simpler for leaving out what those also refuse.
 */
export function beyondPolicy(
  { Config, HostConfig: host }: MadeContainer,
  policy: Policy,
  own: { readonly hidden: readonly string[] },
): readonly string[] {
  const user = String(Config['User']);
  return [
    ...(isAllowedUser(user, policy) ? [] : [`user ${user}`]),
    ...(host['Privileged'] === true && !policy.privileged ? ['privileged'] : []),
    ...beyondBinds(strings(host['Binds']), policy, own.hidden),
    ...beyondDevices((host['Devices'] ?? []) as readonly EngineDevice[], policy).map(({ PathOnHost }) => PathOnHost),
    ...beyondCapabilities(host, policy),
    ...beyondOptions(host, policy),
    ...(policy.networks.includes(String(host['NetworkMode'])) ? [] : ['network']),
    ...beyondLimits(host, policy),
    ...strangeSettings(host),
  ];
}
