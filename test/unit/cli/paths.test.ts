import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDirectories, ownPlaces, resolvePaths } from '../../../src/cli/paths.js';
import { tempDirectory } from '../../support/temp-directory.js';

const root = { uid: 0, home: '/root' };
const alice = { uid: 1000, home: '/home/alice' };

describe('resolvePaths', () => {
  it('puts the files of root where the system keeps such files', () => {
    expect(resolvePaths({}, root)).toEqual({
      pidFile: '/var/run/plancton.pid',
      logDir: '/var/log/plancton',
      logFile: '/var/log/plancton/plancton.log',
      runDir: '/var/run/plancton',
      confDir: '/etc/plancton',
      stateDir: '/var/lib/plancton',
      registryAuthFile: '/etc/plancton-registry.json',
      policyFile: '/etc/plancton-policy.yaml',
    });
  });

  it('puts the files of everybody else below the home directory', () => {
    expect(resolvePaths({}, alice)).toEqual({
      pidFile: '/home/alice/.plancton/run/plancton.pid',
      logDir: '/home/alice/.plancton/log',
      logFile: '/home/alice/.plancton/log/plancton.log',
      runDir: '/home/alice/.plancton/run',
      confDir: '/home/alice/.plancton/conf',
      stateDir: '/home/alice/.plancton/state',
      registryAuthFile: '/home/alice/.plancton/registry.json',
      policyFile: '/home/alice/.plancton/policy.yaml',
    });
  });

  it('treats root with --user like any user', () => {
    expect(resolvePaths({ user: true }, root)).toEqual(resolvePaths({}, { uid: 1000, home: '/root' }));
  });

  it.each([root, alice])('honours every path option, for uid $uid', (account) => {
    const given = { logdir: '/a/log', rundir: '/a/run', pidfile: '/a/pid', confdir: '/a/conf' };
    expect(resolvePaths(given, account)).toMatchObject({
      logDir: '/a/log',
      logFile: '/a/log/plancton.log',
      runDir: '/a/run',
      pidFile: '/a/pid',
      confDir: '/a/conf',
    });
  });

  it('keeps a daemon with a run directory of its own apart from the one at the usual places', () => {
    expect(resolvePaths({ rundir: '/a/run' }, root)).toMatchObject({
      pidFile: '/a/run/plancton.pid',
      stateDir: '/a/run/state',
    });
  });
});

describe('createDirectories', () => {
  it('makes missing directories for their owner only', () => {
    const base = tempDirectory();
    createDirectories([join(base, 'deep', 'run')]);
    expect(statSync(join(base, 'deep', 'run')).mode & 0o777).toBe(0o700);
    expect(statSync(join(base, 'deep')).mode & 0o777).toBe(0o700);
  });

  it('never changes the mode of a directory that exists', () => {
    const shared = join(tempDirectory(), 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o755);
    createDirectories([shared]);
    expect(statSync(shared).mode & 0o777).toBe(0o755);
  });

  it('names the directory that cannot be made, and ends with 73', () => {
    const base = tempDirectory();
    writeFileSync(join(base, 'file'), '');
    const wanted = join(base, 'file', 'run');
    expect(() => {
      createDirectories([wanted]);
    }).toThrow(expect.objectContaining({ exitCode: 73, message: expect.stringContaining(wanted) as string }));
    expect(existsSync(wanted)).toBe(false);
  });

  it.each(['/proc/nope', '/proc/nope/deeper'])('does not hang where the kernel has no room for it (%s)', (wanted) => {
    expect(() => {
      createDirectories([wanted]);
    }).toThrow(expect.objectContaining({ exitCode: 73, message: expect.stringContaining(wanted) as string }));
  });
});

describe('what is our own', () => {
  it('is the program, Node that runs it, and the socket of the engine under each of its names', () => {
    const dir = tempDirectory();
    writeFileSync(join(dir, 'real.sock'), '');
    symlinkSync(join(dir, 'real.sock'), join(dir, 'link.sock'));
    const own = ownPlaces(
      resolvePaths({}, root),
      '/opt/plancton/bin/planctonctl.js',
      `unix://${join(dir, 'link.sock')}`,
    );
    expect(own.hidden).toEqual(expect.arrayContaining([join(dir, 'link.sock'), join(dir, 'real.sock')]));
    expect(own.readOnly).toEqual(expect.arrayContaining(['/opt/plancton', dirname(process.execPath)]));
    expect(
      ownPlaces(resolvePaths({}, root), '/opt/plancton/bin/planctonctl.js', 'tcp://host:2375').hidden,
    ).not.toContain('host:2375');
  });
});
