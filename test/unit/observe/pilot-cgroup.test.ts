import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineInfo } from '../../../src/engine/container-engine.js';
import { preparePilotCgroup, type PilotCgroupOptions } from '../../../src/observe/pilot-cgroup.js';

const info: EngineInfo = {
  version: '20.10.24',
  apiVersion: '1.41',
  cgroupDriver: 'cgroupfs',
  cgroupVersion: 2,
  rootless: false,
  appArmor: false,
  logDriver: 'json-file',
  defaultRuntime: 'runc',
  dataRoot: '/var/lib/docker',
};

describe('the group of the pilots', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'plancton-cgroup-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  /** Plain files stand for the kernel's: they keep what is written to them. */
  function unifiedTree(): void {
    write({
      'cgroup.subtree_control': 'memory pids',
      'plancton/cgroup.subtree_control': '',
      'plancton/cpu.weight': '100',
      'plancton/a/cpu.stat': 'usage_usec 7\nuser_usec 3\n',
    });
  }
  const prepare = (options: Partial<PilotCgroupOptions> = {}) =>
    preparePilotCgroup({ instance: 'a', info, nice: true, remote: false, cgroupRoot: root, ...options });

  it('gets the CPU controller and the lowest weight, version 2', async () => {
    unifiedTree();
    const group = await prepare();
    expect(group).toMatchObject({ parent: '/plancton/a', yields: 'cgroup' });
    expect(read('cgroup.subtree_control')).toBe('+cpu');
    expect(read('plancton/cpu.weight')).toBe('1');
    expect(group.readCpuNs()).toBe(7000);
    expect(group.describe()).toContain('cpu.weight 1');
  });

  it('is idle where the kernel knows idle groups, and loses that again on request', async () => {
    unifiedTree();
    write({ 'plancton/cpu.idle': '0' });
    expect((await prepare()).describe()).toContain('cpu.idle 1');
    expect([read('plancton/cpu.idle'), read('plancton/cpu.weight')]).toEqual(['1', '100']);
    expect(await prepare({ nice: false })).toMatchObject({ parent: '/plancton/a', yields: 'none' });
    expect([read('plancton/cpu.idle'), read('plancton/cpu.weight')]).toEqual(['0', '100']);
  });

  it('has shares of 2, version 1', async () => {
    write({ 'cpu/plancton/cpu.shares': '1024', 'cpuacct/plancton/a/cpuacct.usage': '12345\n' });
    const group = await prepare({ info: { ...info, cgroupVersion: 1 } });
    expect(group).toMatchObject({ parent: '/plancton/a', yields: 'cgroup' });
    expect(read('cpu/plancton/cpu.shares')).toBe('2');
    expect(existsSync(join(root, 'cpu/plancton/a'))).toBe(true);
    expect(group.readCpuNs()).toBe(12_345);
    expect(await prepare({ info: { ...info, cgroupVersion: 1 }, nice: false })).toMatchObject({ yields: 'none' });
    expect(read('cpu/plancton/cpu.shares')).toBe('1024');
  });

  it.each([
    { file: 'io.weight', before: 'default 100\n8:0 200\n', lowest: '1', usual: '100' },
    { file: 'io.bfq.weight', before: 'default 100\n', lowest: '1', usual: '100' },
  ])('comes last at disks too where there is $file, version 2', async ({ file, before, lowest, usual }) => {
    unifiedTree();
    write({ 'cgroup.controllers': 'cpu io memory', [`plancton/${file}`]: before });
    expect((await prepare()).describe()).toContain(`cpu.weight 1, for disks ${file} ${lowest}`);
    expect(read(`plancton/${file}`)).toBe(lowest);
    expect(read('cgroup.subtree_control')).toBe('+io');
    await prepare({ nice: false });
    expect(read(`plancton/${file}`)).toBe(usual);
  });

  it.each([
    { file: 'blkio.weight', before: '500\n', lowest: '10', usual: '500' },
    { file: 'blkio.bfq.weight', before: '100\n', lowest: '1', usual: '100' },
  ])('comes last at disks too where there is $file, version 1', async ({ file, before, lowest, usual }) => {
    const blkio = 'blkio/plancton/a/one/blkio.throttle.io_service_bytes';
    write({ [blkio]: '8:0 Read 8\n8:0 Write 2\n8:0 Sync 4\n8:0 Total 10\n7:3 Read 8\n7:3 Total 8\nTotal 18\n' });
    const older = { info: { ...info, cgroupVersion: 1 } } as const;
    write({ 'cpu/plancton/cpu.shares': '1024', 'cpuacct/plancton/a/cpuacct.usage': '1' });
    write({ 'blkio/cgroup.procs': '', [`blkio/plancton/${file}`]: before });
    expect((await prepare(older)).describe()).toContain(`cpu.shares 2, for disks ${file} ${lowest}`);
    expect(read(`blkio/plancton/${file}`)).toBe(lowest);
    await prepare({ ...older, nice: false });
    expect(read(`blkio/plancton/${file}`)).toBe(usual);
  });

  it('does without a weight for disks where there is none, or it cannot be set', async () => {
    unifiedTree();
    expect((await prepare()).describe()).toContain('cpu.weight 1, for disks no weight');
    mkdirSync(join(root, 'plancton/io.weight'));
    expect(await prepare()).toMatchObject({ yields: 'cgroup' });
    write({ 'cpu/plancton/cpu.shares': '1024', 'cpuacct/plancton/a/cpuacct.usage': '1' });
    expect(await prepare({ info: { ...info, cgroupVersion: 1 } })).toMatchObject({ yields: 'cgroup' });
    expect(existsSync(join(root, 'blkio'))).toBe(false);
  });

  it('tells what each of its pilots has used, as the engine names their groups', async () => {
    unifiedTree();
    write({
      'plancton/a/one/cpu.stat': 'usage_usec 2500000\n',
      'plancton/a/one/memory.peak': '9000\n',
      'plancton/a/one/io.stat':
        '8:0 rbytes=4096 wbytes=100 rios=1 wios=1 dbytes=7 dios=0\n8:16 rbytes=4 wbytes=0 rios=1 wios=1 dbytes=0 dios=0\n',
      'plancton/a/docker-two.scope/cpu.stat': 'usage_usec 1000000\n',
      'plancton/a/docker-two.scope/memory.current': '70\n',
      'plancton/a/libpod-three.scope/cpu.stat': 'usage_usec 0\n',
    });
    const group = await prepare();
    expect(['one', 'two', 'three', 'four'].map((id) => group.usageOf(id))).toEqual([
      { cpuSeconds: 2.5, memoryPeakBytes: 9000, blockBytes: 4200 },
      { cpuSeconds: 1, memoryPeakBytes: 70 },
      { cpuSeconds: 0, memoryPeakBytes: undefined },
      undefined,
    ]);

    const before = group.usageOf('one');
    expect(group.usageOf('one', before)).toBe(before);
    write({ 'plancton/a/one/cpu.stat': 'usage_usec 2500001\n' });
    expect(group.usageOf('one', before)).toMatchObject({ cpuSeconds: 2.500001 });

    write({ 'cpu/plancton/cpu.shares': '2', 'cpuacct/plancton/a/cpuacct.usage': '1' });
    write({ 'cpuacct/plancton/a/one/cpuacct.usage': '3000000000\n' });
    write({ 'memory/plancton/a/one/memory.max_usage_in_bytes': '123\n' });
    const blkio = 'blkio/plancton/a/one/blkio.throttle.io_service_bytes';
    write({ [blkio]: '8:0 Read 8\n8:0 Write 2\n8:0 Total 10\nTotal 10\n' });
    const older = await prepare({ info: { ...info, cgroupVersion: 1 } });
    expect(older.usageOf('one')).toEqual({ cpuSeconds: 3, memoryPeakBytes: 123, blockBytes: 10 });
  });

  it('tells the memory that its pilots hold, without file cache', async () => {
    unifiedTree();
    const group = await prepare();
    expect(group.readMemoryBytes()).toBeUndefined();
    write({
      'plancton/a/memory.current': '5000\n',
      'plancton/a/memory.stat': 'anon 3000\ninactive_file 1500\nactive_file 300\n',
    });
    expect(group.readMemoryBytes()).toBe(3200);

    const before = group.usageOf('one');
    expect(group.usageOf('one', before)).toBe(before);
    write({ 'plancton/a/one/cpu.stat': 'usage_usec 2500001\n' });
    expect(group.usageOf('one', before)).toMatchObject({ cpuSeconds: 2.500001 });

    write({ 'cpu/plancton/cpu.shares': '2', 'cpuacct/plancton/a/cpuacct.usage': '1' });
    const blkio = 'blkio/plancton/a/one/blkio.throttle.io_service_bytes';
    write({ [blkio]: '8:0 Read 8\n8:0 Write 2\n8:0 Total 10\nTotal 10\n' });
    const older = await prepare({ info: { ...info, cgroupVersion: 1 } });
    write({
      'memory/plancton/a/memory.usage_in_bytes': '5000\n',
      'memory/plancton/a/memory.stat': 'inactive_file 1\ntotal_inactive_file 2000\ntotal_active_file 100\n',
    });
    expect(older.readMemoryBytes()).toBe(2900);
  });

  it('is to be prepared anew when it is gone, its weight is another, or there was none because of an error', async () => {
    unifiedTree();
    const group = await prepare();
    expect(group.state()).toBe('as prepared');
    write({ 'plancton/cpu.weight': '100' });
    expect(group.state()).toBe('changed');
    expect(group.describe()).toContain('cpu.weight 100');
    expect((await prepare()).state()).toBe('as prepared');
    expect(read('plancton/cpu.weight')).toBe('1');
    rmSync(join(root, 'plancton/a'), { recursive: true });
    expect(group.state()).toBe('changed');

    const systemctl = () => Promise.reject(new Error('Connection timed out'));
    expect((await prepare({ info: { ...info, cgroupDriver: 'systemd' }, systemctl })).state()).toBe('failed');
    expect((await prepare({ remote: true })).state()).toBe('as prepared');
  });

  it('knows its containers under either driver, and no others', async () => {
    unifiedTree();
    const group = await prepare();
    write({ 'plancton/a/c1/cpu.stat': '', 'plancton/a/docker-c2.scope/cpu.stat': '', 'plancton/b/c3/cpu.stat': '' });
    expect(['c1', 'c2', 'c3'].map((id) => group.holds(id))).toEqual([true, true, false]);
  });

  it('tells when its counter is gone', async () => {
    unifiedTree();
    const group = await prepare();
    rmSync(join(root, 'plancton'), { recursive: true });
    expect(group.readCpuNs()).toBeUndefined();
  });

  it('cannot be led out of its place by a name', async () => {
    write({ 'cpu/plancton/cpu.shares': '2', 'cpuacct/plancton/\\x2e\\x2e\\x2fx/cpuacct.usage': '1' });
    const group = await prepare({ instance: '../x', info: { ...info, cgroupVersion: 1 } });
    expect(group.parent).toBe('/plancton/\\x2e\\x2e\\x2fx');
  });

  const refusals: { readonly why: string; readonly options: Partial<PilotCgroupOptions>; readonly text: RegExp }[] = [
    { why: 'a remote engine', options: { remote: true }, text: /other containers only.*another host/ },
    { why: 'a rootless engine', options: { info: { ...info, rootless: true } }, text: /without root/ },
    {
      why: 'an engine without groups',
      options: { info: { ...info, cgroupDriver: 'none' } },
      text: /no control groups/,
    },
    { why: 'a tree that is not there', options: { cgroupRoot: '/nonexistent' }, text: /ENOENT/ },
    { why: 'a tree that may not be written', options: { cgroupRoot: '/proc' }, text: /\/proc/ },
  ];
  it.each(refusals)('does without for $why', async ({ options, text }) => {
    const group = await prepare(options);
    expect(group).toMatchObject({ parent: undefined, yields: 'containers' });
    expect(group.readCpuNs()).toBeUndefined();
    expect(group.readMemoryBytes()).toBeUndefined();
    expect(group.holds('c1')).toBe(false);
    expect(group.describe()).toMatch(text);
    expect((await prepare({ ...options, nice: false })).yields).toBe('none');
  });

  it('does without where the kernel offers no weight', async () => {
    unifiedTree();
    rmSync(join(root, 'plancton/cpu.weight'));
    mkdirSync(join(root, 'plancton/cpu.weight'));
    expect(await prepare()).toMatchObject({ parent: undefined, yields: 'containers' });
  });

  describe('with the systemd driver', () => {
    const systemd: EngineInfo = { ...info, cgroupDriver: 'systemd' };
    let calls: string[] = [];
    beforeEach(() => {
      calls = [];
    });

    /** A systemd that runs in a container; `onSet` is what it does when told to set a property. */
    function systemctl(onSet: (property: string) => void) {
      // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to be a rejection
      return async (args: readonly string[]): Promise<string> => {
        calls.push(args.join(' '));
        if (args[0] === 'show') return '/outer/plancton.slice/plancton-a.slice\n';
        if (args[0] === 'set-property') onSet(args[3] ?? '');
        return '';
      };
    }
    const outer = 'outer/plancton.slice';

    it('is a slice below plancton.slice, found where systemd says', async () => {
      write({ [`${outer}/cpu.weight`]: '100', [`${outer}/plancton-a.slice/cpu.stat`]: 'usage_usec 3\n' });
      const group = await prepare({
        info: systemd,
        systemctl: systemctl(() => {
          write({ [`${outer}/cpu.idle`]: '1' });
        }),
      });
      expect(group).toMatchObject({ parent: 'plancton-a.slice', yields: 'cgroup' });
      expect(group.readCpuNs()).toBe(3000);
      expect(calls).toEqual([
        'start plancton-a.slice',
        'show --property=ControlGroup --value plancton-a.slice',
        'set-property --runtime plancton.slice CPUWeight=idle',
        'set-property --runtime plancton.slice IOWeight=1',
      ]);
    });

    it('takes the lowest weight where systemd does not know idle', async () => {
      write({ [`${outer}/cpu.weight`]: '100', [`${outer}/plancton-a.slice/cpu.stat`]: 'usage_usec 3\n' });
      const onSet = (property: string) => {
        if (property === 'CPUWeight=idle') throw new Error('Failed to parse');
        write({ [`${outer}/cpu.weight`]: property.split('=')[1] ?? '' });
      };
      expect(await prepare({ info: systemd, systemctl: systemctl(onSet) })).toMatchObject({ yields: 'cgroup' });
      expect(read(`${outer}/cpu.weight`)).toBe('1');
    });

    it('comes last at disks too, by the older name where systemd knows no other', async () => {
      write({ [`cpu/${outer}/cpu.shares`]: '2', [`cpuacct/${outer}/plancton-a.slice/cpuacct.usage`]: '3' });
      const onSet = (property: string) => {
        if (property === 'IOWeight=1') throw new Error('Unknown assignment');
        write({ [`blkio/${outer}/blkio.weight`]: property.split('=')[1] ?? '' });
      };
      const group = await prepare({ info: { ...systemd, cgroupVersion: 1 }, systemctl: systemctl(onSet) });
      expect(group.describe()).toContain('for disks blkio.weight 10');
      expect(calls.at(-1)).toBe('set-property --runtime plancton.slice BlockIOWeight=10');
    });

    it('asks systemd to count where it does not do so by itself', async () => {
      write({ [`cpu/${outer}/cpu.shares`]: '1024' });
      const onSet = (property: string) => {
        if (property === 'CPUShares=2') write({ [`cpu/${outer}/cpu.shares`]: '2' });
        if (property === 'CPUAccounting=yes') write({ [`cpuacct/${outer}/plancton-a.slice/cpuacct.usage`]: '0' });
      };
      const group = await prepare({ info: { ...systemd, cgroupVersion: 1 }, systemctl: systemctl(onSet) });
      expect(group).toMatchObject({ parent: 'plancton-a.slice', yields: 'cgroup' });
      expect(group.readCpuNs()).toBe(0);
    });

    it('leaves a weight alone that is right already', async () => {
      write({ [`cpu/${outer}/cpu.shares`]: '2', [`cpuacct/${outer}/plancton-a.slice/cpuacct.usage`]: '3' });
      const group = await prepare({
        info: { ...systemd, cgroupVersion: 1 },
        systemctl: systemctl(() => {
          throw new Error('not allowed');
        }),
      });
      expect(group.yields).toBe('cgroup');
    });

    it('believes the kernel and not systemd', async () => {
      write({ [`${outer}/cpu.weight`]: '100', [`${outer}/plancton-a.slice/cpu.stat`]: 'usage_usec 3\n' });
      const group = await prepare({ info: systemd, systemctl: systemctl(() => undefined) });
      expect(group).toMatchObject({ parent: undefined, yields: 'containers' });
      expect(group.describe()).toContain('kept cpu.weight 100');
    });

    it('escapes dashes, which would nest one instance in another', async () => {
      await prepare({ info: systemd, instance: 'a-b', systemctl: systemctl(() => undefined) });
      expect(calls[0]).toBe('start plancton-a\\x2db.slice');
    });

    it('does without where systemd refuses', async () => {
      const refuse = () => Promise.reject(new Error('Access denied'));
      expect((await prepare({ info: systemd, systemctl: refuse })).describe()).toContain('Access denied');
    });
  });
});
