import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPolicyProblem, loadPolicy } from '../../../src/policy/load-policy.js';
import { renderPolicyFile } from '../../../src/policy/needed-policy.js';
import { policyKeys } from '../../../src/policy/policy.js';

const problems = (text: string) => {
  const verdict = loadPolicy({ file: 'policy.yaml', text });
  return verdict.ok ? [] : verdict.problems.map((problem) => formatPolicyProblem(problem, text).split('\n')[0]);
};

describe('the text of a policy', () => {
  it('may be empty, which allows no image', () => {
    expect(loadPolicy({ file: 'p', text: '' })).toMatchObject({ ok: true, policy: { images: [], privileged: false } });
  });

  it('is the same when every default is written out', () => {
    expect(loadPolicy({ file: 'p', text: renderPolicyFile({}) })).toStrictEqual(loadPolicy({ file: 'p', text: '' }));
    expect(renderPolicyFile({}).match(/^[a-z_]+:/gm)).toHaveLength(Object.keys(policyKeys).length);
  });

  it.each(['off', 'no', '"off"', 'warn', 'require'])('may say %s to signatures', (mode) => {
    const config_signatures = /off|no/.test(mode) ? 'off' : mode;
    const verdict = loadPolicy({ file: 'p', text: `config_signatures: ${mode}\n` });
    expect(verdict).toMatchObject({ ok: true, policy: { config_signatures } });
  });

  it.each([
    ['privleged: true', /^policy.yaml:1:1: privleged: unknown key "privleged"; did you mean privileged\?$/],
    ['images: busybox', /^policy.yaml:1:9: images: "busybox" is not accepted; give a list/],
    ['images: [busybox, "a b"]', /^policy.yaml:1:20: images\[1\]: "a b" is not accepted/],
    ['images: ["reg.org/*:1"]', /images\[0\]/],
    ['images: ["*/x"]', /images\[0\]/],
    ['binds: [data]', /binds\[0\]/],
    ['binds: ["/a/../b"]', /binds\[0\]/],
    ['binds: ["/a:rx"]', /binds\[0\]/],
    ['users:', /users: is empty; give a list/],
    ['devices: [/dev/.]', /devices\[0\]/],
    ['binds: ["/a\\u202e"]', /binds\[0\]/],
    ['devices: [/etc/passwd]', /devices\[0\]/],
    ['devices: [/dev/../etc/passwd]', /devices\[0\]/],
    ['capabilities: [-NET_RAW]', /capabilities\[0\]/],
    ['users: [9-1]', /users\[0\]/],
    ['most_docks: many', /most_docks/],
    ['config_signatures: maybe', /config_signatures: "maybe" is not accepted; give off or warn or require/],
    ['config_keys: [ssh-ed25519 AAAA]', /config_keys\[0\]: .* is not accepted; give an SSH public key/],
    ['config_keys: [/etc/../keys]', /config_keys\[0\]/],
    ['- a', /this is a list/],
    ['images: [a]\nimages: [b]', /given twice/],
    ['__proto__: {images: ["*"]}', /unknown key/],
  ])('%s is refused', (text, problem) => {
    expect(problems(text)[0]).toMatch(problem);
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        expect(typeof loadPolicy({ file: 'p', text }).ok).toBe('boolean');
      }),
    );
  });
});
