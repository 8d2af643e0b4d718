import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { renderConfigFile } from '../../src/config/render.js';
import type { Config } from '../../src/config/schema.js';
import { toCreateOptions } from '../../src/engine/pilot-container.js';
import { pilotSpec } from '../../src/plan/pilot-spec.js';
import { loadPolicy } from '../../src/policy/load-policy.js';
import { narrow } from '../../src/policy/narrow.js';
import { neededPolicy, renderPolicyFile } from '../../src/policy/needed-policy.js';
import { anObservation } from '../support/builders.js';

// What is tightened for those who begin must not break what runs already.

const folder = join(import.meta.dirname, '../fixtures/config');
const host = { ncpus: 4, ramBytes: 8e9, swapBytes: 1e9 };

function load(text: string): Config {
  const result = loadConfig([{ file: 'config.yaml', text }], host);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function underItsPolicy(config: Config) {
  const verdict = loadPolicy({ file: 'policy.yaml', text: renderPolicyFile(neededPolicy(config)) });
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  return narrow(config, verdict.policy, { hidden: [], readOnly: [] });
}

function asked(config: Config) {
  const spec = pilotSpec({ config, revision: 'r1' }, anObservation(), 'aaaaaa');
  return toCreateOptions(spec, '/plancton/x', { appArmor: true, logDriver: 'json-file' });
}

/** What every pilot has, whatever its configuration says. */
const always = {
  PidsLimit: 4096,
  Init: true,
  OomScoreAdj: 500,
  RestartPolicy: { Name: 'no' },
  AutoRemove: false,
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
};

describe.each(readdirSync(folder))('the pilots of %s', (file) => {
  const config = load(readFileSync(join(folder, file), 'utf8'));

  test('are root with the capabilities that engines give, as far as nothing else is said', () => {
    const { User, HostConfig } = asked(config);
    expect(User).toBe('0:0');
    expect(HostConfig.CapDrop).toEqual([]);
    expect(HostConfig.CapAdd).toEqual(config.capabilities);
    expect(HostConfig.SecurityOpt.join()).not.toMatch(/no-new-privileges|unconfined/);
    expect(HostConfig.MemorySwap).toBe(config.max_dock_mem + config.max_dock_swap);
  });

  test('are bounded nevertheless', () => {
    expect(asked(config).HostConfig).toMatchObject(always);
  });

  test('are changed in nothing by the policy that is written for them', () => {
    expect(underItsPolicy(config)).toEqual({ config, clamps: [], refusals: [] });
  });
});

describe('the pilots of a new configuration', () => {
  const config = load(renderConfigFile());

  test('are nobody, with no capability and no way to get one', () => {
    const { User, HostConfig } = asked(config);
    expect(User).toBe('65534:65534');
    expect(HostConfig).toMatchObject({
      ...always,
      CapAdd: [],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      Memory: 2e9,
      MemorySwap: 2e9,
    });
  });

  test('need nothing of the policy but their image and their user', () => {
    expect(underItsPolicy(config)).toEqual({ config, clamps: [], refusals: [] });
  });
});
