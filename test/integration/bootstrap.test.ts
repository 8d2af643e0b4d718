import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startSystemdHost, type SystemdHost } from '../support/systemd-host.js';

const pilots = 'docker ps -q --no-trunc --filter name=plancton-worker- | sort';
const untouched =
  'ls -A /etc/plancton /etc/plancton-policy.yaml /etc/systemd/system/plancton.service /var/lib/plancton 2>/dev/null || true';
const commit = 'git -c user.name=t -c user.email=t@example.org commit -q -a -m';

/** A repository with a valid configuration whose pilots stay. */
const makeRepository = `git init -q -b main /srv/conf && cd /srv/conf
printf 'docker_cmd: /bin/sleep 1000\\nmain_sleep: 2\\nupdateconfig: 2\\ncpus_per_dock: 0.5\\n' >config.yaml
git add . && ${commit} first`;

describe('on a host with systemd and Node in the home of a user', () => {
  let host: SystemdHost;
  beforeAll(async () => {
    host = await startSystemdHost({ dockerHost: inject('dockerHost'), prefix: '/home/ada/.nvm/versions/node/v20' });
    await host.sh(makeRepository);
  });
  afterAll(() => host.stop());

  test.each([
    ['nothing to do', []],
    ['two things to do', ['--dryrun', 'user/repo']],
    ['--force-stop without --remove', ['--dryrun', '--force-stop']],
    ['an unknown option', ['--dry-run']],
    ['something that names no repository', ['not a repository']],
    ['a repository that is an option', ['--', '--upload-pack=/bin/true']],
  ])('%s is a usage error', async (_, args) => {
    const ran = await host.exec('plancton-bootstrap', ...args);
    expect(ran, ran.stderr).toMatchObject({ code: 64 });
    expect(ran.stderr).not.toBe('');
    expect(await host.sh(untouched)).toBe('');
  });

  test('everything that is wrong is said at once, with its cure, and nothing is touched', async () => {
    const bin = '/home/ada/.nvm/versions/node/v20/bin';
    const ran = await host.exec(
      ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
      ...['env', '-i', `PATH=${bin}`, 'DOCKER_HOST=unix:///run/none.sock', 'plancton-bootstrap', 'user/repo'],
    );
    expect(ran, ran.stderr).toMatchObject({ code: 77 });
    expect(ran.stderr).toMatch(/problem: .*root; .*sudo/);
    expect(ran.stderr).toMatch(/problem: git is not installed; install it with: apt-get install .*git/);
    expect(ran.stderr).toMatch(
      /problem: no container engine at unix:\/\/\/run\/none\.sock.*apt-get install .*docker\.io/,
    );
    expect(await host.sh(untouched)).toBe('');
  });

  test('an engine that may not be used is told from one that is not there', async () => {
    const ran = await host.exec(
      ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'plancton-bootstrap', '--dryrun'],
    );
    expect(ran, ran.stderr).toMatchObject({ code: 77 });
    expect(ran.stderr).toContain('group docker');
  });

  test('a missing engine ends it with 69', async () => {
    const ran = await host.exec('env', 'DOCKER_HOST=unix:///run/none.sock', 'plancton-bootstrap', '--dryrun');
    expect(ran, ran.stderr).toMatchObject({ code: 69 });
    expect(await host.sh(untouched)).toBe('');
  });

  test('a repository that is not there leaves nothing behind', async () => {
    const ran = await host.exec('plancton-bootstrap', '/srv/none');
    expect(ran, ran.stderr).toMatchObject({ code: 69 });
    expect(ran.stderr).toContain('/srv/none');
    expect(await host.sh(untouched)).toBe('');
  });

  test('a bad configuration is refused before anything is installed', async () => {
    await host.sh(`cd /srv/conf && git checkout -q -b bad && echo 'max_docks: [1' >config.yaml && ${commit} bad
      git checkout -q main`);
    const ran = await host.exec('plancton-bootstrap', 'file:///srv/conf#bad');
    expect(ran, ran.stderr).toMatchObject({ code: 78 });
    expect(ran.stderr).toMatch(/config\.yaml:\d+:\d+: /);
    expect(await host.sh(untouched)).toBe('');
  });

  test('a configuration that somebody else made is left alone', async () => {
    await host.sh('mkdir /etc/plancton && echo "max_docks: 3" >/etc/plancton/config.yaml');
    for (const what of ['--dryrun', '/srv/conf']) {
      const ran = await host.exec('plancton-bootstrap', what);
      expect(ran, ran.stderr).toMatchObject({ code: 73 });
      expect(ran.stderr).toContain('mv /etc/plancton /etc/plancton.old');
    }
    const removed = await host.exec('plancton-bootstrap', '--remove');
    expect(removed).toMatchObject({ code: 0 });
    expect(removed.stdout).toContain('/etc/plancton stays');
    expect(await host.sh('cat /etc/plancton/config.yaml; rm -r /etc/plancton')).toBe('max_docks: 3');
  });

  test('somebody has to agree to what pilots get', async () => {
    const ran = await host.exec('plancton-bootstrap', '/srv/conf');
    expect(ran, ran.stderr).toMatchObject({ code: 64 });
    expect(ran.stdout).toMatch(/images: \['busybox'\]/);
    expect(ran.stderr).toContain('say --yes');
    expect(await host.sh(untouched)).toBe('');
  });

  test('a repository becomes the configuration of a running service', async () => {
    const ran = await host.exec('plancton-bootstrap', '--yes', '/srv/conf');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(await host.sh('stat -c %U:%a /etc/plancton-policy.yaml; planctonctl policy check')).toMatch(
      /^root:644\nvalid: [^]*keeps to it$/,
    );
    expect(await host.must('systemctl', 'is-active', 'plancton')).toBe('active');
    const head = await host.sh('git -C /srv/conf rev-parse HEAD');
    await host.until(`planctonctl status --json | grep ${head}`);
    await host.until(`[ -n "$(${pilots})" ]`);
    expect(await host.sh('grep ^ExecStart= /etc/systemd/system/plancton.service')).toBe(
      'ExecStart=/home/ada/.nvm/versions/node/v20/bin/node --max-semi-space-size=4 ' +
        '/home/ada/.nvm/versions/node/v20/lib/node_modules/plancton/bin/planctonctl.js nodaemon',
    );
  });

  test('the hardened service checks out what is pushed later', async () => {
    await host.sh(`cd /srv/conf && echo 'max_docks: 2' >>config.yaml && ${commit} second`);
    const head = await host.sh('git -C /srv/conf rev-parse HEAD');
    await host.until(`planctonctl status --json | grep ${head}`);
    expect(await host.sh('git -C /etc/plancton rev-parse HEAD; tail -n 1 /etc/plancton/config.yaml')).toBe(
      `${head}\nmax_docks: 2`,
    );
    await host.until(`[ "$(${pilots} | wc -l)" = 2 ]`);
  });

  test('a commit that asks for more than the policy allows is refused whole', async () => {
    await host.sh(`cd /srv/conf && echo 'docker_privileged: true' >>config.yaml && ${commit} greedy`);
    await host.until('planctonctl status | grep "docker_privileged true: privileged pilots are not allowed"');
    expect(await host.sh('tail -n 1 /etc/plancton/config.yaml')).toBe('max_docks: 2');
    await host.sh('cd /srv/conf && git reset -q --hard HEAD~1');
    await host.until('! planctonctl status | grep refused');
  });

  test('the same repository again is fine, another one is refused', async () => {
    const before = await host.sh(pilots);
    expect(await host.exec('plancton-bootstrap', '/srv/conf')).toMatchObject({ code: 0 });
    expect(await host.sh(pilots)).toBe(before);
    const other = await host.exec('plancton-bootstrap', '/srv/other');
    expect(other, other.stderr).toMatchObject({ code: 73 });
    expect(other.stderr).toContain('/srv/conf');
  });

  test('--remove keeps a clone with local changes, and takes it when there are none', async () => {
    await host.sh('echo "# mine" >>/etc/plancton/config.yaml');
    const first = await host.exec('plancton-bootstrap', '--remove');
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.stdout).toContain('/etc/plancton stays');
    expect(await host.sh(`${pilots} | wc -l`)).toBe('2');
    await host.sh('git -C /etc/plancton checkout -q -- .');
    expect(await host.exec('plancton-bootstrap', '--remove')).toMatchObject({ code: 0 });
    expect(await host.sh('ls -d /etc/plancton 2>/dev/null || true')).toBe('');
    expect(await host.sh(`${pilots} | wc -l`)).toBe('2');
  });
});

describe('on a host without systemd, registry or busybox', () => {
  let host: SystemdHost;
  const ourLines = 'crontab -l | grep -c plancton || true';
  beforeAll(async () => {
    host = await startSystemdHost({ dockerHost: inject('dockerHost'), systemd: false });
    await host.sh('docker rmi busybox; rm /bin/busybox; echo "5 4 * * * /bin/true" | crontab -');
  });
  afterAll(() => host.stop());

  test('--dryrun makes its image of what the host has, and cron starts Plancton at boot', async () => {
    const ran = await host.exec('plancton-bootstrap', '--dryrun');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stderr).toContain('making it from what this host has');
    expect(await host.sh(pilots)).not.toBe('');
    expect(await host.sh('crontab -l')).toBe(
      '5 4 * * * /bin/true\n' +
        "@reboot '/usr/local/bin/node' '/usr/local/lib/node_modules/plancton/bin/planctonctl.js' 'start' # plancton-bootstrap",
    );
    expect((await host.exec('planctonctl', 'status')).code).toBe(0);
  });

  test('a second time adds no second line', async () => {
    expect(await host.exec('plancton-bootstrap', '--dryrun')).toMatchObject({ code: 0 });
    expect(await host.sh(ourLines)).toBe('1');
  });

  test('--remove takes the line, the daemon and, when told so, the pilots', async () => {
    const ran = await host.exec('plancton-bootstrap', '--remove', '--force-stop');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(await host.sh('crontab -l')).toBe('5 4 * * * /bin/true');
    expect(await host.sh(pilots)).toBe('');
    expect((await host.exec('planctonctl', 'status')).code).toBe(3);
    expect(await host.sh('ls -d /etc/plancton 2>/dev/null || true')).toBe('');
  });
});
