import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema.js';
import { loadPolicy } from '../../../src/policy/load-policy.js';
import { narrow } from '../../../src/policy/narrow.js';
import {
  neededPolicy,
  renderPolicyFile,
  writtenPolicy,
  type WrittenPolicy,
} from '../../../src/policy/needed-policy.js';
import type { Policy, PolicyKey } from '../../../src/policy/policy.js';
import { aConfig } from '../../support/plan-builders.js';

function aPolicy(written: WrittenPolicy): Policy {
  const verdict = loadPolicy({ file: 'policy.yaml', text: JSON.stringify(written) });
  if (!verdict.ok) throw new Error(verdict.problems.map(({ message }) => message).join('\n'));
  return verdict.policy;
}

const nothing = { hidden: [], readOnly: [] };
const usual: WrittenPolicy = { images: ['busybox'], users: ['0:0'] };
const refusals = (config: Partial<Config>, policy: WrittenPolicy = {}) =>
  narrow(aConfig(config), aPolicy({ ...usual, ...policy }), nothing).refusals;

describe('a configuration under a policy', () => {
  it('stays as it is where the policy allows all of it', () => {
    const config = aConfig();
    expect(narrow(config, aPolicy(usual), nothing)).toStrictEqual({ config, clamps: [], refusals: [] });
  });

  it('gets nothing from an empty policy: no image, and no root', () => {
    expect(narrow(aConfig(), aPolicy({}), nothing).refusals).toEqual([
      'docker_image busybox: not among the allowed images; the policy of this host could allow it under images',
      'user_group 0:0: not among the allowed users; the policy of this host could allow it under users',
    ]);
  });

  it('is capped in every number, and says so', () => {
    const wanted = {
      max_docks: 50,
      cpus_per_dock: 8,
      max_dock_mem: 0,
      max_dock_swap: 1e9,
      max_ttl: 1e6,
      stop_timeout: 600,
    };
    const policy = { most_docks: 4, most_cpus_per_dock: 2, most_dock_mem: '1G', most_dock_swap: 0, most_ttl: '1h' };
    const least = { least_main_sleep: '10s', least_updateconfig: '1m', most_stop_timeout: '30s' };
    const config = aConfig({ ...wanted, main_sleep: 1, updateconfig: 5, git_interval: 5 });
    const narrowed = narrow(config, aPolicy({ ...usual, ...policy, ...least }), nothing);
    expect(narrowed.config).toStrictEqual({
      ...config,
      ...{ max_docks: 4, cpus_per_dock: 2, max_dock_mem: 1e9, max_dock_swap: 0, max_ttl: 3600 },
      ...{ main_sleep: 10, updateconfig: 60, git_interval: 60, stop_timeout: 30 },
    });
    expect(narrowed.clamps).toHaveLength(9);
    expect(narrowed.clamps).toContain(
      'max_dock_mem is 1G instead of no limit: the policy of this host says most_dock_mem',
    );
    expect(narrowed.clamps).toContain('main_sleep is 10s instead of 1s: the policy of this host says least_main_sleep');
    expect(narrowed.refusals).toEqual([]);
  });

  /** As far as each goes, and what the policy leaves of it. */
  const bounded: readonly (readonly [keyof Config, number | 'never', PolicyKey, number])[] = [
    ['max_docks', 50, 'most_docks', 0],
    ['docks_per_loop', 50, 'most_docks_per_loop', 2],
    ['cpus', 64, 'most_cpus', 8],
    ['cpus_per_dock', 8, 'most_cpus_per_dock', 2],
    ['max_dock_mem', 2e9, 'most_dock_mem', 1e9],
    ['max_dock_swap', 2e9, 'most_dock_swap', 0],
    ['max_dock_pids', 5000, 'most_dock_pids', 100],
    ['max_ttl', 1e6, 'most_ttl', 3600],
    ['stop_timeout', 600, 'most_stop_timeout', 30],
    ['grace_kill', 86_400, 'most_grace_kill', 60],
    ['freeze_max', 86_400, 'most_freeze_max', 60],
    ['cpu_slack', 64, 'most_cpu_slack', 0.5],
    ['evict_margin', 64, 'most_evict_margin', 0.5],
    ['start_cost', 3600, 'most_start_cost', 0.5],
    ['image_keep', 'never', 'most_image_keep', 3600],
    ['journal_size', 1e9, 'most_journal_size', 2e6],
    ['post_mortem_size', 1e9, 'most_post_mortem_size', 2e6],
    ['journal_age', 1e6, 'most_journal_age', 3600],
    ['main_sleep', 1, 'least_main_sleep', 10],
    ['updateconfig', 1, 'least_updateconfig', 10],
    ['git_interval', 1, 'least_updateconfig', 10],
    ['cpu_headroom', 0, 'least_cpu_headroom', 2],
    ['min_free_mem', 0, 'least_min_free_mem', 1e9],
    ['min_free_disk', 0, 'least_min_free_disk', 1e9],
    ['foreign_window', 0, 'least_foreign_window', 300],
    ['grace_spawn', 0, 'least_grace_spawn', 60],
    ['fizzle_seconds', 0, 'least_fizzle_seconds', 10],
    ['backoff_seconds', 1, 'least_backoff', 10],
    ['backoff_max', 1, 'least_backoff', 10],
    ['image_expiration', 60, 'least_image_expiration', 3600],
  ];

  it.each(bounded)('has %s of %s brought back by %s to %s', (name, wanted, by, limit) => {
    const usualConfig = aConfig({ [name]: limit });
    const policy = aPolicy({ ...usual, [by]: limit });
    const { config, clamps } = narrow({ ...usualConfig, [name]: wanted }, policy, nothing);
    expect(config[name]).toBe(limit);
    expect(clamps.filter((clamp) => clamp.startsWith(`${name} is `))).toHaveLength(1);
    expect(clamps.every((clamp) => clamp.endsWith(`: the policy of this host says ${by}`))).toBe(true);
    expect(narrow(usualConfig, policy, nothing).config[name]).toBe(limit);
  });

  it('has a bound for every number', () => {
    const isNumber = (name: string, value: unknown) =>
      typeof value === 'number' || ['cpus', 'cpu_slack', 'image_keep'].includes(name);
    const numbers = Object.entries(aConfig()).flatMap(([name, value]) => (isNumber(name, value) ? [name] : []));
    expect(bounded.map(([name]) => name).sort()).toEqual(numbers.sort());
  });

  it('follows the host where it says so, whatever is capped', () => {
    const config = aConfig({ cpus: 'auto', cpu_slack: 'auto' });
    expect(narrow(config, aPolicy({ ...usual, most_cpus: 1, most_cpu_slack: 0 }), nothing).config).toStrictEqual(
      config,
    );
  });

  it('answers all users of the host only where that is allowed', () => {
    const config = aConfig({ http_address: '127.0.0.1:9107' });
    const silenced = narrow(config, aPolicy(usual), nothing);
    expect(silenced.config.http_address).toBe('none');
    expect(silenced.clamps).toEqual([
      'http_address is none instead of 127.0.0.1:9107: the policy of this host does not say local_http: true',
    ]);
    expect(narrow(config, aPolicy({ ...usual, local_http: true }), nothing)).toMatchObject({ config, clamps: [] });
  });

  it.each<[string, Partial<Config>]>([
    ['evict never', { evict: 'never' }],
    ['nice false', { nice: false }],
    ['policy legacy', { policy: 'legacy' }],
    ['own_cgroups /user.slice', { own_cgroups: ['/user.slice'] }],
  ])('is refused for %s where pilots must yield', (what, config) => {
    expect(refusals(config)).toEqual([]);
    expect(refusals(config, { require_yielding: true })).toEqual([
      `${what}: pilots must yield here; the policy of this host says require_yielding`,
    ]);
  });

  it.each<[string, Partial<Config>, WrittenPolicy]>([
    ['docker_privileged true', { docker_privileged: true }, { privileged: true }],
    ['user_group root', { user_group: 'root' }, { users: ['root'] }],
    ['user_group 1000:0', { user_group: '1000:0' }, { users: ['1000:0'] }],
    ['user_group 999:999', { user_group: '999:999' }, { users: ['1-1000'] }],
    ['binds /data:/d', { binds: ['/data:/d'] }, { binds: ['/data:rw'] }],
    ['devices /dev/fuse:rw', { devices: [fuse('rw')] }, { devices: ['/dev/fuse:rwm'] }],
    ['devices /dev/fuse:rwm', { devices: [fuse('rwm')] }, { devices: ['/dev/fuse'] }],
    ['capabilities SYS_ADMIN', { capabilities: ['+cap_sys_admin', '-NET_RAW'] }, { capabilities: ['SYS_ADMIN'] }],
    ['capabilities SYS_PTRACE', { capabilities: ['SYS_PTRACE'] }, { capabilities: ['ALL'] }],
    [
      'security_opts seccomp:unconfined',
      { security_opts: ['seccomp:unconfined'] },
      { security_opts: ['seccomp=unconfined'] },
    ],
    ['network host', { network: 'host' }, { networks: ['host'] }],
    ['network container:x', { network: 'container:x' }, { networks: ['container:x'] }],
  ])('is refused for %s, unless the policy says so', (refused, config, policy) => {
    expect(refusals(config)).toHaveLength(1);
    expect(refusals(config)[0]).toMatch(new RegExp(`^${refused.replaceAll(/[+.]/g, '\\$&')}: `));
    expect(refusals(config, { users: ['0:0'], ...policy })).toEqual([]);
  });

  it.each<[string, Partial<Config>, WrittenPolicy]>([
    ['a number of the group out of the range', { user_group: '1000:0' }, { users: ['1-65535'] }],
    ["a number without a group, which is then root's", { user_group: '1000' }, { users: ['1-65535'] }],
    ['swap without end', { max_dock_mem: 0 }, { most_dock_swap: 0 }],
    ['a name where numbers are allowed', { user_group: 'alice' }, { users: ['0-65535'] }],
    ['more than the permissions of a device', { devices: [fuse('rwm')] }, { devices: ['/dev/fuse:r'] }],
    ['another device', { devices: [fuse('r')] }, { devices: ['/dev/fuse2'] }],
    ['a tag where digests are required', { docker_image: 'busybox:1' }, { require_digest: true }],
    ['another capability', { capabilities: ['SYS_MODULE'] }, { capabilities: ['SYS_ADMIN'] }],
  ])('is refused for %s', (_what, config, policy) => {
    expect(refusals(config, policy)).toHaveLength(1);
  });

  it('needs no permission for what makes pilots weaker', () => {
    expect(refusals({ security_opts: ['no-new-privileges'], capabilities: ['-ALL'], network: 'none' })).toEqual([]);
  });

  it('never gets the token that the policy names, and writes to none of its keys', () => {
    const files = { http_token_file: '/srv/x/token', config_keys: ['/srv/keys/signers'] };
    const all = { ...files, binds: ['/srv/x', '/srv/x/token', '/srv/keys:rw'] };
    expect(refusals({ binds: ['/srv/x/token:/t:ro', '/srv/x:/x:ro', '/srv/keys:/k', '/srv/keys:/k:ro'] }, all)).toEqual(
      [
        'binds /srv/x/token:/t:ro: pilots never get /srv/x/token',
        'binds /srv/x:/x:ro: pilots never get /srv/x, since /srv/x/token is in it',
        'binds /srv/keys:/k: pilots never write to /srv/keys/signers; add :ro to the bind',
      ],
    );
  });

  it('never gets what no policy can give', () => {
    const all = { binds: ['/:rw'] };
    expect(refusals({ binds: ['/:/host'] }, all)).toEqual(['binds /:/host: pilots never get /, since /etc is in it']);
    const config = aConfig({ binds: ['/srv/secret/x:/x:ro'] });
    expect(
      narrow(config, aPolicy({ ...usual, ...all }), { hidden: ['/srv/secret'], readOnly: [] }).refusals,
    ).toHaveLength(1);
  });
});

function fuse(permissions: string) {
  return { hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions };
}

const anyConfig = fc
  .record({
    docker_image: fc.constantFrom('busybox', 'reg.org:5000/a/b:1', `x/y@sha256:${'a'.repeat(64)}`),
    user_group: fc.constantFrom('0:0', '1000', 'alice:users'),
    docker_privileged: fc.boolean(),
    binds: fc.subarray(['/cvmfs:/cvmfs', '/data/x:/x:ro', '/srv/a:/a:rw,shared', '/usr/share:/s:ro']),
    devices: fc.subarray([fuse('rw'), fuse('rwm')]),
    capabilities: fc.subarray(['SYS_ADMIN', '+NET_ADMIN', '-NET_RAW', 'CAP_SYS_PTRACE']),
    security_opts: fc.subarray(['apparmor:docker-cvmfs', 'seccomp=unconfined', 'no-new-privileges']),
    network: fc.constantFrom('bridge', 'host', 'none'),
    max_docks: fc.nat({ max: 100 }),
  })
  .map((values) => aConfig(values));

describe('the policy that a configuration needs', () => {
  it('allows it as it is, also once it was written to a file and read again', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const verdict = loadPolicy({ file: 'p', text: renderPolicyFile(neededPolicy(config)) });
        expect(verdict).toMatchObject({ ok: true });
        if (verdict.ok)
          expect(narrow(config, verdict.policy, nothing)).toStrictEqual({ config, clamps: [], refusals: [] });
      }),
    );
  });

  it('allows nothing that another configuration has beyond it', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (mine, theirs) => {
        const found = narrow(theirs, aPolicy(neededPolicy(mine)), nothing).refusals.map(
          (refusal) => refusal.split(' ')[0],
        );
        expect(found.includes('docker_image')).toBe(mine.docker_image !== theirs.docker_image);
        expect(found.includes('user_group')).toBe(mine.user_group !== theirs.user_group);
        expect(found.includes('docker_privileged')).toBe(theirs.docker_privileged && !mine.docker_privileged);
        expect(found.includes('network')).toBe(mine.network !== theirs.network);
        expect(found.includes('binds')).toBe(theirs.binds.some((bind) => !mine.binds.includes(bind)));
      }),
    );
  });

  it('says the same in its own words', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const policy = aPolicy(neededPolicy(config));
        expect(aPolicy(writtenPolicy(policy))).toStrictEqual(policy);
      }),
    );
  });
});

describe('a wider policy', () => {
  it('refuses nothing that a narrower one allows', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, anyConfig, (config, one, other) => {
        const [a, b] = [neededPolicy(one), neededPolicy(other)].map(aPolicy) as [Policy, Policy];
        const both = {
          ...a,
          images: [...a.images, ...b.images],
          users: [...a.users, ...b.users],
          binds: [...a.binds, ...b.binds],
          devices: [...a.devices, ...b.devices],
          capabilities: [...a.capabilities, ...b.capabilities],
          security_opts: [...a.security_opts, ...b.security_opts],
          networks: [...a.networks, ...b.networks],
          privileged: a.privileged || b.privileged,
        };
        const refused = narrow(config, a, nothing).refusals;
        for (const refusal of narrow(config, both, nothing).refusals) expect(refused).toContain(refusal);
      }),
    );
  });
});
