import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readContainerSettings } from '../../../src/engine/docker-settings.js';
import { toCreateOptions } from '../../../src/engine/pilot-container.js';
import type { AskedContainer } from '../../../src/model.js';
import { violations } from '../../../src/policy/conforms.js';
import { loadPolicy } from '../../../src/policy/load-policy.js';
import type { Policy } from '../../../src/policy/policy.js';
import { aSpec } from '../../support/builders.js';

function aPolicy(text = 'images: [busybox]\nusers: ["0:0"]\n'): Policy {
  const verdict = loadPolicy({ file: 'p', text });
  if (!verdict.ok) throw new Error('not a policy');
  return verdict.policy;
}

/** The container of a usual pilot as an inspection shows it, with changes to its host settings. */
function inspected(
  host: Readonly<Record<string, unknown>> = {},
  config: Readonly<Record<string, unknown>> = {},
): unknown {
  const { HostConfig, ...Config } = toCreateOptions(aSpec({ image: 'busybox', user: '0:0', cpus: 1 }), '/plancton/x', {
    appArmor: false,
    logDriver: 'json-file',
  });
  return { Config: { ...Config, ...config }, HostConfig: { ...HostConfig, ...host } };
}

const masked = ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/scsi', '/proc/timer_list', '/sys/firmware'];

const usual: AskedContainer = { spec: aSpec(), cgroupParent: '/plancton/x' };

const found = (reply: unknown, policy = aPolicy(), asked = usual) =>
  violations(readContainerSettings(reply), asked, policy, { hidden: ['/srv/own'], readOnly: [] });

describe('a container that was made', () => {
  it('conforms when it is what we asked for', () => {
    expect(found(inspected())).toEqual([]);
  });

  it('conforms with what engines fill in', () => {
    const filled = {
      ...{ PidMode: '', IpcMode: 'private', UTSMode: '', UsernsMode: '', CgroupnsMode: 'host', Cgroup: '' },
      ...{ RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, AutoRemove: false, PortBindings: {}, Links: null },
      ...{
        VolumesFrom: null,
        GroupAdd: null,
        DeviceRequests: null,
        Sysctls: null,
        NetworkMode: 'default',
        CapAdd: null,
      },
      ...{ MemorySwap: -1, OomKillDisable: false, PublishAllPorts: false, Runtime: '', ShmSize: 67_108_864 },
    };
    expect(found(inspected(filled))).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['PidMode', { PidMode: 'host' }],
    ['PidMode', { PidMode: 'container:x' }],
    ['IpcMode', { IpcMode: 'host' }],
    ['UTSMode', { UTSMode: 'host' }],
    ['UsernsMode', { UsernsMode: 'host' }],
    ['CgroupnsMode', { CgroupnsMode: 'container:x' }],
    ['Cgroup', { Cgroup: 'container:x' }],
    ['VolumesFrom', { VolumesFrom: ['other'] }],
    ['Mounts', { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] }],
    ['PortBindings', { PortBindings: { '22/tcp': [{ HostPort: '22' }] } }],
    ['PublishAllPorts', { PublishAllPorts: true }],
    ['Sysctls', { Sysctls: { 'kernel.msgmax': '1' } }],
    ['DeviceCgroupRules', { DeviceCgroupRules: ['b *:* rwm'] }],
    ['DeviceRequests', { DeviceRequests: [{ Driver: 'nvidia' }] }],
    ['GroupAdd', { GroupAdd: ['docker'] }],
    ['Links', { Links: ['/a:/b'] }],
    ['OomKillDisable', { OomKillDisable: true }],
    ['OomScoreAdj', { OomScoreAdj: -1000 }],
    ['AutoRemove', { AutoRemove: true }],
    ['RestartPolicy', { RestartPolicy: { Name: 'always' } }],
    ['docker_privileged', { Privileged: true }],
    ['binds', { Binds: ['/:/host'] }],
    ['binds', { Binds: ['/srv/own/x:/x:ro'] }],
    ['devices', { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/x', CgroupPermissions: 'r' }] }],
    ['capabilities', { CapAdd: ['CAP_SYS_ADMIN'] }],
    ['security_opts', { SecurityOpt: ['seccomp=unconfined'] }],
    ['network', { NetworkMode: 'host' }],
    ['Tmpfs', { Tmpfs: { '/t': 'exec' } }],
    ['MaskedPaths without /proc/kcore', { MaskedPaths: masked.filter((path) => path !== '/proc/kcore') }],
    ['ReadonlyPaths without /proc/sys, /proc/sysrq-trigger', { ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq'] }],
    ['runtime is other', { Runtime: 'other' }],
    ['no MaskedPaths', { MaskedPaths: [] }],
    ['no ReadonlyPaths', { ReadonlyPaths: [] }],
    ['no Init', { Init: false }],
    ['no Init', { Init: null }],
    ['LogConfig', { LogConfig: { Type: 'json-file', Config: {} } }],
    ['LogConfig', { LogConfig: { Type: 'local', Config: {} } }],
    ['cgroup parent is not set', { CgroupParent: '' }],
    ['cgroup parent is /', { CgroupParent: '/' }],
  ])('does not conform with another %s', (what, host) => {
    const [violation = ''] = found(inspected(host));
    expect(violation).toContain(what);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['docker_image', { Image: 'evil' }],
    ['docker_image', { Image: 'sha256:0123' }],
    ['user_group', { User: '' }],
    ['user_group', { User: 'root' }],
  ])('does not conform with another %s of its own', (what, config) => {
    expect(found(inspected({}, config))[0]).toContain(what);
  });

  it('conforms with a log that is handed on, and with a cgroup parent that was left to the engine', () => {
    expect(found(inspected({ LogConfig: { Type: 'journald', Config: {} } }))).toEqual([]);
    expect(found(inspected({ LogConfig: { Type: 'json-file', Config: null } }))).toEqual([]);
    expect(found(inspected({ CgroupParent: '' }), aPolicy(), { ...usual, cgroupParent: undefined })).toEqual([]);
  });

  it('has of /proc and /sys what engines usually leave open, and more of them is no harm', () => {
    const more = { MaskedPaths: [...masked, '/proc/asound', '/proc/interrupts'], ReadonlyPaths: null };
    expect(found(inspected(more))).toEqual([]);
    const open = { MaskedPaths: null, ReadonlyPaths: [], Privileged: true };
    const priv = aPolicy('images: [busybox]\nusers: ["0:0"]\nprivileged: true\n');
    expect(found(inspected(open), priv)).toEqual([]);
  });

  it.each([
    ['', []],
    ['machine.slice', []],
    ['/libpod_parent', []],
    ['/system.slice', ['its cgroup parent is /system.slice instead of none']],
  ])('is in the cgroup of the engine where it was left to that: %s', (CgroupParent, violation) => {
    expect(found(inspected({ CgroupParent }), aPolicy(), { ...usual, cgroupParent: undefined })).toEqual(violation);
  });

  it.each<[string, string, readonly string[], boolean]>([
    ['bridge', 'bridge', ['bridge'], true],
    ['bridge', 'default', ['bridge'], true],
    ['bridge', 'bridge', ['podman'], true],
    ['bridge', 'bridge', [], true],
    ['site', 'site', ['site'], true],
    ['0123456789ab', '0123456789ab', ['site'], true],
    ['0123456789ab', '0123456789ab', ['site', 'other'], false],
    ['none', 'none', ['none'], true],
    ['none', 'none', ['bridge'], false],
    ['none', 'none', ['none', 'site'], false],
    ['bridge', 'bridge', ['bridge', 'site'], false],
  ])('asked for in the network %s, and made in %s, conforms with %j: %s', (network, NetworkMode, names, conforms) => {
    const Networks = Object.fromEntries(names.map((name) => [name, {}]));
    const reply = { ...(inspected({ NetworkMode }) as object), NetworkSettings: { Networks } };
    const policy = aPolicy('images: [busybox]\nusers: ["0:0"]\nnetworks: [bridge, none, site, 0123456789ab]\n');
    const violation = found(reply, policy, { ...usual, spec: aSpec({ network }) });
    expect(violation.length === 0).toBe(conforms);
    expect(violation.every((text) => text.startsWith('it is in the network '))).toBe(true);
  });

  it('is held in as it was to be', () => {
    const spec = aSpec({ capabilitiesDropped: ['ALL'], securityOptions: ['no-new-privileges'] });
    const asked = { ...usual, spec };
    const dropped = (CapDrop: unknown, SecurityOpt: unknown) =>
      found(inspected({ CapDrop, SecurityOpt }), aPolicy(), asked);
    expect(dropped(['ALL'], ['no-new-privileges'])).toEqual([]);
    expect(dropped(['CAP_ALL'], ['no-new-privileges:true'])).toEqual([]);
    // As Podman says it: what is lacking of what it usually gives.
    const each = 'CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT';
    expect(
      dropped(
        each.split(' ').map((name) => `CAP_${name}`),
        ['no-new-privileges'],
      ),
    ).toEqual([]);
    const some = { spec: aSpec({ capabilitiesDropped: ['ALL', 'SYS_ADMIN'], capabilitiesAdded: ['SETUID'] }) };
    const others = each.split(' ').filter((name) => name !== 'SETUID');
    const withSetuid = aPolicy('images: [busybox]\nusers: ["0:0"]\ncapabilities: [SETUID]\n');
    expect(found(inspected({ CapDrop: others, CapAdd: [] }), withSetuid, { ...usual, ...some })).toEqual([]);
    const priv = aPolicy('images: [busybox]\nusers: ["0:0"]\nprivileged: true\n');
    expect(found(inspected({ CapDrop: [], Privileged: true }), priv, { ...usual, ...some })).toEqual([]);
    expect(dropped(['ALL'], [])).toEqual(['it may gain privileges: no-new-privileges is missing']);
    expect(dropped(['ALL'], ['no-new-privileges=false'])[0]).toContain('no-new-privileges');
    expect(dropped(['CHOWN'], ['no-new-privileges'])).toContain('it keeps the capability SETUID, which it was to drop');
    const raw = { ...usual, spec: aSpec({ capabilitiesDropped: ['NET_RAW'] }) };
    expect(found(inspected({ CapDrop: ['CAP_NET_RAW'] }), aPolicy(), raw)).toEqual([]);
    expect(found(inspected({ CapDrop: null }), aPolicy(), raw)).toEqual([
      'it keeps the capability NET_RAW, which it was to drop',
    ]);
  });

  it('keeps to the caps', () => {
    const policy = aPolicy(
      'images: [busybox]\nusers: ["0:0"]\nmost_dock_mem: 1G\nmost_dock_swap: 1G\nmost_cpus_per_dock: 2\n',
    );
    expect(found(inspected({ Memory: 1e9, MemorySwap: 2e9 }), policy)).toEqual([]);
    expect(found(inspected({ Memory: 0, MemorySwap: 0 }), policy)[0]).toContain('most_dock_mem');
    expect(found(inspected({ Memory: 2e9, MemorySwap: 2e9 }), policy)[0]).toContain('most_dock_mem');
    expect(found(inspected({ Memory: 1e9, MemorySwap: 3e9 }), policy)[0]).toContain('most_dock_swap');
    expect(found(inspected({ CpuQuota: 0 }), policy)[0]).toContain('most_cpus_per_dock');
    expect(found(inspected({ CpuQuota: 0 }))).toEqual([]);
    expect(found(inspected({ CpuQuota: 300_000 }), policy)[0]).toContain('most_cpus_per_dock');
    expect(found(inspected({ CpuQuota: 0, NanoCpus: 1e9 }), policy)).toEqual([]);
  });

  it('has no more processes than it may, where the kernel can count them', () => {
    const policy = aPolicy('images: [busybox]\nusers: ["0:0"]\nmost_dock_pids: 5000\n');
    expect(found(inspected({ PidsLimit: 5001 }), policy)[0]).toContain('most_dock_pids');
    expect(found(inspected({ PidsLimit: 5000 }), policy)).toEqual([]);
    for (const none of [0, -1, null]) {
      expect(found(inspected({ PidsLimit: none }), policy)[0]).toContain('most_dock_pids');
      expect(found(inspected({ PidsLimit: none }))).toEqual([]);
    }
    expect(found(inspected({ PidsLimit: 100_000 }))[0]).toContain('most_dock_pids');
  });

  it('that is strange is no container that conforms', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (reply) => {
        expect(() => readContainerSettings(reply)).toThrow(/something strange/);
      }),
    );
  });
});
