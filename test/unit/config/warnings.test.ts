import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';

const host = { ncpus: 8, ramBytes: 16e9, swapBytes: 0 };

function load(text: string) {
  const result = loadConfig([{ file: 'config.yaml', text }], host);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { config: result.config, warnings: result.warnings.map(({ key, message, hint }) => ({ key, message, hint })) };
}

describe('unknown keys', () => {
  it.each([
    ['mainsleep', 'main_sleep'],
    ['main-sleep', 'main_sleep'],
    ['mian_sleep', 'main_sleep'],
    ['Max_Docks', 'max_docks'],
    ['capabilites', 'capabilities'],
    ['docker_img', 'docker_image'],
    ['update_config', 'updateconfig'],
  ])('%s warns that %s may be meant', (written, meant) => {
    expect(load(`${written}: 5`).warnings).toEqual([
      { key: written, message: `unknown key "${written}", which has no effect`, hint: `did you mean ${meant}?` },
    ]);
  });

  it.each(['colour', '__proto__', 'x'.repeat(500)])('%s gets no far-fetched suggestion', (written) => {
    expect(load(`${written}: 5`).warnings[0]?.hint).toBe('remove it');
  });
});

describe('old spellings', () => {
  it.each([
    ['rigidity: 33', 'grace_kill', 33],
    ['morbidity: 44', 'main_sleep', 44],
    ['pilot_dock: worker', 'docker_image', 'worker'],
    ['pilot_entrypoint: /run me', 'docker_cmd', ['/run', 'me']],
    ['pilot_privileged: yes', 'docker_privileged', true],
    ['secopt: [label=disable]', 'security_opts', ['label=disable']],
    ['influxdb_address: "http://h:8086#db"', 'influxdb_url', ['http://h:8086#db']],
  ] as const)('%s is understood, with a warning', (text, name, value) => {
    const { config, warnings } = load(text);
    expect(config[name]).toEqual(value);
    expect(warnings).toEqual([expect.objectContaining({ hint: `write ${name}` })]);
  });

  it.each(['cputhresh', 'dock_condor_conf', 'parrot_wrapper_path', 'local_configs', 'elasticsearch_conf', 'sandbox'])(
    '%s is ignored by name, with a reason',
    (name) => {
      const { config, warnings } = load(`${name}: 5`);
      expect(config).toEqual(load('').config);
      expect(warnings.map(({ key }) => key)).toEqual([name]);
      expect(warnings[0]?.message).toMatch(/older versions/);
      expect(warnings[0]?.hint).not.toBeUndefined();
    },
  );

  it('give way to the new spelling', () => {
    const { config, warnings } = load('grace_kill: 5\nrigidity: 6\n');
    expect(config.grace_kill).toBe(5);
    expect(warnings).toHaveLength(1);
  });
});

describe('values that hardly do what is meant', () => {
  it('InfluxDB targets without a database are left out', () => {
    const { config, warnings } = load('influxdb_url: ["http://a:8086", "http://b:8086#db"]');
    expect(config.influxdb_url).toEqual(['http://b:8086#db']);
    expect(warnings).toEqual([expect.objectContaining({ key: 'influxdb_url[0]', hint: 'give URL#database' })]);
  });

  it('security options with a colon', () => {
    expect(load('security_opts: [apparmor:x]').warnings).toEqual([
      expect.objectContaining({ key: 'security_opts[0]', hint: 'write apparmor=x' }),
    ]);
  });

  it('are reported at most a hundred times per file', () => {
    const text = Array.from({ length: 5000 }, (_, index) => `k${index}: 1\n`).join('');
    expect(load(text).warnings).toHaveLength(100);
  });
});
