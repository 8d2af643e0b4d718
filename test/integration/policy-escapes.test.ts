import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDockerEngine } from '../../src/engine/docker-engine.js';
import { toCreateOptions } from '../../src/engine/pilot-container.js';
import type { AskedContainer } from '../../src/model.js';
import { systemClock } from '../../src/clock.js';
import type { Config } from '../../src/config/schema.js';
import { pilotSpec } from '../../src/plan/pilot-spec.js';
import { violations } from '../../src/policy/conforms.js';
import { loadPolicy } from '../../src/policy/load-policy.js';
import { narrow } from '../../src/policy/narrow.js';
import { anObservation } from '../support/builders.js';
import { escapeAttempts, strictPolicy, type EscapeAttempt } from '../support/escape-attempts.js';
import { aConfig } from '../support/plan-builders.js';

const verdict = loadPolicy({ file: 'policy.yaml', text: strictPolicy });
if (!verdict.ok) throw new Error('the strict policy is none');
const { policy } = verdict;
const own = { hidden: ['/srv/own'], readOnly: [] };

const modest = aConfig({ network: 'none', cpus_per_dock: 0.1, max_dock_mem: 20_000_000 });

function askedFor(config: Config): AskedContainer {
  return { spec: pilotSpec({ config, revision: 'r1' }, anObservation(), 'escape'), cgroupParent: undefined };
}

/** The create request that an attempt comes to. */
function requestOf(attempt: EscapeAttempt, { spec, cgroupParent }: AskedContainer): Record<string, unknown> {
  const request = toCreateOptions(spec, cgroupParent, { appArmor: true, logDriver: 'json-file' });
  const host = { ...request.HostConfig, ...('host' in attempt ? attempt.host : {}) };
  return { ...request, ...('container' in attempt ? attempt.container : {}), HostConfig: host };
}

describe('the policy on a real engine', () => {
  let docker: Docker;
  /** `docker.io/x` is `x` under another name. */
  const tagged = new Set<string>();
  const socketPath = () => inject('dockerHost').replace('unix://', '');
  const engine = () =>
    createDockerEngine({ host: inject('dockerHost'), clock: systemClock, registryAuthFile: '/nonexistent' });

  beforeAll(async () => {
    docker = new Docker({ socketPath: socketPath() });
    for (const attempt of escapeAttempts) {
      if (!('config' in attempt) || attempt.config.docker_image === 'busybox') continue;
      const name = attempt.config.docker_image;
      const [, repo = name, tag = 'latest'] = /^(.*?)(?::([\w.-]+))?$/.exec(name) ?? [];
      await docker.getImage('busybox:latest').tag({ repo, tag });
      tagged.add(`${repo.replace(/^docker\.io\//, '')}:${tag}`);
    }
  }, 120_000);

  afterAll(async () => {
    for (const name of tagged) await docker.getImage(name).remove({ noprune: true });
    await docker
      .getVolume('plancton-test-volume')
      .remove()
      .catch(() => undefined);
    await docker
      .getVolume('v')
      .remove()
      .catch(() => undefined);
  });

  /** What is found wrong with what the engine made of an attempt; the engine's own refusal where it made nothing. */
  async function tryOut(attempt: EscapeAttempt, usual = modest): Promise<readonly string[]> {
    const asked = askedFor('config' in attempt ? attempt.config : usual);
    const request = requestOf(attempt, asked);
    let container: Docker.Container;
    try {
      // As the plain options of dockerode the environment would be part of the address.
      const split: object = { _query: { name: asked.spec.name }, _body: request };
      container = await docker.createContainer(split);
    } catch (error) {
      return [`refused by the engine: ${String(error)}`];
    }
    try {
      return violations(await engine().settingsOf(container.id, asked.spec), asked, policy, own);
    } finally {
      await container.remove({ force: true, v: true });
    }
  }

  it('has more than 200 attempts to stand', () => {
    expect(escapeAttempts.length).toBeGreaterThanOrEqual(200);
    expect(new Set(escapeAttempts.map(({ what }) => what)).size).toBe(escapeAttempts.length);
  });

  it('lets pilots through that ask for what it allows', async () => {
    const allowed = {
      ...modest,
      docker_image: 'busybox',
      binds: ['/srv/plancton-test/x:/x:ro', '/opt/plancton-test:/y'],
      devices: [{ hostPath: '/dev/null', containerPath: '/dev/x', permissions: 'r' }],
      capabilities: ['+CAP_SYS_NICE', '-NET_RAW'],
      security_opts: ['no-new-privileges'],
    };
    expect(narrow(allowed, policy, own).refusals).toEqual([]);
    expect(await tryOut({ what: 'nothing', config: allowed })).toEqual([]);
  });

  it.each<[string, string, Readonly<Record<string, unknown>>]>([
    ['capabilities', 'it keeps the capability NET_RAW', { CapDrop: [] }],
    ['privileges to gain', 'it may gain privileges', { SecurityOpt: [] }],
    ['no init', 'it has no Init', { Init: false }],
    ['a log without end', 'it has a LogConfig without max-size', { LogConfig: { Type: 'json-file', Config: {} } }],
  ])('refuses a pilot with %s where it was to be held in', async (what, found, host) => {
    const heldIn = { ...modest, capabilities: ['-NET_RAW'], security_opts: ['no-new-privileges'] };
    expect(await tryOut({ what: 'nothing', host: {} }, heldIn)).toEqual([]);
    expect(await tryOut({ what, host }, heldIn)).toEqual([expect.stringContaining(found)]);
  });

  it.each(escapeAttempts.filter((attempt) => 'config' in attempt))(
    'refuses $what, before anything is made',
    (attempt) => {
      expect(narrow(attempt.config, policy, own).refusals).not.toEqual([]);
    },
  );

  it('refuses each of them once more by what the engine says it has made', async () => {
    const through: string[] = [];
    for (const attempt of escapeAttempts) {
      if ((await tryOut(attempt)).length === 0) through.push(attempt.what);
    }
    expect(through).toEqual([]);
  }, 300_000);
});
