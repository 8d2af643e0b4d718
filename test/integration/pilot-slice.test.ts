import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startSystemdHost, type SystemdHost } from '../support/systemd-host.js';

/** Prepares the group in the host, with the code as it is installed there, and prints what came of it. */
const prepare = `
  const { preparePilotCgroup } = await import('/usr/local/lib/node_modules/plancton/dist/observe/pilot-cgroup.js');
  const [id, nice, version] = process.argv.slice(1);
  const info = { cgroupDriver: 'systemd', cgroupVersion: Number(version), rootless: false };
  const group = await preparePilotCgroup({ instance: 'a-b', info, nice: nice === 'true', remote: false });
  const { parent, yields } = group;
  console.log(JSON.stringify({ parent, yields, text: group.describe(), usedNs: group.readCpuNs(), holds: group.holds(id) }));
`;

/** Systemd wants cpu and cpuacct in one tree. On a machine that has them apart it makes the slice in the first only. */
const makeCounter = String.raw`cd /sys/fs/cgroup
  [ -d cpuacct ] && ! [ cpu -ef cpuacct ] || exit 0
  mkdir -p 'cpuacct/plancton.slice/plancton-a\x2db.slice'`;

interface Prepared {
  readonly parent?: string;
  readonly yields: string;
  readonly text: string;
  readonly usedNs?: number;
  readonly holds: boolean;
}

describe('the group of the pilots where systemd manages the groups', () => {
  let host: SystemdHost;
  let driver = '';
  let version = '';
  beforeAll(async () => {
    host = await startSystemdHost({ dockerHost: inject('dockerHost') });
    await host.sh(`mkdir -p /etc/docker
      echo '{ "exec-opts": ["native.cgroupdriver=systemd"] }' > /etc/docker/daemon.json
      systemctl restart docker`);
    [driver = '', version = ''] = (
      await host.must('docker', 'info', '--format', '{{.CgroupDriver}} {{.CgroupVersion}}')
    ).split(' ');
    // Once systemd has set up a slice, it leaves alone what it has not made there.
    await prepared('none');
    await host.sh(makeCounter);
  });
  afterAll(() => host.stop());

  async function prepared(id: string, nice = true): Promise<Prepared> {
    const out = await host.must('node', '--input-type=module', '-e', prepare, id, String(nice), version);
    return JSON.parse(out) as Prepared;
  }

  it('is a slice of the lowest weight that counts its pilots', async () => {
    const before = await prepared('none');
    expect(driver).toBe('systemd');
    expect(before, before.text).toMatchObject({ parent: 'plancton-a\\x2db.slice', yields: 'cgroup', holds: false });
    const busy = ['sh', '-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exec sleep 600'];
    const id = await host.must('docker', 'run', '-d', '--cgroup-parent', before.parent ?? '', 'busybox', ...busy);
    const after = await prepared(id);
    expect(after, after.text).toMatchObject({ yields: 'cgroup', holds: true });
    expect(after.usedNs).toBeGreaterThan(before.usedNs ?? Infinity);
    expect(await prepared(id, false)).toMatchObject({ parent: before.parent, yields: 'none' });
    expect((await prepared(id)).yields).toBe('cgroup');
  });
});
