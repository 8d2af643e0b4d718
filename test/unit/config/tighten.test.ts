import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { renderConfigFile } from '../../../src/config/render.js';
import { tightenings } from '../../../src/config/tighten.js';

const host = { ncpus: 4, ramBytes: 8e9, swapBytes: 1e9 };
/** Gives pilots nothing that could be taken away. */
const tight = "user_group: '1000:1000'\ncapabilities: [-ALL]\nsecurity_opts: [no-new-privileges]\n";

function load(text: string) {
  const result = loadConfig([{ file: 'config.yaml', text }], host);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** `key: now -> write` of everything that is found in a tight configuration with one thing more. */
const found = (text: string) =>
  tightenings(load(tight + text)).map(({ key, now, write }) => `${key}: ${now} -> ${write}`);

describe('what could be tighter', () => {
  it('is nothing in a configuration that has just been made', () => {
    expect(tightenings(load(renderConfigFile()))).toEqual([]);
    expect(found('')).toEqual([]);
  });

  it('is in an empty configuration what a new one says', () => {
    expect(tightenings(load('')).map(({ key, write }) => [key, write])).toEqual([
      ['user_group', "'65534:65534'"],
      ['capabilities', "['-ALL']"],
      ['security_opts', "['no-new-privileges']"],
    ]);
  });

  it.each([
    ['docker_privileged: true', 'docker_privileged: true -> false'],
    ['max_dock_mem: 0', 'max_dock_mem: 0 -> 2G'],
    ['max_dock_swap: 1G', 'max_dock_swap: 1G -> 0'],
    ['max_dock_pids: 5000', 'max_dock_pids: 5000 -> 4096'],
    ['network: host', 'network: host -> bridge'],
    ['binds: [/cvmfs:/cvmfs]', 'binds: /cvmfs:/cvmfs -> /cvmfs:/cvmfs:ro,rslave'],
    ['binds: ["/a:/b:rshared"]', 'binds: /a:/b:rshared -> /a:/b:ro,rslave'],
    ['binds: ["/a:/b:ro,shared"]', 'binds: /a:/b:ro,shared -> /a:/b:ro,slave'],
    ['devices: [/dev/fuse]', 'devices: /dev/fuse:/dev/fuse:rwm -> /dev/fuse:/dev/fuse:rw'],
  ])('is in %s what it need not say', (text, expected) => {
    expect(found(text)).toEqual([expected]);
  });

  it.each([
    'binds: ["/a:/b:ro"]',
    'bind_options: ro\nbinds: ["/a:/b"]',
    'devices: ["/dev/fuse:/dev/fuse:rw"]',
    'network: none',
  ])('is nothing in %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  const writes = (text: string) => tightenings(load(text)).map(({ key, write }) => `${key} ${write}`);

  it('keeps the capabilities that are asked for by name', () => {
    expect(writes('capabilities: [SYS_ADMIN, +ALL, -MKNOD]')).toContain("capabilities ['-ALL', 'SYS_ADMIN']");
  });

  it.each([
    'seccomp=unconfined',
    'seccomp:unconfined',
    'apparmor=unconfined',
    'label=disable',
    'systempaths=unconfined',
  ])('is a profile of the engine that was cleared by %s', (option) => {
    const options = writes(`security_opts: ['${option}', 'apparmor=cvmfs']`).filter((line) => line.startsWith('sec'));
    expect(options).toHaveLength(2);
    expect(options[0]).toContain('no-new-privileges');
    expect(options[1]).not.toContain(option);
    expect(options[1]).toContain('apparmor=cvmfs');
  });

  it.each(['0:0', 'root', 'root:root', '0:1000', 'condor'])('is the user %s', (user) => {
    expect(writes(`user_group: '${user}'`)[0]).toBe("user_group '65534:65534'");
  });

  it('names a gain and a price, which end no sentence', () => {
    const all = tightenings(load('docker_privileged: true\nmax_dock_mem: 0\nnetwork: host\nbinds: [/a:/b]\n'));
    for (const { gain, price } of all) for (const words of [gain, price]) expect(words).toMatch(/^[a-z].*[^.]$/);
  });

  it('can be written as it is told, and then is tight', () => {
    const loose = 'docker_privileged: true\nnetwork: host\nmax_dock_swap: 1G\nmax_dock_pids: 9999\n';
    const lines = tightenings(load(loose)).map(({ key, write }) => `${key}: ${write}`);
    expect(tightenings(load(lines.join('\n')))).toEqual([]);
  });
});
