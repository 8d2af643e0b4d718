import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { MACHINE_ID_FILE, readInstance } from '../../src/observe/instance.js';
import { startChaosProxy } from './chaos-proxy.js';
import { createConfigRepo, type ConfigRepo } from './config-repo.js';
import { calm, docker_env, gitConfig, pilots, Stage, type CrashStage, type StageParts } from './crash-stage.js';
import type { LocalRegistry } from './local-registry.js';
import { planctonSite, type PlanctonSite } from './plancton-process.js';
import { startReferee } from './referee.js';
import { tempDirectory } from './temp-directory.js';

/** Starts a daemon, with its configuration in a clone of a git repository or in a plain folder, and a referee. */
export async function openCrashStage(
  engine: StageParts['engine'],
  registry: LocalRegistry,
  { git }: { readonly git: boolean },
): Promise<CrashStage> {
  const folder = tempDirectory();
  const proxy = await startChaosProxy(join(folder, 'engine.sock'), engine.host);
  onTestFinished(() => proxy.stop());
  const killFile = join(folder, 'kill-at');
  const preload = `--require ${join(import.meta.dirname, 'kill-at.cjs')}`;
  const site = planctonSite({ dockerHost: proxy.host, env: { NODE_OPTIONS: preload, KILL_AT_FILE: killFile } });
  mkdirSync(site.runDir, { mode: 0o700 });
  const revisions: string[] = [];
  const repo = git ? await cloneFor(site, join(folder, 'upstream')) : undefined;
  if (repo === undefined) site.configure({ ...calm, docker_env });
  else revisions.push(await repo.git('rev-parse', 'HEAD'));
  const referee = await startReferee({
    dockerHost: engine.host,
    instance: await readInstance(site.runDir, MACHINE_ID_FILE, hostname()),
    limits: { maxDocks: pilots, rights: { binds: [] }, ...(git ? { revisions } : {}) },
    runDir: site.runDir,
    secrets: Object.values(docker_env),
    outputs: [site.runDir, site.logFile],
    folders: [
      { path: site.runDir, expected: /^(lock|status\.json|http\.sock|state|drain)$/ },
      { path: site.base, expected: /^(?!plancton\.pid\.)/ },
      { path: join(site.confDir, '.git'), expected: /^(?!.*\.lock$)/ },
    ],
  });
  onTestFinished(() => referee.stop());
  const stage = new Stage({ engine, registry, site, proxy, referee, repo, revisions, killFile });
  await stage.begin();
  return stage;
}

async function cloneFor(site: PlanctonSite, upstream: string): Promise<ConfigRepo> {
  const repo = await createConfigRepo(upstream, { 'config.yaml': JSON.stringify(gitConfig) });
  const env = { PATH: process.env['PATH'] };
  await cloneConfig({ url: repo.path, into: site.confDir, env, clock: systemClock, deadlineMs: 60_000 });
  return repo;
}
