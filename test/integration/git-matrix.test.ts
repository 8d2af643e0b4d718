import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, statfs, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../src/clock.js';
import { checkConfig } from '../../src/config/check-config.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createGitSource, type GitSourceOptions } from '../../src/config/git/git-source.js';
import { createConfigKeeper, type ConfigKeeper } from '../../src/config/keeper.js';
import type { ConfigText } from '../../src/config/layers.js';
import type { Config } from '../../src/config/schema.js';
import { createVerifiedSource } from '../../src/config/verified-source.js';
import { createPolicyGate } from '../../src/daemon/policy-gate.js';
import { createHostPolicy } from '../../src/policy/policy-file.js';
import { aHost } from '../support/builders.js';
import { createConfigRepo, createTempDir, git, type ConfigRepo } from '../support/config-repo.js';
import { commandLinesWith, killOneWith } from '../support/git-processes.js';
import * as servers from '../support/git-server.js';

// What can go wrong between a repository and the configuration in force. Whatever it is, what was in force stays there, also over a restart,
// and one sentence says what the matter is and what to do. Signatures have a file of their own.

const execFileAsync = promisify(execFile);
const GOOD = 'max_docks: 1\n';

let temp: Awaited<ReturnType<typeof createTempDir>>;
let upstream: ConfigRepo;
let confDir: string;
let cleanUps: (() => Promise<unknown>)[];

beforeEach(async () => {
  cleanUps = [];
  temp = await createTempDir();
  confDir = join(temp.path, 'etc', 'plancton');
  upstream = await createConfigRepo(join(temp.path, 'srv', 'conf'), { 'config.yaml': GOOD });
  await cloneConfig({
    url: `file://${upstream.path}`,
    into: confDir,
    env: { PATH: process.env['PATH'] },
    clock: systemClock,
    deadlineMs: 120_000,
  });
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  await temp.remove();
});

function opened<Server extends servers.TestServer>(server: Server): Server {
  cleanUps.push(() => server.close());
  return server;
}

type Load = (layers: readonly ConfigText[]) => ReturnType<typeof checkConfig>;

interface Site extends Partial<GitSourceOptions> {
  readonly load?: Load;
}

function sourceOf(site: Partial<GitSourceOptions> = {}) {
  return createGitSource({
    confDir,
    hostname: 'wn042',
    stateDir: join(temp.path, 'state'),
    clock: systemClock,
    env: { PATH: process.env['PATH'] },
    deadlineMs: 120_000,
    remoteIntervalMs: () => 0,
    ...site,
  });
}

function keeperOf({ load = (layers) => checkConfig(layers, aHost()), ...site }: Site = {}): ConfigKeeper<Config> {
  return createConfigKeeper({ source: sourceOf(site), clock: site.clock ?? systemClock, load });
}

/** A host with the good configuration in force. */
async function aHostAtWork(site: Site = {}): Promise<ConfigKeeper<Config>> {
  const keeper = keeperOf(site);
  expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
  return keeper;
}

/** Expects that nothing changes but what is told, once; gives that sentence. */
async function staysGood(keeper: ConfigKeeper<Config>): Promise<string> {
  const { inForce } = keeper.state;
  expect(['refused', 'unreachable']).toContain((await keeper.refresh({ force: true })).type);
  const { refused, unreachable } = keeper.state;
  expect(keeper.state.inForce).toBe(inForce);
  expect(await readFile(join(confDir, 'config.yaml'), 'utf8')).toBe(GOOD);
  expect(await keeperOf().start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
  return unreachable ?? refused?.problems.join('\n') ?? '';
}

async function takes(keeper: ConfigKeeper<Config>, text: string): Promise<void> {
  const id = await upstream.commit({ 'config.yaml': text });
  expect(await keeper.refresh({ force: true })).toMatchObject({ type: 'accepted', inForce: { revision: { id } } });
  expect(keeper.state).toMatchObject({ refused: undefined, unreachable: undefined });
}

const follow = (url: string) => git(confDir, 'remote', 'set-url', 'origin', url);
const temporaryFiles = async () => {
  const names = await readdir(join(confDir, '.git', 'objects'), { recursive: true });
  return names.filter((name) => name.includes('tmp_'));
};

describe('G1: a repository that cannot be reached', () => {
  it('is waited for on the last good configuration, and followed when it is back', async () => {
    const away = await servers.startHungServer();
    await away.close();
    await follow(`git://127.0.0.1:${away.port}/conf`);
    const keeper = await aHostAtWork();
    expect(await staysGood(keeper)).toMatch(
      /Connection refused.*; check the URL, the network and the proxy settings\.$/,
    );
    for (let look = 0; look < 5; look += 1)
      expect(await keeper.refresh({ force: true })).toEqual({ type: 'unchanged' });
    const { port } = opened(await servers.startGitDaemon(join(temp.path, 'srv')));
    await follow(`git://127.0.0.1:${port}/conf`);
    await takes(keeper, 'max_docks: 2\n');
  });
});

describe('G2: a server that is slow', () => {
  it.each([
    ['says nothing', servers.startHungServer],
    ['drips', servers.startDripServer],
  ])('and %s is given up, with all that git started', async (_, start) => {
    const { port } = opened(await start());
    await follow(`http://127.0.0.1:${port}/conf`);
    const keeper = await aHostAtWork();
    const hasty = keeperOf({ deadlineMs: 4_000 });
    await hasty.start();
    expect(await staysGood(hasty)).toMatch(/did not end within 4 s; the server does not answer or is too slow; check/);
    await expect.poll(() => commandLinesWith(`127.0.0.1:${port}`)).toEqual([]);
    await follow(`file://${upstream.path}`);
    await takes(keeper, 'max_docks: 2\n');
  });

  it('and sends a pack without end fills no disk', async () => {
    const { port } = opened(await servers.startBadPackServer('endless'));
    await follow(`git://127.0.0.1:${port}/conf`);
    const keeper = await aHostAtWork();
    expect(await staysGood(keeper)).toMatch(/it sends more than 100 MiB, which is too much for a configuration repo/);
    expect(await temporaryFiles()).toEqual([]);
    await follow(`file://${upstream.path}`);
    await takes(keeper, 'max_docks: 2\n');
  });

  it('or sends us elsewhere is not followed there', async () => {
    const elsewhere = opened(await servers.startRedirectServer('http://127.0.0.1:1'));
    const { port } = opened(await servers.startRedirectServer(`http://127.0.0.1:${elsewhere.port}`));
    await follow(`http://127.0.0.1:${port}/conf`);
    const keeper = await aHostAtWork();
    expect(await staysGood(keeper)).toMatch(/the server sends us elsewhere, which is not followed; give the URL/);
    expect(elsewhere.requests()).toBe(0);
  });
});

describe('G3: a history that is made anew', () => {
  it('is followed, the end of the branch is not, and a bad rewrite changes nothing', async () => {
    const keeper = await aHostAtWork();
    await upstream.rewrite({ 'config.yaml': 'max_docks: [1\n' });
    expect(await staysGood(keeper)).toMatch(/config\.yaml:2:1/);
    await upstream.git('checkout', '--quiet', '--orphan', 'anew');
    await upstream.git('branch', '-D', 'main');
    expect(await staysGood(keeper)).toMatch(/branch main .*the branch is not there: create it again or follow another/);
    await upstream.git('checkout', '--quiet', '-b', 'main');
    await takes(keeper, 'max_docks: 2\n');
  });
});

describe('G4: what arrives damaged', () => {
  it('is not used: a server with a broken object', async () => {
    const keeper = await aHostAtWork();
    await upstream.commit({ 'config.yaml': `max_docks: 2 # ${'x'.repeat(100)}\n` });
    const blob = await upstream.git('rev-parse', 'HEAD:config.yaml');
    const file = join(upstream.path, '.git', 'objects', blob.slice(0, 2), blob.slice(2));
    await rm(file, { force: true });
    await writeFile(file, 'rubbish');
    expect(await staysGood(keeper)).toMatch(/nothing of it is used; check the repository on the server \(git fsck\)/);
    expect(await temporaryFiles()).toEqual([]);
    await rm(file);
    await takes(keeper, 'max_docks: 2\n');
  });

  it('is not used: objects that are no sane ones', async () => {
    const keeper = await aHostAtWork();
    const tree = await upstream.git('rev-parse', 'HEAD^{tree}');
    const evil = join(temp.path, 'evil');
    await writeFile(evil, Buffer.concat([Buffer.from('40000 .git\0'), Buffer.from(tree, 'hex')]));
    const bad = await upstream.git('hash-object', '--literally', '-t', 'tree', '-w', evil);
    const commit = await upstream.git('commit-tree', '-m', 'x', bad);
    await upstream.git('update-ref', 'refs/heads/main', commit);
    expect(await staysGood(keeper)).toMatch(/hasDotgit.*nothing of it is used/);
    await upstream.git('reset', '--quiet', '--hard', await git(confDir, 'rev-parse', 'HEAD'));
    await takes(keeper, 'max_docks: 2\n');
  });

  it('is not used: a pack that is cut short', async () => {
    const { port } = opened(await servers.startBadPackServer('cut'));
    await follow(`git://127.0.0.1:${port}/conf`);
    const keeper = await aHostAtWork();
    expect(await staysGood(keeper)).toMatch(/nothing of it is used; check the repository on the server/);
    expect(await temporaryFiles()).toEqual([]);
  });

  it('for want of room on the disk is told, and taken once there is some', async () => {
    const disk = join(temp.path, 'disk');
    await mkdir(disk);
    await execFileAsync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'plancton-test', disk]);
    cleanUps.push(() => execFileAsync('umount', [disk]));
    await execFileAsync('mv', [confDir, join(disk, 'conf')]);
    confDir = join(disk, 'conf');
    const keeper = await aHostAtWork();
    const { bavail, bsize } = await statfs(disk);
    const ballast = join(disk, 'ballast');
    await writeFile(ballast, Buffer.alloc(bavail * bsize));
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n', 'data.txt': 'x'.repeat(50_000) });
    expect(await staysGood(keeper)).toMatch(/No space left on device.*make room and let Plancton write|cannot be used/);
    await truncate(ballast, 0);
    await takes(keeper, 'max_docks: 2\n');
  });
});

describe('G5: a git that is killed at any moment', () => {
  it('leaves no lock and no half of a tree that would last', async () => {
    const later: Clock = {
      ...systemClock,
      now: () => ({ ...systemClock.now(), wallMs: Date.now() + 3_600_000 }),
    };
    await aHostAtWork();
    const ours = `TMPDIR=${join(temp.path, 'state')}`;
    for (let round = 0; round < 5; round += 1) {
      await upstream.commit({ 'config.yaml': `max_docks: ${round + 2}\n`, 'run.sh': `echo ${round}\n` });
      const keeper = keeperOf({ clock: later });
      const looking = keeper.start().then(() => keeper.refresh({ force: true }));
      let killing = Promise.resolve();
      const killer = setTimeout(() => {
        killing = killOneWith(ours);
      }, 3000 * Math.random());
      await looking;
      clearTimeout(killer);
      // What it is about to kill must not be a git of the next one.
      await killing;
      const next = keeperOf({ clock: later });
      expect(await next.start()).toMatchObject({ type: 'accepted' });
    }
    const last = keeperOf({ clock: later });
    await last.start();
    await last.refresh({ force: true });
    expect(last.state.inForce).toMatchObject({ config: { max_docks: 6 } });
    expect(await readFile(join(confDir, 'run.sh'), 'utf8')).toBe('echo 4\n');
    expect(await git(confDir, 'status', '--porcelain')).toBe('');
  });
});

describe('G6: a repository that is too big', () => {
  it('in one file is refused before that is put on disk', async () => {
    const keeper = await aHostAtWork();
    await truncate(join(upstream.path, 'config.yaml'), 0);
    await writeFile(join(upstream.path, 'big.bin'), '');
    await truncate(join(upstream.path, 'big.bin'), 200 * 1024 * 1024);
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    expect(await staysGood(keeper)).toMatch(/holds a file of more than 100 MiB: .* take what is big out of it\.$/);
    expect(await readdir(confDir)).not.toContain('big.bin');
    await rm(join(upstream.path, 'big.bin'));
    await takes(keeper, 'max_docks: 2\n');
  });
});

describe('G6: refused revisions that pile up', () => {
  it('are bounded, and no reason to stay behind for ever', async () => {
    const keeper = await aHostAtWork({ maxStoreBytes: 400 * 1024 });
    await upstream.commit({
      'config.yaml': 'max_docks: [1\n',
      'noise.bin': randomBytes(600 * 1024).toString('base64'),
    });
    expect(await staysGood(keeper)).toMatch(/config\.yaml:2:1/);
    expect(await staysGood(keeper)).toMatch(/holds more than 400 KiB in git, so nothing is fetched: .*gc --prune=now/);
    await git(confDir, 'update-ref', '-d', 'refs/plancton/candidate');
    await git(confDir, 'gc', '--quiet', '--prune=now');
    await rm(join(upstream.path, 'noise.bin'));
    await takes(keeper, 'max_docks: 2\n');
  });
});

describe('G7: a configuration that is no plain file', () => {
  const file = () => join(upstream.path, 'config.yaml');
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a link',
      async () => {
        await rm(file());
        await symlink('/etc/passwd', file());
      },
      /config\.yaml is a symbolic link in commit .*: commit a plain file/,
    ],
    [
      'a submodule',
      async () => {
        const other = await createConfigRepo(join(temp.path, 'other'), { x: 'x\n' });
        await rm(file());
        await upstream.git('rm', '--quiet', '--cached', 'config.yaml');
        await upstream.git('submodule', '--quiet', 'add', other.path, 'config.yaml');
      },
      /config\.yaml is a submodule in commit .*: commit a plain file/,
    ],
    ['a program', () => execFileAsync('chmod', ['755', file()]), /config\.yaml is marked as a program.*--chmod=-x/],
    [
      'a folder',
      async () => {
        await rm(file());
        await mkdir(file());
        await writeFile(join(file(), 'x'), 'x');
      },
      /config\.yaml is not a plain file/,
    ],
    [
      'a pointer of LFS',
      () => writeFile(file(), 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n'),
      /config\.yaml:\d+:\d+/,
    ],
  ])('but %s is refused', async (_, change, why) => {
    const keeper = await aHostAtWork();
    await change();
    await upstream.commit({});
    expect(await staysGood(keeper)).toMatch(why);
  });
});

describe('G8: a revision that nobody signed', () => {
  it('is refused where signatures are required (all cases: git-signatures.test.ts)', async () => {
    const keys = { list: [], allowedSigners: '', pgpRing: Buffer.alloc(0) };
    let mode: 'off' | 'require' = 'off';
    const source = sourceOf();
    const verified = createVerifiedSource(source, source, () =>
      Promise.resolve(mode === 'off' ? { mode } : { mode, keys }),
    );
    const load: Load = (layers) => checkConfig(layers, aHost());
    const keeper = createConfigKeeper({ source: verified, clock: systemClock, load });
    await keeper.start();
    await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    mode = 'require';
    expect(await staysGood(keeper)).toMatch(/requires signatures .*it is not signed; sign the commit/);
  });
});

describe('G9 to G12: a text that is no configuration', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['G9: a slip', 'max_docks: [1\n'],
    ['G9: a list', '- max_docks: 1\n'],
    ['G9: two documents', 'max_docks: 1\n---\nmax_docks: 2\n'],
    ['G9: a NUL', 'max_docks: 1\0\n'],
    ['G9: tabs', 'docker_env:\n\tA: b\n'],
    ['G9: a little too much', `# ${'x'.repeat(256 * 1024)}\n`],
    [
      'G10: a bomb of aliases',
      `a: &a [x,x]\n${'bcdefghij'
        .split('')
        .map((n, i) => `${n}: &${n} [*${'abcdefghi'.charAt(i)},*${'abcdefghi'.charAt(i)},*${'abcdefghi'.charAt(i)}]`)
        .join('\n')}\n`,
    ],
    ['G10: a deep nest', `docker_env: ${'['.repeat(5000)}${']'.repeat(5000)}\n`],
    ['G10: a tag', 'max_docks: !!js/function "x"\n'],
    ['G11: a key that is given twice', 'max_docks: 1\nmax_docks: 2\n'],
    ['G12: a list for a number', 'max_docks: [1]\n'],
    ['G12: no number', 'max_ttl: .nan\n'],
    ['G12: an endless one', 'max_ttl: 1e999\n'],
    ['G12: code', 'max_docks: "5; rm -rf /"\n'],
    ['G12: a hexadecimal one', 'max_ttl: 0x10\n'],
    ['G13: next to nothing', 'cpus_per_dock: 1e-9\n'],
    ['G13: no pause', 'main_sleep: 0\n'],
    ['G13: for ever', 'max_ttl: 1e15\n'],
  ];

  it('is refused whole, by line', async () => {
    const keeper = await aHostAtWork();
    const told = new Map<string, string>();
    for (const [name, text] of texts) {
      await upstream.commit({ 'config.yaml': text });
      told.set(name, await staysGood(keeper));
    }
    const isPlain = (why: string) => /config\.yaml:\d+:\d+: |config\.yaml holds more than 256 KiB/.test(why);
    expect([...told].filter(([, why]) => !isPlain(why))).toEqual([]);
  });

  it('G11: names of the language itself are keys like any other, unknown ones', async () => {
    const keeper = await aHostAtWork();
    await upstream.commit({ 'config.yaml': '__proto__: {max_docks: 9}\nconstructor: 1\ntoString: 2\nmax_docks: 2\n' });
    await keeper.refresh({ force: true });
    expect(keeper.state.inForce?.config.max_docks).toBe(2);
    expect(Object.hasOwn(Object.prototype, 'max_docks')).toBe(false);
  });
});

describe('G13: values beyond what the host allows', () => {
  it('are capped and told, and what cannot be capped is refused', async () => {
    const policyFile = join(temp.path, 'policy.yaml');
    await writeFile(policyFile, 'images: [busybox]\nusers: ["0:0"]\nmost_docks: 3\nmost_ttl: 1h\n', { mode: 0o644 });
    const gate = createPolicyGate({
      hostPolicy: createHostPolicy(policyFile, process.getuid?.() ?? 0),
      clock: systemClock,
      uid: process.getuid?.() ?? 0,
      remote: false,
      own: () => ({ hidden: [], readOnly: [] }),
    });
    await gate.read();
    const keeper = await aHostAtWork({ load: (layers) => gate.judge(checkConfig(layers, aHost())) });
    await upstream.commit({ 'config.yaml': 'docker_privileged: true\n' });
    expect(await staysGood(keeper)).toMatch(/docker_privileged/);
    await takes(keeper, 'max_docks: 10000\nmax_ttl: 365d\n');
    expect(keeper.state.inForce?.warnings.join()).toMatch(/max_docks is 3 instead of 10000.*max_ttl is 1h/);
    const { inForce } = keeper.state;
    expect(inForce && (await gate.narrow(inForce.config)).config).toMatchObject({ max_docks: 3, max_ttl: 3600 });
  });
});

describe('G14: a configuration that changes all the time', () => {
  it('is looked at once per interval, however often it changes', async () => {
    const { port } = opened(await servers.startGitDaemon(join(temp.path, 'srv')));
    await follow(`git://127.0.0.1:${port}/conf`);
    let monoMs = 0;
    const clock: Clock = { ...systemClock, now: () => ({ ...systemClock.now(), monoMs }) };
    const keeper = await aHostAtWork({ clock, remoteIntervalMs: () => 60_000, random: () => 0.5 });
    const accepted: number[] = [];
    for (let second = 0; second < 180; second += 20) {
      await upstream.commit({ 'config.yaml': `max_docks: ${second + 1}\n` });
      monoMs = second * 1000;
      if ((await keeper.refresh()).type === 'accepted') accepted.push(second);
    }
    expect(accepted).toEqual([0, 60, 120]);
  });
});

describe('G15: credentials in a URL', () => {
  it('show up nowhere but in the file that keeps them for git, whatever goes wrong', async () => {
    const token = 'c4n4ry-t0k3n';
    const { caFile, cert, key } = await servers.makeCertificate(temp.path);
    const root = join(temp.path, 'srv');
    const server = opened(await servers.startHttpsGit({ root, cert, key, login: 'bot:right' }));
    const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: caFile };
    const told: string[] = [];
    for (const url of [
      `https://bot:${token}@127.0.0.1:${server.port}/conf`,
      `https://bot:${token}@127.0.0.1:1/conf`,
      `https://${token}@127.0.0.1:${server.port}/conf`,
      `http://bot:${token}@127.0.0.1:${server.port}/conf`,
      `https://127.0.0.1:1/conf?private_token=${token}`,
    ]) {
      await follow(url);
      const source = sourceOf({ env });
      const keeper = createConfigKeeper({
        source,
        clock: systemClock,
        load: (layers: readonly ConfigText[]) => checkConfig(layers, aHost()),
      });
      await keeper.start();
      told.push(await staysGood(keeper), source.describe(), JSON.stringify(keeper.state));
    }
    const forms = [token, Buffer.from(`bot:${token}`).toString('base64'), encodeURIComponent(token)];
    expect(told.filter((text) => forms.some((form) => text.includes(form)))).toEqual([]);
    expect(told[0]).toMatch(/check the token or the deploy key/);
    const { stdout } = await execFileAsync('find', [join(temp.path, 'state'), '-type', 'f', '-perm', '/077']);
    expect(stdout).toBe('');
  });
});
