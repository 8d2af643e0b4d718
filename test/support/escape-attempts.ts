import type { Config } from '../../src/config/schema.js';
import { aConfig } from './plan-builders.js';

/** A way to more than `strictPolicy` allows: by the configuration, or by a request that somebody changed on its way to the engine. */
export type EscapeAttempt =
  | { readonly what: string; readonly config: Config }
  | { readonly what: string; readonly host: Readonly<Record<string, unknown>> }
  | { readonly what: string; readonly container: Readonly<Record<string, unknown>> };

/** A little of everything, so that each attempt is beside something that is allowed. */
export const strictPolicy = `
images: [busybox, "plancton.test/team/*", "plancton.test/tagged:good"]
users: ["0:0", 1000-1999]
binds: [/srv/plancton-test, "/opt/plancton-test:rw"]
devices: ["/dev/null:r"]
capabilities: [SYS_NICE]
security_opts: [label=type:pilot]
networks: [none]
most_docks: 10
most_cpus_per_dock: 1
most_dock_mem: 100M
most_dock_swap: 0
`;

const base: Partial<Config> = { network: 'none', cpus_per_dock: 0.1, max_dock_mem: 20_000_000 };

function byConfig(what: string, changes: Partial<Config>): EscapeAttempt {
  return { what: `${what} by configuration`, config: aConfig({ ...base, ...changes }) };
}

const binds = [
  ...['/', '//', '/.', '/./', '/etc', '/etc/', '//etc', '/./etc/.', '/proc', '/proc/1/root', '/proc/sysrq-trigger'],
  ...['/proc/sys/kernel/core_pattern', '/sys', '/sys/fs/cgroup', '/sys/kernel/debug', '/dev', '/dev/mem', '/dev/shm'],
  ...[
    '/run',
    '/run/docker.sock',
    '/var/run',
    '/var/run/docker.sock',
    '/run/containerd',
    '/run/systemd',
    '/var',
    '/var/lib',
  ],
  ...[
    '/var/lib/docker',
    '/var/lib/docker/overlay2',
    '/var/lib/containerd',
    '/boot',
    '/boot/grub',
    '/root',
    '/root/.ssh',
  ],
  ...['/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/sudoers', '/etc/sudoers.d', '/etc/sudoers.d/x', '/etc/ssh'],
  ...['/etc/ssh/ssh_host_rsa_key', '/etc/ssl/private', '/srv', '/srv/', '/srv/plancton-test2', '/srv/plancton-tes'],
  ...[
    '/srv/plancton-test-other',
    '/opt',
    '/home',
    '/home/ada/.ssh',
    '/tmp',
    '/var/log',
    '/var/spool/cron',
    '/mnt',
    '/media',
  ],
].map((path) => byConfig(`reading ${path}`, { binds: [`${path}:/x:ro`] }));

const writes = [
  ...[
    '/srv/plancton-test',
    '/srv/plancton-test/below',
    '/etc/cron.d',
    '/etc/systemd/system',
    '/etc/passwd',
    '/etc/profile.d',
  ],
  ...['/usr', '/usr/bin', '/usr/local/bin', '/bin', '/sbin', '/lib', '/lib64', '/lib/modules', '/etc/ld.so.preload'],
].map((path) => byConfig(`writing ${path}`, { binds: [`${path}:/x`] }));

const modes = [
  ...['rw,shared', 'rw,rshared', 'rw,z', 'rw,Z', 'ro,shared', 'ro,Z'].map((mode) =>
    byConfig(`/opt/plancton-test with ${mode}`, { binds: [`/opt/plancton-test:/x:${mode}`] }),
  ),
  byConfig('shared as the usual mode', { binds: ['/opt/plancton-test:/x'], bind_options: 'rw,shared' }),
  byConfig('writing as the usual mode', { binds: ['/srv/plancton-test:/x'], bind_options: 'rw' }),
  byConfig('a second bind behind an allowed one', { binds: ['/srv/plancton-test:/x:ro', '/etc/shadow:/y:ro'] }),
];

const capabilities = [
  ...['ALL', 'AUDIT_CONTROL', 'AUDIT_READ', 'BLOCK_SUSPEND', 'DAC_READ_SEARCH', 'IPC_LOCK', 'IPC_OWNER', 'LEASE'],
  ...[
    'LINUX_IMMUTABLE',
    'MAC_ADMIN',
    'MAC_OVERRIDE',
    'NET_ADMIN',
    'NET_BROADCAST',
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_MODULE',
  ],
  ...['SYS_PACCT', 'SYS_PTRACE', 'SYS_RAWIO', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'SYSLOG', 'WAKE_ALARM'],
  ...['+SYS_ADMIN', 'CAP_SYS_ADMIN', 'sys_admin', '+cap_sys_ptrace'],
].map((name) => byConfig(`capability ${name}`, { capabilities: [name] }));

const devices = [
  ...[
    '/dev/mem',
    '/dev/kmsg',
    '/dev/fuse',
    '/dev/kvm',
    '/dev/sda',
    '/dev/loop0',
    '/dev/net/tun',
    '/dev/null2',
    '/dev/zero',
  ],
].map((hostPath) =>
  byConfig(`device ${hostPath}`, { devices: [{ hostPath, containerPath: '/dev/null', permissions: 'r' }] }),
);
const permissions = ['w', 'm', 'rw', 'rwm'].map((wanted) =>
  byConfig(`/dev/null with ${wanted}`, {
    devices: [{ hostPath: '/dev/null', containerPath: '/dev/x', permissions: wanted }],
  }),
);

const options = [
  ...['seccomp=unconfined', 'seccomp:unconfined', 'apparmor=unconfined', 'apparmor:unconfined', 'label=disable'],
  ...['label:disable', 'label=type:spc_t', 'systempaths=unconfined', 'no-new-privileges=false', 'label=user:root'],
].map((option) => byConfig(`option ${option}`, { security_opts: [option] }));

const networks = ['host', 'bridge', 'default', 'container:x', 'nat'].map((network) =>
  byConfig(`network ${network}`, { network }),
);

const users = ['root', '0', '0:1', '1:0', '999', '2000', '1000:0', '1000:999', '0:1000', 'docker', '4294967295'].map(
  (user_group) => byConfig(`user ${user_group}`, { user_group }),
);

const images = [
  ...['busybox2', 'busybo', 'evil/busybox', 'library/busyboxx', 'plancton.test/busybox', 'plancton.test/team'],
  ...['plancton.test/teams/x', 'plancton.test/team-x/y', 'plancton.test.evil/team/x', 'evil.plancton.test/team/x'],
  ...['plancton.test:443/team/x', 'localhost/team/x', 'localhost:5000/busybox', 'plancton.test/tagged:bad'],
  ...['plancton.test/tagged', 'plancton.test/tagged:good2', 'plancton.test/tagged/good', 'docker.io/evil/busybox'],
  ...['registry.example.org/library/busybox', 'plancton.test/x/team/y'],
].map((docker_image) => byConfig(`image ${docker_image}`, { docker_image }));

const privileges = [byConfig('privileges', { docker_privileged: true })];

const changedHost: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['privileges', { Privileged: true }],
  ['the processes of the host', { PidMode: 'host' }],
  ['the IPC of the host', { IpcMode: 'host' }],
  ['the host name of the host', { UTSMode: 'host' }],
  ['the users of the host', { UsernsMode: 'host' }],
  ['the network of the host', { NetworkMode: 'host' }],
  ['a bind of /', { Binds: ['/:/host'] }],
  ['a bind of the engine', { Binds: ['/var/run/docker.sock:/s'] }],
  ['a mount of /', { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] }],
  ['a mount of /etc, read-only', { Mounts: [{ Type: 'bind', Source: '/etc', Target: '/e', ReadOnly: true }] }],
  ['a named volume as a mount', { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v' }] }],
  ['a named volume as a bind', { Binds: ['plancton-test-volume:/v'] }],
  ['memory as a mount', { Mounts: [{ Type: 'tmpfs', Target: '/t' }] }],
  ['all devices by rule', { DeviceCgroupRules: ['a *:* rwm'] }],
  ['block devices by rule', { DeviceCgroupRules: ['b 8:* rwm'] }],
  ['a device', { Devices: [{ PathOnHost: '/dev/zero', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }] }],
  ['all capabilities', { CapAdd: ['ALL'] }],
  ['a capability', { CapAdd: ['CAP_SYS_ADMIN'] }],
  ['no seccomp', { SecurityOpt: ['seccomp=unconfined'] }],
  ['new privileges', { SecurityOpt: ['no-new-privileges=false'] }],
  ['another group', { GroupAdd: ['0'] }],
  ['a published port', { PortBindings: { '80/tcp': [{ HostPort: '18080' }] } }],
  ['all ports published', { PublishAllPorts: true }],
  ['a kernel parameter', { Sysctls: { 'net.ipv4.ip_forward': '1' } }],
  ['a life after the boot', { RestartPolicy: { Name: 'always' } }],
  ['a life after a failure', { RestartPolicy: { Name: 'on-failure' } }],
  ['a life until stopped', { RestartPolicy: { Name: 'unless-stopped' } }],
  ['an end without a trace', { AutoRemove: true }],
  ['no end when memory is out', { OomKillDisable: true }],
  ['all CPUs', { CpuQuota: 0 }],
  ['more CPUs', { CpuQuota: 200_000 }],
  ['more CPUs by another name', { CpuQuota: 0, CpuPeriod: 0, NanoCpus: 2_000_000_000 }],
  ['all memory', { Memory: 0, MemorySwap: 0 }],
  ['more memory', { Memory: 2e8, MemorySwap: 2e8 }],
  ['swap', { Memory: 2e7, MemorySwap: 4e7 }],
  ['another runtime', { Runtime: 'io.containerd.runc.v2' }],
  ['another control group', { CgroupParent: '/plancton-test-escape' }],
  ['the memory of the kernel', { MaskedPaths: ['/proc/acpi', '/proc/keys', '/proc/scsi', '/sys/firmware'] }],
  ['the parameters of the kernel to write', { ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq'] }],
];

const changedContainer: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['another user', { User: 'root' }],
  ['the user of the image', { User: '' }],
  ['the group of root', { User: '1000:0' }],
  ['a network beside none', { NetworkingConfig: { EndpointsConfig: { bridge: {} } } }],
];

/** All of them written by hand, more than 200. */
export const escapeAttempts: readonly EscapeAttempt[] = [
  ...binds,
  ...writes,
  ...modes,
  ...capabilities,
  ...devices,
  ...permissions,
  ...options,
  ...networks,
  ...users,
  ...images,
  ...privileges,
  ...changedHost.map(([what, host]) => ({ what: `${what} by request`, host })),
  ...changedContainer.map(([what, container]) => ({ what: `${what} by request`, container })),
];
