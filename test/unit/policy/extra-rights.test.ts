import { describe, expect, it } from 'vitest';
import { extraRights } from '../../../src/policy/extra-rights.js';
import { aConfig } from '../../support/plan-builders.js';

describe('what one configuration gives pilots and another one does not', () => {
  it.each([
    ['docker_privileged true', { docker_privileged: true }, {}],
    ['user_group 0:0', { user_group: '0:0' }, { user_group: '65534:65534' }],
    ['binds /cvmfs:/cvmfs:ro', { binds: ['/cvmfs:/cvmfs:ro'] }, {}],
    ['binds /data:/data', { binds: ['/data:/data'] }, { binds: ['/data:/data:ro'] }],
    ['capabilities SYS_ADMIN', { capabilities: ['SYS_ADMIN'] }, {}],
    ['capabilities without -NET_RAW', {}, { capabilities: ['-NET_RAW'] }],
    ['security_opts seccomp=unconfined', { security_opts: ['seccomp=unconfined'] }, {}],
    ['security_opts without no-new-privileges', {}, { security_opts: ['no-new-privileges'] }],
    ['network host', { network: 'host' }, { network: 'none' }],
    ['max_ttl 7200', { max_ttl: 7200 }, { max_ttl: 3600 }],
    ['max_dock_pids 512', { max_dock_pids: 512 }, { max_dock_pids: 100 }],
    ['evict never', { evict: 'never' as const }, {}],
    ['nice false', { nice: false }, {}],
    ['cpu_headroom 0', { cpu_headroom: 0 }, { cpu_headroom: 2 }],
    ['min_free_mem 0', { min_free_mem: 0 }, {}],
    ['min_free_disk 0', { min_free_disk: 0 }, {}],
    ['cpus_per_dock 2', { cpus_per_dock: 2 }, { cpus_per_dock: 1 }],
    ['max_dock_swap 100', { max_dock_swap: 100 }, {}],
    ['cpus 4096', { cpus: 4096 }, { cpus: 8 }],
    ['cpus 4096', { cpus: 4096 }, {}],
    ['cpu_slack auto', {}, { cpu_slack: 0 }],
    ['evict_margin 4096', { evict_margin: 4096 }, {}],
    ['start_cost 3600', { start_cost: 3600 }, {}],
    ['grace_kill 86400', { grace_kill: 86_400 }, {}],
    ['freeze_max 86400', { freeze_max: 86_400 }, {}],
    ['grace_spawn 0', { grace_spawn: 0 }, {}],
    ['foreign_window 0', { foreign_window: 0 }, {}],
    ['policy legacy', { policy: 'legacy' as const }, {}],
    ['own_cgroups /b', { own_cgroups: ['/a', '/b'] }, { own_cgroups: ['/a'] }],
    ['http_address 127.0.0.1:9107', { http_address: '127.0.0.1:9107' }, {}],
  ])('%s', (right, more, less) => {
    const [config, than] = [aConfig(more), aConfig(less)];
    expect(extraRights(than, config)).toEqual([right]);
    expect(extraRights(config, config)).toEqual([]);
  });

  it('is nothing where it asks for less, or for another image or command, more memory, more pilots or another pace', () => {
    const much = { docker_privileged: true, binds: ['/data:/data', '/data/in:/in'] };
    expect(extraRights(aConfig(much), aConfig({ binds: ['/data/in:/in'] }))).toEqual([]);
    const other = {
      docker_image: 'other:2',
      docker_cmd: ['/bin/other'],
      max_dock_mem: 0,
      max_docks: 100,
      docks_per_loop: 9,
    };
    const pace = { main_sleep: 1, updateconfig: 1, fizzle_seconds: 0, backoff_max: 1, image_keep: 'never' as const };
    expect(extraRights(aConfig(), aConfig({ ...other, ...pace }))).toEqual([]);
  });
});
