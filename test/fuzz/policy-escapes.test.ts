import { it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { keys, type Config } from '../../src/config/schema.js';
import { toCreateOptions } from '../../src/engine/pilot-container.js';
import { readContainerSettings } from '../../src/engine/docker-settings.js';
import { pilotSpec } from '../../src/plan/pilot-spec.js';
import { violations } from '../../src/policy/conforms.js';
import { loadPolicy } from '../../src/policy/load-policy.js';
import { narrow } from '../../src/policy/narrow.js';
import { neededPolicy, type WrittenPolicy } from '../../src/policy/needed-policy.js';
import { policyKeys } from '../../src/policy/policy.js';
import { aHost, anObservation } from '../support/builders.js';
import type { Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { beyondPolicy } from './policy-judge.js';
import { writtenKeys } from './written-keys.js';

const own = { hidden: ['/run/plancton', '/srv/data/secret'], readOnly: ['/opt/plancton'] };
const configKeys = writtenKeys(keys);
const hostPolicyKeys = writtenKeys(policyKeys);

function anyConfig(dice: Dice): Config {
  for (;;) {
    const text = JSON.stringify(configKeys.pick(dice, { keys: 0.3, wrong: 0 }));
    const result = loadConfig([{ file: 'config.yaml', text }], aHost());
    if (result.ok) return result.config;
  }
}

/** The policy that the configuration needs, mostly, with some of it taken away and some added. */
function anyPolicy(dice: Dice, config: Config): WrittenPolicy {
  const needed = dice.chance(0.9) ? neededPolicy(config) : {};
  const kept = Object.fromEntries(dice.some(Object.entries(needed), 0.93));
  return { ...kept, ...hostPolicyKeys.pick(dice, { keys: 0.08, wrong: 0 }) };
}

/** What stands between us and the engine might add. */
const GIFTS: readonly Readonly<Record<string, unknown>>[] = [
  { Privileged: true }, { CapAdd: ['SYS_MODULE'] }, { CapAdd: ['ALL'] }, { Binds: ['/:/host'] }, { Binds: ['/var/run/docker.sock:/s'] },
  { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }] }, { PidMode: 'host' }, { IpcMode: 'host' },
  { NetworkMode: 'host' }, { UsernsMode: 'host' }, { UTSMode: 'host' }, { SecurityOpt: ['seccomp=unconfined'] }, { SecurityOpt: ['apparmor=unconfined'] },
  { NanoCpus: 64e9 }, { Memory: 0, MemorySwap: -1 }, { Memory: 1e13, MemorySwap: 1e13 }, { VolumesFrom: ['db'] }, { MaskedPaths: [] }, { ReadonlyPaths: [] },
  { Mounts: [{ Type: 'bind', Source: '/', Target: '/x' }] }, { RestartPolicy: { Name: 'always' } }, { GroupAdd: ['0'] }, { Sysctls: { 'kernel.core_pattern': '|/x' } },
  { DeviceCgroupRules: ['a *:* rwm'] }, { CgroupnsMode: 'weird' }, { OomKillDisable: true }, { Tmpfs: { '/x': 'exec' } }, { Links: ['db:db'] },
  { CapDrop: null }, { SecurityOpt: [] }, { CgroupParent: '/' }, { Init: false }, { LogConfig: { Type: 'json-file' } },
]; // prettier-ignore

it('configurations under policies', () =>
  fuzz({
    name: 'configuration under a policy',
    make: (dice) => {
      const config = anyConfig(dice);
      return { config, policy: anyPolicy(dice, config), gift: dice.chance(0.2) ? dice.pick(GIFTS) : undefined };
    },
    feed: ({ config, policy: written, gift }) => {
      const verdict = loadPolicy({ file: 'policy.yaml', text: JSON.stringify(written) });
      if (!verdict.ok) return false;
      const { policy } = verdict;
      const narrowed = narrow(config, policy, own);
      const spec = pilotSpec({ config: narrowed.config, revision: 'r' }, anObservation(), 'aaaaaa');
      const asked = { spec, cgroupParent: '/plancton/x' };
      const { HostConfig, ...Config } = toCreateOptions(spec, asked.cgroupParent, {
        appArmor: true,
        logDriver: 'json-file',
      });
      const made = { Config, HostConfig: { ...HostConfig, ...gift } };
      const found = violations(readContainerSettings(made), asked, policy, own);
      const beyond = beyondPolicy(made, policy, own);
      if (narrowed.refusals.length === 0 && gift === undefined) {
        if (beyond.length > 0) throw new Error(`it got ${beyond.join(', ')}`);
        if (found.length > 0) throw new Error(`accepted, and would never start: ${found.join('; ')}`);
        return true;
      }
      if (found.length === 0 && beyond.length > 0) throw new Error(`it would be started with ${beyond.join(', ')}`);
      return narrowed.refusals.length === 0;
    },
  }));
