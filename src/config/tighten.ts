import { renderValue } from './render.js';
import { keys, nobody, type Config, type Key, type KeyName } from './schema.js';

/** A value that gives pilots more than most of them need. */
export interface Tightening {
  readonly key: KeyName;
  /** As it would be written, the whole value or the element in question. */
  readonly now: string;
  /** What to write instead. */
  readonly write: string;
  /** What is better then. */
  readonly gain: string;
  /** What may stop working. */
  readonly price: string;
}

type Rule = (config: Config) => readonly Tightening[];

/** One change of the whole value of a key. */
function change(key: KeyName, now: unknown, write: unknown, gain: string, price: string): Tightening {
  const { unit }: Key = keys[key];
  return { key, now: renderValue(now, unit), write: renderValue(write, unit), gain, price };
}

const onUser: Rule = ({ user_group: user }) => {
  const [name = ''] = user.split(':');
  if (/^\d+$/.test(name) && Number(name) > 0) return [];
  const isRoot = name === 'root' || Number(name) === 0;
  const gain = isRoot
    ? 'what gets out of its container is nobody on the host'
    : 'numbers are who they say, whatever the image holds';
  const price = 'what needs root inside or changes user, such as glexec; files that only this user may read';
  return [change('user_group', user, nobody, gain, price)];
};

const onPrivileged: Rule = ({ docker_privileged: isPrivileged }) => {
  const gain = 'a privileged pilot owns the host and all that is on it';
  const price = 'what it was needed for: name its capabilities and devices instead';
  return isPrivileged ? [change('docker_privileged', true, false, gain, price)] : [];
};

const onCapabilities: Rule = ({ capabilities }) => {
  const plain = (name: string) => name.toUpperCase().replace('CAP_', '');
  const added = capabilities.filter((name) => !name.startsWith('-') && !/^\+?ALL$/.test(plain(name)));
  if (capabilities.some((name) => plain(name) === '-ALL')) return [];
  const gain =
    'pilots keep none of the powers that the engine gives to every container, such as raw sockets and changing owners';
  const price =
    'what changes user or owner, binds ports below 1024 or pings; name after -ALL what has to stay, such as SETUID';
  return [change('capabilities', capabilities, ['-ALL', ...added], gain, price)];
};

const onNewPrivileges: Rule = ({ security_opts: options }) => {
  if (options.some((option) => /^no-new-privileges([=:]true)?$/.test(option))) return [];
  const kept = options.filter((option) => !option.startsWith('no-new-privileges'));
  const gain = 'no program in the image can make a pilot root';
  const price = 'set-uid programs and file capabilities: sudo, glexec, fusermount, ping';
  return [change('security_opts', options, [...kept, 'no-new-privileges'], gain, price)];
};

const onProfiles: Rule = ({ security_opts: options }) => {
  const kept = options.filter(
    (option) => !/^(seccomp|apparmor|systempaths)[=:]unconfined$|^label[=:]disable$/.test(option),
  );
  if (kept.length === options.length) return [];
  const gain = 'the profiles of the engine stand between a pilot and most holes in the kernel';
  const price = 'unusual system calls, such as mounting inside a pilot';
  return [change('security_opts', options, kept, gain, price)];
};

const onLimits: Rule = ({ max_dock_mem: memory, max_dock_swap: swap, max_dock_pids: pids }) => {
  const usual = { memory: keys.max_dock_mem.fallback, pids: keys.max_dock_pids.fallback };
  const killed = 'pilots that use more are killed';
  const slow = 'the host does not slow down because its pilots swap';
  const found: Tightening[] = [];
  if (memory === 0)
    found.push(change('max_dock_mem', 0, usual.memory, 'one pilot cannot take all memory of the host', killed));
  if (swap > 0) found.push(change('max_dock_swap', swap, 0, slow, 'pilots that use more than max_dock_mem are killed'));
  if (pids > Number(usual.pids))
    found.push(change('max_dock_pids', pids, usual.pids, 'a fork bomb ends sooner', 'payloads with very many threads'));
  return found;
};

const onNetwork: Rule = ({ network }) => {
  const gain = 'pilots do not reach what listens for this host alone, and take none of its ports';
  const price = 'payloads that must be reached from outside';
  return network === 'host' ? [change('network', network, keys.network.fallback, gain, price)] : [];
};

const tighterOptions: Readonly<Record<string, string>> = { rw: 'ro', shared: 'slave', rshared: 'rslave' };

const onBinds: Rule = ({ binds, bind_options: usual }) =>
  binds.flatMap((bind) => {
    const [source = '', target = '', options = usual] = bind.split(':');
    const given = options.split(',');
    const named = given.includes('ro') || given.includes('rw') ? given : ['rw', ...given];
    const tight = named.map((option) => tighterOptions[option] ?? option);
    if (tight.join() === named.join()) return [];
    const gain = 'no pilot can change what the host and other pilots find there';
    const price = 'payloads that write or mount there';
    return [{ key: 'binds' as const, now: bind, write: `${source}:${target}:${tight.join(',')}`, gain, price }];
  });

const onDevices: Rule = ({ devices }) =>
  devices.flatMap(({ hostPath, containerPath, permissions }) => {
    const tight = permissions.replace('m', '');
    if (tight === permissions || tight === '') return [];
    const written = (rights: string) => `${hostPath}:${containerPath}:${rights}`;
    const gain = 'pilots cannot make nodes of this device';
    const price = 'mknod inside a pilot';
    return [{ key: 'devices' as const, now: written(permissions), write: written(tight), gain, price }];
  });

const rules: readonly Rule[] = [
  onPrivileged,
  onUser,
  onCapabilities,
  onNewPrivileges,
  onProfiles,
  onLimits,
  onNetwork,
  onBinds,
  onDevices,
];

/** What of a valid configuration could give pilots less, and what that would cost; nothing of it is wrong. */
export function tightenings(config: Config): readonly Tightening[] {
  return rules.flatMap((rule) => rule(config));
}
