import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { MACHINE_ID_FILE, readInstance } from '../../src/observe/instance.js';
import { nextRandom } from '../../src/plan/random.js';
import { eventually, planctonSite, type PlanctonSite } from './plancton-process.js';
import { startReferee } from './referee.js';

const pilots = 6;
/** For pilots alone to see. */
const secret = 'canary-of-the-kills';
/** How long a daemon lives once it has its lock. As many live 50 to 100 ms as 1.5 to 3 s: it starts pilots only after half a second. */
const shortestMs = 50;
const longestMs = 3_000;
/** Containers that were made and never started keep their slots for a minute at most. */
const quietWithinMs = 180_000;

export interface RandomKills {
  readonly kills: number;
  /** Pilots that were started meanwhile. */
  readonly starts: number;
  /** What the referee found; nothing is right. */
  readonly violations: readonly string[];
}

/** Starts a daemon and kills it at a random moment, again and again; the same seed gives the same lives. Pilots last for two seconds. */
export async function killAtRandom(dockerHost: string, seed: number, durationMs: number): Promise<RandomKills> {
  const site = planctonSite({ dockerHost });
  mkdirSync(site.runDir, { mode: 0o700 });
  const busy = { max_docks: pilots, growth: 'fixed', docker_env: { TOKEN: secret } };
  site.configure({ ...busy, docker_cmd: '/bin/sleep 2' });
  const referee = await startReferee({
    dockerHost,
    instance: await readInstance(site.runDir, MACHINE_ID_FILE, hostname()),
    limits: { maxDocks: pilots, rights: { binds: [] }, kills: 'none' },
    runDir: site.runDir,
    secrets: [secret],
    outputs: [site.runDir, site.logFile],
    folders: [
      { path: site.runDir, expected: /^(lock|status\.json|http\.sock|state)$/ },
      { path: site.base, expected: /^(?!plancton\.pid\.)/ },
    ],
  });
  onTestFinished(() => referee.stop());
  const endMs = performance.now() + durationMs;
  let random = nextRandom(seed);
  let kills = 0;
  while (performance.now() < endMs) {
    const lifeMs = shortestMs * (longestMs / shortestMs) ** (random.value / 2 ** 32);
    await liveFor(site, lifeMs);
    kills += 1;
    random = nextRandom(random.seed);
  }
  site.configure(busy);
  await site.ctl('start');
  await referee.settle({ pilots, withinMs: quietWithinMs });
  const violations = (await referee.verdict()).map(({ rule, at, evidence }) => `${rule}, ${at}: ${evidence}`);
  return { kills, starts: referee.starts(), violations };
}

async function liveFor(site: PlanctonSite, lifeMs: number): Promise<void> {
  const daemon = site.spawnCtl('nodaemon');
  const exit = once(daemon, 'exit');
  await eventually('the daemon has its lock', () => pidIn(site.pidFile) === daemon.pid);
  await systemClock.sleep(lifeMs);
  daemon.kill('SIGKILL');
  await exit;
}

function pidIn(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}
