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

/**
 * What a container has of the host that a policy does not grant. A second opinion: it shares no code with the checks of the daemon, and
 * is the simpler for leaving out what those also refuse.
 */
export function beyondPolicy(
  made: MadeContainer,
  policy: Policy,
  own: { readonly hidden: readonly string[] },
): readonly string[] {
  const { Config, HostConfig: host } = made;
  const beyond: string[] = [];
  const check = (what: string, isBeyond: boolean) => {
    if (isBeyond) beyond.push(what);
  };
  const user = String(Config['User']);
  check(`user ${user}`, !isAllowedUser(user, policy));
  check('privileged', host['Privileged'] === true && !policy.privileged);
  check('binds', beyondBinds(strings(host['Binds']), policy, own.hidden).length > 0);
  const devices = (host['Devices'] ?? []) as readonly EngineDevice[];
  check(
    'devices',
    devices.some(
      ({ PathOnHost, CgroupPermissions }) =>
        !policy.devices.some(
          ({ path, permissions }) =>
            path === PathOnHost && [...CgroupPermissions].every((p) => permissions.includes(p)),
        ),
    ),
  );
  const granted = [...policy.capabilities, ...policy.capabilities.map((name) => `CAP_${name}`)];
  const added = strings(host['CapAdd']).map((name) => name.toUpperCase());
  const isFree = host['Privileged'] === true || policy.capabilities.includes('ALL');
  check('capabilities', !isFree && added.some((name) => !granted.includes(name)));
  const options = policy.security_opts.map((option) => option.replace(':', '='));
  const loosened = strings(host['SecurityOpt']).map((option) => option.replace(':', '='));
  check(
    'security options',
    loosened.some((option) => !option.startsWith('no-new-privileges') && !options.includes(option)),
  );
  check('network', !policy.networks.includes(String(host['NetworkMode'])));
  for (const mode of ['PidMode', 'IpcMode', 'UTSMode', 'UsernsMode']) check(mode, host[mode] === 'host');
  const quota = Number(host['NanoCpus'] ?? 0) / 1e9 || Number(host['CpuQuota']) / Number(host['CpuPeriod']);
  check('CPUs', quota > policy.most_cpus_per_dock + 1e-6);
  const memory = Number(host['Memory']);
  check('memory', policy.most_dock_mem > 0 && (memory === 0 || memory > policy.most_dock_mem));
  check('swap', memory > 0 && Number(host['MemorySwap']) - memory > policy.most_dock_swap);
  for (const name of STRANGE) {
    const value = host[name];
    check(name, typeof value === 'boolean' ? value : Object.keys(value ?? {}).length > 0);
  }
  return beyond;
}
