import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { renderConfigFile, renderConfigTable, renderJsonSchema } from '../../../src/config/render.js';
import { keys } from '../../../src/config/schema.js';

const host = { ncpus: 24, ramBytes: 64e9, swapBytes: 8e9 };

function load(path: string) {
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const result = loadConfig([{ file: path, text }], host);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { config: result.config, warnings: result.warnings.map(({ line, key }) => `${line} ${key}`) };
}

describe('the default configuration file', () => {
  it('is the one that the table of keys renders', () => {
    expect(readFileSync(new URL('../../../conf/config.yaml', import.meta.url), 'utf8')).toBe(renderConfigFile());
  });

  it('says the same as an empty file but for what is tighter, without a warning', () => {
    const tighter = { user_group: '65534:65534', capabilities: ['-ALL'], security_opts: ['no-new-privileges'] };
    const { config } = load('test/fixtures/config/empty.yaml');
    expect(load('conf/config.yaml')).toEqual({ config: { ...config, ...tighter }, warnings: [] });
  });
});

describe('the demonstration', () => {
  it('fills every CPU with short pilots and looks often', () => {
    const { config, warnings } = load('conf/demo.yaml');
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ max_docks: 24, main_sleep: 5, docker_cmd: ['/bin/sleep', '20'] });
  });

  it('gives its pilots no power that they do not need', () => {
    expect(load('conf/demo.yaml').config).toMatchObject({
      user_group: '65534:65534',
      capabilities: ['-ALL'],
      security_opts: ['no-new-privileges'],
      docker_privileged: false,
      binds: [],
      devices: [],
    });
  });
});

describe('configurations in the manner of real sites', () => {
  it('a farm given to pilots', () => {
    const { config, warnings } = load('test/fixtures/config/work-queue-site.yaml');
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ max_docks: 24, max_dock_mem: 3e9, max_dock_swap: 5e8, docker_privileged: false });
    expect(config.docker_cmd[4]).toContain('$((RANDOM % 4 + 9000))');
  });

  it('a test with FUSE: keys without a value, the old form of a security option', () => {
    const { config, warnings } = load('test/fixtures/config/fuse-test.yaml');
    expect(warnings).toEqual(['22 security_opts[0]']);
    expect(config).toMatchObject({
      max_docks: 1,
      devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rw' }],
      capabilities: ['SYS_ADMIN'],
      docker_privileged: false,
    });
  });

  it('a first try', () => {
    expect(load('test/fixtures/config/first-try.yaml')).toMatchObject({ config: { max_docks: 24 }, warnings: [] });
  });

  it('desktops: an old key, devices as mappings', () => {
    const { config, warnings } = load('test/fixtures/config/desktop.yaml');
    expect(warnings).toEqual(['27 secopt', '28 secopt[0]']);
    expect(config).toMatchObject({
      max_docks: 23,
      security_opts: ['apparmor:allow-fuse'],
      devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rw' }],
    });
  });
});

describe('what is rendered from the table of keys', () => {
  it('has every key, with its default and its meaning', () => {
    const schema = JSON.parse(renderJsonSchema()) as { properties: Record<string, { description: string }> };
    const rows = renderConfigTable().trimEnd().split('\n').slice(2);
    expect(Object.keys(schema.properties)).toEqual(Object.keys(keys));
    expect(rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1])).toEqual(Object.keys(keys));
    for (const { about } of Object.values(keys)) expect(about).toMatch(/^[A-Z].*\.$/);
  });
});
