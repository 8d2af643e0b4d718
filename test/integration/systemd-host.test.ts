import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startSystemdHost, type SystemdHost } from '../support/systemd-host.js';

// One host, one story: every test begins where the one before has ended.

const pilots = 'docker ps -q --no-trunc --filter name=plancton-worker- | sort';
const twoPilots = `[ "$(${pilots} | wc -l)" = 2 ]`;

let host: SystemdHost;
beforeAll(async () => {
  host = await startSystemdHost({ dockerHost: inject('dockerHost') });
});
afterAll(() => host.stop());

function mainPid(): Promise<string> {
  return host.must('systemctl', 'show', '--property=MainPID', '--value', 'plancton');
}

/** Puts pilots in place that do not end by themselves while the tests look at them. */
async function useLongPilots(): Promise<void> {
  await host.sh(`cp -p /etc/plancton/config.yaml /root/demo.yaml
    sed -i 's/^docker_cmd: .*/docker_cmd: \\/bin\\/sleep 1000/; s/^max_ttl: .*/max_ttl: 1h/' /etc/plancton/config.yaml
    systemctl reload plancton`);
  await host.until(`[ "$(docker ps -q --filter name=plancton-worker- | xargs docker inspect \\
    --format '{{json .Config.Cmd}}' | grep -c 1000)" = 2 ]`);
}

test('one command leaves an enabled, active service and running pilots', async () => {
  const ran = await host.exec('plancton-bootstrap', '--dryrun');
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(await host.sh('docker ps -a --filter name=plancton-worker- --filter status=running -q')).not.toBe('');
  expect(await host.sh('systemctl is-active plancton; systemctl is-enabled plancton')).toBe('active\nenabled');
  await host.until(twoPilots);
});

test('the daemon is notified and watched, and lives apart from its pilots', async () => {
  const show = 'systemctl show plancton --property=Type,WatchdogUSec,Slice,StatusText';
  const properties = await host.sh(show);
  expect(properties).toContain('Type=notify');
  expect(properties).toContain('WatchdogUSec=2min');
  expect(properties).toContain('Slice=system.slice');
  expect(properties).toMatch(/StatusText=\d\/2 pilots/);
  const cgroups = await host.until(`for id in $(${pilots}); do
    cat /proc/$(docker inspect --format '{{.State.Pid}}' $id)/cgroup; done | grep -E ':cpu:|^0::/plancton'`);
  for (const line of cgroups.split('\n')) expect(line).toMatch(/:\/plancton\/[0-9a-f]+\//);
});

test('systemd has no complaints about the units, and little about their exposure', async () => {
  expect(
    await host.must('systemd-analyze', 'verify', 'plancton.service', 'plancton.slice', 'plancton-reap.timer'),
  ).toBe('');
  for (const unit of ['plancton.service', 'plancton-reap.service']) {
    const overall = (await host.exec('systemd-analyze', 'security', unit)).stdout;
    expect(Number(/Overall exposure level.*: ([\d.]+)/.exec(overall)?.[1]), unit).toBeLessThanOrEqual(2);
  }
});

test('the daemon has no capability, and writes to no control group but that of its pilots', async () => {
  const status = await host.sh(`cat /proc/${await mainPid()}/status`);
  for (const set of ['Eff', 'Prm', 'Bnd']) expect(status).toMatch(new RegExp(`Cap${set}:\\s0+$`, 'm'));
  const inService = `nsenter --mount --target ${await mainPid()} sh -c`;
  const group = '/sys/fs/cgroup/$([ -e /sys/fs/cgroup/cgroup.controllers ] || echo cpu/)';
  await host.sh(`${inService} 'mkdir ${group}plancton/probe && rmdir ${group}plancton/probe'`);
  const elsewhere = await host.exec('sh', '-c', `${inService} 'mkdir ${group}system.slice/probe ${group}probe'`);
  expect(elsewhere.stderr.match(/Read-only file system/g)).toHaveLength(2);
  expect(JSON.parse(await host.must('planctonctl', 'status', '--json'))).toMatchObject({ yields: { mode: 'cgroup' } });
});

test('planctonctl agrees with the engine', async () => {
  await useLongPilots();
  await host.until(`names=$(docker ps --filter name=plancton-worker- --format '{{.Names}}' | sort)
    planctonctl status --json | grep -o 'plancton-worker-[a-z0-9]*' | sort -u >/root/told
    [ "$names" = "$(cat /root/told)" ]`);
  expect((await host.exec('planctonctl', 'status')).code).toBe(0);
});

test('the report knows what pilots have moved over the network, though the daemon may look into nobody', async () => {
  await host.sh(`for id in $(${pilots}); do docker exec $id sh -c 'echo | nc -w 1 172.17.0.1 9 || true'; done`);
  // Until the host was looked at since.
  await host.sh('sleep $((2 * $(sed -n "s/^main_sleep: *//p" /etc/plancton/config.yaml | grep -o "^[0-9]*")))');
  await host.sh("sed -i 's/^max_ttl: .*/max_ttl: 1s/' /etc/plancton/config.yaml; systemctl reload plancton");
  await host.until(`planctonctl report --json | grep -E '"networkBytes": [1-9]'`);
  await host.sh("sed -i 's/^max_ttl: .*/max_ttl: 1h/' /etc/plancton/config.yaml; systemctl reload plancton");
  await host.until('planctonctl status | grep "2 running"');
});

test('running bootstrap again changes nothing but an edited configuration is respected', async () => {
  const before = await host.sh(pilots);
  const ran = await host.exec('plancton-bootstrap', '--dryrun');
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(await host.sh(pilots)).toBe(before);
  expect(await host.sh('cat /etc/plancton/config.yaml')).toContain('sleep 1000');
});

test('a restart of the service keeps the pilots', async () => {
  const [before, pid] = [await host.sh(pilots), await mainPid()];
  await host.must('systemctl', 'restart', 'plancton');
  expect(await mainPid()).not.toBe(pid);
  await host.until('planctonctl status | grep "2 running"');
  expect(await host.sh(pilots)).toBe(before);
});

test('a stop keeps the pilots, and the next start adopts them', async () => {
  const before = await host.sh(pilots);
  await host.must('systemctl', 'stop', 'plancton');
  expect(await host.exec('planctonctl', 'status')).toMatchObject({ code: 3 });
  expect(await host.sh(pilots)).toBe(before);
  await host.must('planctonctl', 'start');
  expect(await host.must('systemctl', 'is-active', 'plancton')).toBe('active');
  await host.until('planctonctl status | grep "2 running"');
  expect(await host.sh(pilots)).toBe(before);
});

test('a pilot does not outlive its time to live because the daemon is down', async () => {
  expect(await host.must('systemctl', 'is-active', 'plancton-reap.timer')).toBe('active');
  expect(await host.sh('planctonctl reap --expired')).toContain('does this itself');
  const before = await host.sh(pilots);
  await host.must('systemctl', 'stop', 'plancton');
  await host.sh('systemctl start plancton-reap.service');
  expect(await host.sh(pilots)).toBe(before);
  await host.sh(
    "sed -i 's/^max_ttl: .*/max_ttl: 1s/' /etc/plancton/config.yaml; systemctl start plancton-reap.service",
  );
  expect(await host.sh(pilots)).toBe('');
  await host.sh("sed -i 's/^max_ttl: .*/max_ttl: 1h/' /etc/plancton/config.yaml; systemctl start plancton");
  await host.until(twoPilots);
  await host.until('planctonctl status | grep "2 running"');
});

test('a killed daemon comes back and finds its pilots', async () => {
  const [before, pid] = [await host.sh(pilots), await mainPid()];
  await host.must('kill', '-9', pid);
  await host.until(`[ "$(systemctl show --property=MainPID --value plancton)" -gt 1 ] && systemctl is-active plancton`);
  expect(await mainPid()).not.toBe(pid);
  await host.until('planctonctl status | grep "2 running"');
  expect(await host.sh(pilots)).toBe(before);
});

/** Shortens the patience of the watchdog, which is two minutes, for the tests that follow. */
async function setWatchdog(seconds: number): Promise<void> {
  await host.sh(`mkdir -p /run/systemd/system/plancton.service.d
    printf '[Service]\\nWatchdogSec=${seconds}\\nTimeoutAbortSec=3\\n' >/run/systemd/system/plancton.service.d/watchdog.conf
    systemctl daemon-reload; systemctl restart plancton`);
  expect(await host.must('systemctl', 'show', '--property=WatchdogUSec', '--value', 'plancton')).toBe(`${seconds}s`);
}

test('a daemon that hangs is replaced, and its pilots stay', async () => {
  await setWatchdog(10);
  const [before, pid] = [await host.sh(pilots), await mainPid()];
  await host.must('kill', '-STOP', pid);
  await host.until(
    `[ "$(systemctl show --property=MainPID --value plancton)" != ${pid} ] && systemctl is-active plancton`,
  );
  await host.until('planctonctl status | grep "2 running"');
  expect(await host.sh(pilots)).toBe(before);
});

test('an engine that hangs, then goes away, for longer than the watchdog waits does the daemon no harm', async () => {
  await setWatchdog(40);
  const pid = await mainPid();
  await host.sh('systemctl kill --kill-whom=main --signal=STOP docker; sleep 60');
  expect(await mainPid()).toBe(pid);
  await host.sh('systemctl kill --kill-whom=main --signal=CONT docker; systemctl stop docker.socket docker; sleep 50');
  expect(await mainPid()).toBe(pid);
  expect((await host.exec('planctonctl', 'status')).code).toBe(0);
  await host.sh('systemctl start docker');
  await host.until(twoPilots);
  expect(await mainPid()).toBe(pid);
}, 300_000);

test('a disabled service does not come back with the next boot', async () => {
  await host.must('systemctl', 'disable', 'plancton');
  await host.reboot();
  expect((await host.exec('systemctl', 'is-active', 'plancton')).stdout.trim()).toBe('inactive');
  expect((await host.exec('planctonctl', 'status')).code).toBe(3);
});

test('an enabled one does, and fills the host again', async () => {
  await host.must('systemctl', 'enable', 'plancton');
  await host.reboot();
  await host.until('systemctl is-active plancton');
  await host.until(twoPilots);
  expect((await host.exec('planctonctl', 'status')).code).toBe(0);
});

test('--remove keeps an edited configuration and running pilots', async () => {
  const before = await host.sh(pilots);
  const ran = await host.exec('plancton-bootstrap', '--remove');
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain('/etc/plancton stays');
  expect(await host.sh(pilots)).toBe(before);
  expect((await host.exec('systemctl', 'cat', 'plancton')).code).toBe(1);
  expect((await host.exec('planctonctl', 'status')).code).toBe(3);
});

test('--remove takes back everything bootstrap made, and can be repeated', async () => {
  await host.sh('cp -p /root/demo.yaml /etc/plancton/config.yaml');
  await host.must('plancton-bootstrap', '--dryrun');
  const ran = await host.exec('plancton-bootstrap', '--remove', '--force-stop');
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(await host.sh(pilots)).toBe('');
  expect(
    await host.sh(
      'ls -d /etc/plancton /etc/plancton-policy.yaml /etc/systemd/system/plancton*.service /etc/systemd/system/plancton*.slice /etc/systemd/system/plancton*.timer 2>/dev/null || true',
    ),
  ).toBe('');
  expect((await host.exec('plancton-bootstrap', '--remove')).code).toBe(0);
});
