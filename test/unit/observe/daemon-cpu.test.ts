import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServiceCpu, serviceCpuNs } from '../../../src/observe/daemon-cpu.js';

describe('the CPU of what serves the pilots', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'plancton-service-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  function write(path: string, text: string): void {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  function reader(ownCgroups: readonly string[] = []) {
    return createServiceCpu({ procRoot: dir, cgroupRoot: join(dir, 'cgroup'), ownCgroups: () => ownCgroups });
  }
  function stat(utime: number, stime: number, cutime: number, cstime: number): void {
    write('self/stat', `7 (a) b ) S 1 1 1 0 -1 0 9 9 9 9 ${utime} ${stime} ${cutime} ${cstime} 20 0 11 0 5 6 7\n`);
  }

  it('is that of the daemon and of its children that have ended, whatever the name of the process', () => {
    const read = reader();
    stat(100, 20, 3, 1);
    const before = read();
    stat(150, 30, 33, 11);
    expect(serviceCpuNs(before, read())).toBe(100 * 1e7);
  });

  it('includes the groups named as ours, version 1', () => {
    write('cgroup/cpuacct/cpuacct.usage', '0\n');
    const read = reader(['foremen', 'deep/one']);
    write('cgroup/cpuacct/foremen/cpuacct.usage', '1000\n');
    write('cgroup/cpuacct/deep/one/cpuacct.usage', '5\n');
    const before = read();
    write('cgroup/cpuacct/foremen/cpuacct.usage', '4000\n');
    expect(serviceCpuNs(before, read())).toBe(3000);
  });

  it('includes the groups named as ours, version 2', () => {
    const read = reader(['system.slice/cvmfs.service']);
    write('cgroup/system.slice/cvmfs.service/cpu.stat', 'usage_usec 10\nuser_usec 4\nsystem_usec 6\n');
    const before = read();
    write('cgroup/system.slice/cvmfs.service/cpu.stat', 'usage_usec 25\nuser_usec 4\nsystem_usec 6\n');
    expect(serviceCpuNs(before, read())).toBe(15_000);
  });

  it('is unknown over a span in which such a group came, went or began anew', () => {
    write('cgroup/cpuacct/cpuacct.usage', '0\n');
    const read = reader(['foremen']);
    const without = read();
    write('cgroup/cpuacct/foremen/cpuacct.usage', '1000\n');
    const old = read();
    write('cgroup/cpuacct/foremen/cpuacct.usage', '1\n');
    const young = read();
    expect(serviceCpuNs(without, old)).toBeUndefined();
    expect(serviceCpuNs(old, young)).toBeUndefined();
    expect(serviceCpuNs(young, without)).toBeUndefined();
    expect(serviceCpuNs(without, without)).toBe(0);
  });

  it('does not look outside the tree of groups', () => {
    write('cgroup/cpuacct/cpuacct.usage', '0\n');
    write('cgroup/secret/cpuacct.usage', '77\n');
    expect([...reader(['../secret'])().values()]).not.toContain(77);
  });
});
