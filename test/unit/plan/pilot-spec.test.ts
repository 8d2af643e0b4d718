import { describe, expect, test } from 'vitest';
import type { Observation } from '../../../src/model.js';
import { nextSuffix, pilotName } from '../../../src/plan/pilot-spec.js';
import { plan } from '../../../src/plan/plan.js';
import { initialState } from '../../../src/plan/state.js';
import { aHost, anInFlight, anInstant, anObservation } from '../../support/builders.js';
import { aConfig, aStory, first, pilotsOf, spawnsOf } from '../../support/plan-builders.js';

function firstSpec(config = aConfig(), base: Parameters<typeof aStory>[1] = {}) {
  return first(spawnsOf(aStory(config, base).look())).spec;
}

describe('the names of new pilots', () => {
  test('are as the original gave them', () => {
    const { name, hostname } = firstSpec();

    expect(name).toMatch(/^plancton-worker-[0-9a-z]{6}$/);
    expect(hostname).toBe(`plancton-host1-${name.slice(-6)}`);
  });

  test('hold the short host name, and no more of it than fits', () => {
    expect(firstSpec(aConfig(), { host: aHost({ hostname: 'n1.site.org' }) }).hostname).toMatch(/^plancton-n1-\w{6}$/);
    const long = firstSpec(aConfig(), { host: aHost({ hostname: 'h'.repeat(63) }) }).hostname;
    expect(long).toHaveLength(56);
  });

  test('differ within a plan and from plan to plan', () => {
    const story = aStory(aConfig({ docks_per_loop: 100, max_docks: 100, cpus_per_dock: 0.08 }));
    const names = Array.from({ length: 20 }, () => spawnsOf(story.look()).map(({ spec }) => spec.name)).flat();

    expect(names).toHaveLength(2000);
    expect(new Set(names).size).toBe(2000);
  });

  test('differ from daemon to daemon, and are the same for the same seed', () => {
    const nameFor = (seed: number) =>
      spawnsOf(plan(aConfig(), anObservation(), initialState(seed))).map(({ spec }) => spec.name);

    expect(nameFor(1)).toStrictEqual(nameFor(1));
    expect(nameFor(1)).not.toStrictEqual(nameFor(2));
  });

  test('are not those of listed pilots or of starts under way', () => {
    const config = aConfig({ docks_per_loop: 1 });
    const nameBeside = (seen: Partial<Observation>) =>
      first(spawnsOf(plan(config, anObservation(seen), initialState(3)))).spec.name;
    const name = nameBeside({});
    const second = nameBeside({ pilots: pilotsOf(1, { name }) });
    const third = nameBeside({ inFlight: anInFlight({ spawning: [{ name, cpus: 1 }] }) });

    expect(second).not.toBe(name);
    expect(third).toBe(second);
  });

  test('avoid all that is taken', () => {
    const taken = new Set<string>();
    let seed = 0;
    for (let count = 0; count < 100; count += 1) {
      const again = nextSuffix(0, taken);
      taken.add(pilotName(again.suffix));
      seed = again.seed;
    }

    expect(taken.size).toBe(100);
    expect(seed).not.toBe(0);
  });
});

describe('a new pilot', () => {
  test('is as the configuration says', () => {
    const config = aConfig({
      docker_cmd: ['run', '--now'],
      docker_entrypoint: ['/entry'],
      docker_env: { SITE: 'here' },
      user_group: '1:2',
      cpus_per_dock: 0.5,
      max_dock_mem: 3e9,
      max_dock_swap: 1e9,
      docker_privileged: true,
      network: 'host',
      devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rwm' }],
      security_opts: ['no-new-privileges'],
    });
    const spec = firstSpec(config);

    expect(spec).toStrictEqual({
      name: spec.name,
      hostname: spec.hostname,
      image: 'busybox',
      command: ['run', '--now'],
      entrypoint: ['/entry'],
      env: { SITE: 'here' },
      user: '1:2',
      cpus: 0.5,
      memoryBytes: 3e9,
      swapBytes: 1e9,
      pids: 4096,
      privileged: true,
      network: 'host',
      binds: [],
      devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rwm' }],
      capabilitiesAdded: [],
      capabilitiesDropped: [],
      securityOptions: ['no-new-privileges'],
      instance: 'test',
      flavour: 'default',
      revision: 'r1',
      bootId: aHost().bootId,
      spawnedBootMs: anInstant().bootMs,
    });
  });

  test('gets the capabilities with a plus or none, and loses those with a minus', () => {
    const spec = firstSpec(aConfig({ capabilities: ['SYS_ADMIN', '+NET_RAW', '-MKNOD'] }));

    expect(spec.capabilitiesAdded).toStrictEqual(['SYS_ADMIN', 'NET_RAW']);
    expect(spec.capabilitiesDropped).toStrictEqual(['MKNOD']);
  });

  test('does not ask for propagation from a private mount, where the engine would refuse it, unless told to', () => {
    const binds = ['/data:/data', '/cvmfs:/cvmfs', '/x:/x:rw,rslave'];
    const base = { privateBinds: ['/data', '/x'] };

    expect(firstSpec(aConfig({ binds }), base).binds).toStrictEqual([
      '/data:/data:rw',
      '/cvmfs:/cvmfs:rw,rslave',
      '/x:/x:rw,rslave',
    ]);
    expect(firstSpec(aConfig({ binds, bind_options: 'rslave' }), base).binds[0]).toBe('/data:/data');
  });

  test('has its binds as they are given, with the configured mode where they name none', () => {
    const binds = ['/cvmfs:/cvmfs', '/data:/data:ro'];

    expect(firstSpec(aConfig({ binds })).binds).toStrictEqual(['/cvmfs:/cvmfs:rw,rslave', '/data:/data:ro']);
    expect(firstSpec(aConfig({ binds, bind_options: 'ro' })).binds[0]).toBe('/cvmfs:/cvmfs:ro');
  });
});
