import { expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.js';
import { keys, type Config } from '../../src/config/schema.js';
import { loadPolicy } from '../../src/policy/load-policy.js';
import { policyKeys } from '../../src/policy/policy.js';
import { aHost } from '../support/builders.js';
import type { Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';
import { toYaml, writtenKeys } from './written-keys.js';

const host = aHost();
const configKeys = writtenKeys(keys);
const hostPolicyKeys = writtenKeys(policyKeys);

function file(dice: Dice, from: typeof configKeys): string {
  const text = toYaml(from.pick(dice, { keys: 0.15, wrong: 0.02 }), dice);
  return dice.chance(0.45) ? mutateText(text, dice) : text;
}

/** What is told to people: something, on few lines, and nothing that a terminal obeys. */
function expectReadable(problems: readonly string[]): void {
  if (problems.length === 0) throw new Error('refused without a reason');
  for (const problem of problems) {
    // eslint-disable-next-line no-control-regex -- what must not be there is looked for
    if (problem === '' || /[\0-\x08\x0b-\x1f\x7f]/.test(problem))
      throw new Error(`not fit for a terminal: ${JSON.stringify(problem)}`);
  }
}

/** Numbers that went through all checks can be computed with. */
function expectSane(config: Config): void {
  for (const [name, value] of Object.entries(config)) {
    if (typeof value === 'number' && !(value >= 0 && Number.isFinite(value))) throw new Error(`${name} is ${value}`);
    if (!Object.hasOwn(keys, name)) throw new Error(`${name} is no key`);
  }
  expect(Number.isInteger(config.max_docks)).toBe(true);
}

it('configurations', () =>
  fuzz({
    name: 'configuration',
    make: (dice) => {
      const layers = [{ file: 'config.yaml', text: file(dice, configKeys) }];
      if (dice.chance(0.1)) layers.push({ file: 'hosts/host1.yaml', text: file(dice, configKeys) });
      return layers;
    },
    feed: (layers) => {
      const verdict = checkConfig(layers, host);
      if (verdict.ok) expectSane(verdict.config);
      else expectReadable(verdict.problems);
      return verdict.ok;
    },
  }));

it('policies', () =>
  fuzz({
    name: 'policy',
    make: (dice) => file(dice, hostPolicyKeys),
    feed: (text) => {
      const verdict = loadPolicy({ file: 'policy.yaml', text });
      if (!verdict.ok) expectReadable(verdict.problems.map(({ message }) => message));
      return verdict.ok;
    },
  }));
