import { findingsIn } from '../config/findings.js';
import type { ConfigText } from '../config/layers.js';
import { formatProblem, type ConfigProblem } from '../config/problem.js';
import { closestWord } from '../config/spelling.js';
import { show } from '../config/value-type.js';
import { pathText, readYaml } from '../config/yaml.js';
import { policyKeys, type Policy, type PolicyKey } from './policy.js';

/** A policy, or everything that is wrong with it. There is no half of one: what it was meant to forbid could be in the other half. */
export type PolicyVerdict =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const names = Object.keys(policyKeys) as PolicyKey[];

function isKey(name: string): name is PolicyKey {
  return Object.hasOwn(policyKeys, name);
}

/** Reads the text of a policy. Never throws. A key that is not known is an error: it may be a misspelt ban. */
export function loadPolicy(text: ConfigText): PolicyVerdict {
  const { problems, report } = findingsIn(text);
  const reading = readYaml(text.text);
  for (const { offset, key, message } of reading.problems) report('error', offset, key, message);
  const given = new Map<PolicyKey, unknown>();
  for (const [name, value] of reading.entries) {
    const { key: keyOffset } = reading.locate([name]);
    if (!isKey(name)) {
      const meant = closestWord(name, names);
      const hint = meant === undefined ? `known are ${names.join(', ')}` : `did you mean ${meant}?`;
      report('error', keyOffset, pathText([name]), `unknown key ${show(name)}`, hint);
      continue;
    }
    if (value === null) {
      report('error', keyOffset, name, `is empty; give ${policyKeys[name].accepted}, or remove it`);
      continue;
    }
    const result = policyKeys[name].schema.safeParse(value);
    if (result.success) given.set(name, result.data);
    else
      for (const { path, message } of result.error.issues) {
        const full = [name, ...path.filter((part) => typeof part !== 'symbol')];
        report('error', reading.locate(full).value, pathText(full), message);
      }
  }
  if (problems.length > 0) return { ok: false, problems };
  const values = names.map((name) => {
    return [
      name,
      given.has(name) ? given.get(name) : policyKeys[name].schema.parse(policyKeys[name].fallback),
    ] as const;
  });
  // The schemas in the table made these values, so they have the types that the table says.
  return { ok: true, policy: Object.fromEntries(values) as unknown as Policy };
}

/** A problem of a policy with its line and a caret; a policy holds no secrets. */
export function formatPolicyProblem(problem: ConfigProblem, text: string): string {
  return formatProblem(problem, text, () => true);
}
