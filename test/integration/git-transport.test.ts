import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createGitSource } from '../../src/config/git/git-source.js';
import type { ConfigSource } from '../../src/config/source.js';
import { createConfigRepo, createTempDir, git, type ConfigRepo } from '../support/config-repo.js';
import { commandLinesWith } from '../support/git-processes.js';
import {
  makeCertificate,
  startGitDaemon,
  startHttpsGit,
  startHungServer,
  startProxy,
  type TestServer,
} from '../support/git-server.js';

const TOKEN = 's3cr3t-t0k3n';
const login = `bot:${TOKEN}`;

let temp: Awaited<ReturnType<typeof createTempDir>>;
let upstream: ConfigRepo;
let confDir: string;
let servers: TestServer[];

beforeEach(async () => {
  servers = [];
  temp = await createTempDir();
  confDir = join(temp.path, 'etc', 'plancton');
  upstream = await createConfigRepo(join(temp.path, 'srv', 'conf'), { 'config.yaml': 'max_docks: 1\n' });
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await temp.remove();
});

function started<Server extends TestServer>(server: Server): Server {
  servers.push(server);
  return server;
}

interface Site {
  readonly env?: Record<string, string>;
  readonly deadlineMs?: number;
  readonly remoteIntervalMs?: number;
}

function siteEnv({ env }: Site): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], ...env };
}

function clone(url: string, site: Site = {}): Promise<void> {
  const deadlineMs = site.deadlineMs ?? 30_000;
  return cloneConfig({ url, into: confDir, env: siteEnv(site), clock: systemClock, deadlineMs });
}

function sourceOf(site: Site = {}): ConfigSource {
  return createGitSource({
    confDir,
    hostname: 'wn042',
    stateDir: join(temp.path, 'state'),
    clock: systemClock,
    env: siteEnv(site),
    deadlineMs: site.deadlineMs ?? 30_000,
    remoteIntervalMs: () => site.remoteIntervalMs ?? 0,
    random: () => 0.5,
  });
}

async function followsChanges(source: ConfigSource): Promise<void> {
  const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
  const candidate = await source.candidate({ force: true });
  expect(candidate).toEqual({ id: commit, layers: [{ file: 'config.yaml', text: 'max_docks: 2\n' }] });
  if (candidate) await source.accept(candidate);
  expect((await source.current()).id).toBe(commit);
}

async function httpsServer(withLogin: boolean, onRequest?: () => Promise<void>) {
  const { caFile, cert, key } = await makeCertificate(temp.path);
  const options = {
    root: join(temp.path, 'srv'),
    cert,
    key,
    ...(withLogin && { login }),
    ...(onRequest && { onRequest }),
  };
  const server = started(await startHttpsGit(options));
  return { server, env: { GIT_SSL_CAINFO: caFile } };
}

describe('a server that speaks git://', () => {
  it('is cloned from and followed', async () => {
    const { port } = started(await startGitDaemon(join(temp.path, 'srv')));
    await clone(`git://127.0.0.1:${port}/conf`);
    await followsChanges(sourceOf());
  });
});

describe('a server that speaks https', () => {
  it('is cloned from and followed with a private CA', async () => {
    const { server, env } = await httpsServer(false);
    await clone(`https://127.0.0.1:${server.port}/conf`, { env });
    await followsChanges(sourceOf({ env }));
  });

  it('is not trusted without its CA', async () => {
    const { server } = await httpsServer(false);
    await expect(clone(`https://127.0.0.1:${server.port}/conf`)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('GIT_SSL_CAINFO') as string,
    });
  });

  it('is asked through a proxy where the site has one', async () => {
    const { server, env } = await httpsServer(false);
    const proxy = started(await startProxy());
    const site = { env: { ...env, https_proxy: `http://127.0.0.1:${proxy.port}` } };
    await clone(`https://127.0.0.1:${server.port}/conf`, site);
    const askedByClone = proxy.asked.length;
    expect(askedByClone).toBeGreaterThan(0);
    await followsChanges(sourceOf(site));
    expect(proxy.asked.length).toBeGreaterThan(askedByClone);
    expect(new Set(proxy.asked)).toEqual(new Set([`127.0.0.1:${server.port}`]));
  });

  it('gets a token that no process list, message or readable file shows', async () => {
    const seen: string[] = [];
    let requests = 0;
    const { server, env } = await httpsServer(true, async () => {
      requests += 1;
      seen.push(...(await commandLinesWith(TOKEN)));
    });
    await clone(`https://${login}@127.0.0.1:${server.port}/conf`, { env });
    const source = sourceOf({ env });
    await followsChanges(source);
    expect(requests).toBeGreaterThan(2);
    expect(seen).toEqual([]);
    expect(await readFile(join(confDir, '.git', 'config'), 'utf8')).not.toContain(TOKEN);
    expect((await stat(join(confDir, '.git', 'plancton-credentials'))).mode & 0o777).toBe(0o600);
    expect(source.describe()).not.toContain(TOKEN);
  });

  it('gets the token of a file that a clone made by hand names, as the README has it', async () => {
    const { server, env } = await httpsServer(true);
    const [site, file] = [`127.0.0.1:${server.port}`, join(temp.path, 'plancton-git')];
    await writeFile(file, `https://${login}@${site}\n`, { mode: 0o600 });
    const helper = `credential.helper=store --file=${file}`;
    const ca = ['-c', `http.sslCAInfo=${env.GIT_SSL_CAINFO}`];
    await git(temp.path, ...ca, 'clone', '--quiet', '--config', helper, `https://${site}/conf`, confDir);
    await followsChanges(sourceOf({ env }));
  });

  it('gets the token of a clone made by hand without showing it either', async () => {
    const seen: string[] = [];
    const { server, env } = await httpsServer(true, async () => {
      seen.push(...(await commandLinesWith(TOKEN)));
    });
    await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    await git(confDir, 'remote', 'set-url', 'origin', `https://${login}@127.0.0.1:${server.port}/conf`);
    const source = sourceOf({ env });
    await followsChanges(source);
    expect(seen).toEqual([]);
    expect(source.describe()).not.toContain(TOKEN);
    for (const file of await readdir(join(temp.path, 'state'))) {
      expect((await stat(join(temp.path, 'state', file))).mode & 0o077).toBe(0);
    }
  });

  it('that refuses the token is told from one that is away, without showing the token', async () => {
    const { server, env } = await httpsServer(true);
    const attempt = clone(`https://bot:wrong-${TOKEN}@127.0.0.1:${server.port}/conf`, { env });
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining('check the token') as string });
    await expect(attempt).rejects.toMatchObject({ message: expect.not.stringContaining(TOKEN) as string });
  });
});

describe('a server that does not answer', () => {
  it.each(['git', 'https', 'http'])('is given up after the deadline (%s), and no git stays behind', async (scheme) => {
    const { port } = started(await startHungServer());
    await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    await git(confDir, 'remote', 'set-url', 'origin', `${scheme}://127.0.0.1:${port}/conf`);
    const source = sourceOf({ deadlineMs: 1_500 });
    await expect(source.candidate()).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('does not answer') as string,
    });
    expect((await source.current()).layers).toEqual([{ file: 'config.yaml', text: 'max_docks: 1\n' }]);
    await expect.poll(() => commandLinesWith(`127.0.0.1:${port}`), { timeout: 10_000 }).toEqual([]);
  });

  it('is given up at once when the caller says so', async () => {
    const { port } = started(await startHungServer());
    await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    await git(confDir, 'remote', 'set-url', 'origin', `git://127.0.0.1:${port}/conf`);
    const stop = new AbortController();
    const asking = sourceOf({ deadlineMs: 600_000 }).candidate({ signal: stop.signal });
    setTimeout(() => {
      stop.abort();
    }, 500);
    await expect(asking).rejects.toMatchObject({ name: 'ConfigSourceError' });
  });

  it('is unreachable, with the reason, when nothing listens', async () => {
    const server = await startHungServer();
    await server.close();
    await expect(clone(`git://127.0.0.1:${server.port}/conf`)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('Connection refused') as string,
    });
  });
});

describe('a remote', () => {
  it('is asked at most once per interval, however often we look, unless forced', async () => {
    let requests = 0;
    const { server, env } = await httpsServer(false, () => {
      requests += 1;
      return Promise.resolve();
    });
    await clone(`https://127.0.0.1:${server.port}/conf`, { env });
    const source = sourceOf({ env, remoteIntervalMs: 3_600_000 });
    await source.candidate();
    const afterFirst = requests;
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    expect(await source.candidate()).toBeUndefined();
    expect(requests).toBe(afterFirst);
    expect(await source.candidate({ force: true })).toMatchObject({ id: commit });
    const afterForce = requests;
    expect(await source.candidate()).toMatchObject({ id: commit });
    expect(requests).toBe(afterForce);
  });

  it('that failed is not asked again before its time, and stays known as unreachable', async () => {
    const { port } = started(await startGitDaemon(join(temp.path, 'srv')));
    await clone(`git://127.0.0.1:${port}/conf`);
    await git(confDir, 'remote', 'set-url', 'origin', `git://127.0.0.1:${port}/absent`);
    const source = sourceOf({ remoteIntervalMs: 3_600_000 });
    await expect(source.candidate()).rejects.toMatchObject({ kind: 'unreachable' });
    await createConfigRepo(join(temp.path, 'srv', 'absent'), { 'config.yaml': 'max_docks: 2\n' });
    await expect(source.candidate()).rejects.toMatchObject({ kind: 'unreachable' });
    expect(await source.candidate({ force: true })).toMatchObject({ layers: [{ text: 'max_docks: 2\n' }] });
  });

  it('in the form of a local folder is asked every time', async () => {
    await clone(`file://${upstream.path}`);
    const source = sourceOf({ remoteIntervalMs: 3_600_000 });
    expect(await source.candidate()).toBeUndefined();
    const commit = await upstream.commit({ 'config.yaml': 'max_docks: 2\n' });
    expect(await source.candidate()).toMatchObject({ id: commit });
  });
});
