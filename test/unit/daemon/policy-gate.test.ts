import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPolicyGate } from '../../../src/daemon/policy-gate.js';
import { loadPolicy } from '../../../src/policy/load-policy.js';
import { createHostPolicy } from '../../../src/policy/policy-file.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { aConfig } from '../../support/plan-builders.js';
import { tempDirectory } from '../../support/temp-directory.js';

const uid = process.getuid?.() ?? 0;

function aGate(text: string | undefined, { remote = false } = {}) {
  const dir = tempDirectory();
  const file = join(dir, 'policy.yaml');
  const write = (policy: string) => {
    writeFileSync(file, policy, { mode: 0o644 });
  };
  if (text !== undefined) write(text);
  const clock = createFakeClock();
  const gate = createPolicyGate({
    hostPolicy: createHostPolicy(file, uid),
    clock,
    uid,
    remote,
    own: () => ({ hidden: [file], readOnly: [] }),
  });
  return { dir, file, write, gate };
}

const usual = 'images: [busybox]\nusers: ["0:0"]\nmost_docks: 3\n';
const accepted = (config = aConfig()) => ({ ok: true, config, warnings: [] }) as const;

describe('the gate between a configuration and its pilots', () => {
  it('lets through what the policy allows, capped', async () => {
    const { gate } = aGate(usual);
    const { config, clamps, refusals } = await gate.narrow(aConfig({ max_docks: 8 }));
    expect([config.max_docks, clamps.length, refusals]).toEqual([3, 1, []]);
  });

  it('is shut without a policy, and opens when there is one', async () => {
    const { gate, write, file } = aGate(undefined);
    expect((await gate.narrow(aConfig())).refusals.join()).toContain(`there is no policy for this host (${file})`);
    write(usual);
    expect((await gate.narrow(aConfig())).refusals).toEqual([]);
    write('images: [other]\n');
    expect((await gate.narrow(aConfig())).refusals).toHaveLength(2);
  });

  it('answers nobody by HTTP before a policy was valid that allows it', async () => {
    const { gate, write } = aGate(undefined);
    const asks = aConfig({ http_address: '127.0.0.1:9107' });
    expect(gate.capped(asks).http_address).toBe('none');
    expect((await gate.narrow(asks)).config.http_address).toBe('none');
    write(`${usual}local_http: true\n`);
    await gate.read();
    expect(gate.capped(asks).http_address).toBe('127.0.0.1:9107');
    write('imges: []\n');
    await gate.read();
    expect(gate.capped(asks).http_address).toBe('127.0.0.1:9107');
  });

  it('looks at the paths of binds where they are on this host', async () => {
    const { gate, dir, write } = aGate(undefined);
    write(`${usual}binds: ["${dir}/data"]\n`);
    const open = join(dir, 'data', 'open');
    mkdirSync(join(open, 'inner'), { recursive: true });
    chmodSync(open, 0o777);
    const config = aConfig({ binds: [`${open}/inner:/x:ro`] });
    expect((await gate.narrow(config)).refusals).toEqual([
      `binds ${open}/inner:/x:ro: others than root may change what is in ${open}`,
    ]);
    const remote = aGate(`${usual}binds: ["${dir}/data"]\n`, { remote: true });
    expect((await remote.gate.narrow(config)).refusals).toEqual([]);
  });

  it('never gives its own policy to a pilot', async () => {
    const { gate, dir, write } = aGate(undefined);
    write(`${usual}binds: ["${dir}"]\n`);
    const [refusal] = (await gate.narrow(aConfig({ binds: [`${dir}:/x:ro`] }))).refusals;
    expect(refusal).toContain('pilots never get');
  });

  it('refuses a newer configuration whole that asks for more, and tells of what was capped', async () => {
    const { gate, write } = aGate(usual);
    expect(gate.judge(accepted(aConfig({ docker_image: 'evil' })))).toMatchObject({ ok: true });
    await gate.read();
    expect(gate.judge(accepted(aConfig({ docker_image: 'evil' })))).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^docker_image evil/)],
    });
    expect(gate.judge(accepted())).toMatchObject({ ok: true, warnings: [expect.stringMatching(/^max_docks is 3/)] });
    write('imges: []\n');
    await gate.read();
    expect(gate.judge(accepted(aConfig({ docker_image: 'evil' }))).ok).toBe(false);
    expect((await gate.narrow(aConfig())).config.max_docks).toBe(3);
    const broken = { ok: false, problems: ['x'] } as const;
    expect(gate.judge(broken)).toBe(broken);
  });

  it('knows what is wanted of signatures, and lets no slip in the policy lift it', async () => {
    const { gate, write } = aGate(undefined);
    expect(await gate.signatures()).toMatchObject({
      mode: 'unknown',
      why: expect.stringMatching(/no policy/) as string,
    });
    write('imges: [busybox]\n');
    expect(await gate.signatures()).toMatchObject({ mode: 'unknown', why: expect.stringMatching(/imges/) as string });
    write('config_signatures: require\n');
    const required = { mode: 'require', keys: expect.stringMatching(/names no key/) as string };
    expect(await gate.signatures()).toEqual(required);
    write('config_signatures: of\n');
    expect(await gate.signatures()).toEqual(required);
    write(usual);
    expect(await gate.signatures()).toEqual({ mode: 'off' });
  });

  it('takes keys from files that only root can change', async () => {
    const { gate, write, dir } = aGate(undefined);
    const keys = join(dir, 'keys');
    copyFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'signing-key.asc'), keys);
    write(`config_signatures: warn\nconfig_keys: [${keys}]\n`);
    chmodSync(keys, 0o644);
    expect(await gate.signatures()).toMatchObject({ mode: 'warn', keys: { list: [{ kind: 'gpg' }] } });
    chmodSync(keys, 0o666);
    expect(await gate.signatures()).toMatchObject({
      mode: 'warn',
      keys: expect.stringMatching(/can be changed by others than root/) as string,
    });
  });

  it('waits for no dead file server, neither for the policy nor for the keys that it names', async () => {
    const { file } = aGate(undefined);
    const clock = createFakeClock();
    const policy = loadPolicy({ file, text: 'config_signatures: require\nconfig_keys: [/dead/keys]\n' });
    if (!policy.ok) throw new Error('the policy is not valid');
    let isDead = false;
    const never = () => new Promise<never>(() => undefined);
    const gate = createPolicyGate({
      hostPolicy: { file, read: () => (isDead ? never() : Promise.resolve(policy)) },
      clock,
      uid,
      remote: false,
      own: () => ({ hidden: [], readOnly: [] }),
      readKeys: never,
    });
    const first = gate.signatures();
    await clock.advance(2_000);
    expect(await first).toEqual({
      mode: 'require',
      keys: expect.stringMatching(/config_keys.* took more than/) as string,
    });
    expect(await gate.signatures()).toMatchObject({
      keys: expect.stringMatching(/config_keys.* takes too long/) as string,
    });

    isDead = true;
    const narrowed = gate.narrow(aConfig());
    await clock.advance(2_000);
    expect((await narrowed).refusals.join()).toContain(`${file}, took more than 2000 ms: no pilot is started`);
    expect((await gate.narrow(aConfig())).refusals.join()).toContain('takes too long');
  });
});
