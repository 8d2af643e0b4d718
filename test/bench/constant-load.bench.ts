import { availableParallelism } from 'node:os';
import { it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { benchSite, ctl } from './bench-site.js';
import { quick } from './measure.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { mean } from './statistics.js';
import { startTenant } from './tenant.js';

const ncpus = availableParallelism();
const loads = [0.1, 0.3, 0.6];
const size = 0.1;
const looks = quick ? 20 : 120;
const lookSeconds = quick ? 1 : 5;
const [cycleSeconds, graceKill] = quick ? [2, 10] : [30, 120];
/** Crowding is known with the first whole sample, a cycle after the start, and ends in a cycle too. */
const graceSeconds = graceKill + 2 * cycleSeconds;
/** As it comes; a short run has to look and to decide sooner. */
const settings = {
  cpus_per_dock: size,
  max_docks: ncpus / size,
  docks_per_loop: ncpus / size,
  max_dock_mem: '20M',
  docker_cmd: ['/bin/sh', '-c', 'while :; do :; done'],
  stop_timeout: 0,
  ...(quick ? { main_sleep: cycleSeconds, grace_kill: graceKill, grace_spawn: 5, foreign_window: 30 } : {}),
};

/** Evictions in the first grace period and after it, and how many pilots ran. */
async function live(load: number): Promise<{ early: number; late: number; pilots: readonly number[] }> {
  const tenant = startTenant(ncpus, load);
  const site = benchSite(settings);
  await ctl(site, 'start');
  const look = () => site.until('a status', () => true);
  await systemClock.sleep(graceSeconds * 1000);
  const early = (await look()).totals.evicted;
  const pilots = [];
  for (let count = 0; count < looks; count += 1) {
    await systemClock.sleep(lookSeconds * 1000);
    pilots.push((await look()).pilots.length);
  }
  const late = (await look()).totals.evicted - early;
  tenant.stop();
  await ctl(site, 'force-stop');
  return { early, late, pilots };
}

it('evicts nobody under a constant load', async () => {
  const runs = [];
  for (const load of loads) runs.push({ what: `others use ${100 * load} %`, ...(await live(load)) });
  report('constant-load', {
    head: [
      `${ncpus} CPUs, pilots of ${size} CPU that spin, ${looks * lookSeconds} s`,
      'pilots, mean',
      `evicted in the first ${graceSeconds} s`,
      'evicted later',
    ],
    rows: runs.map(({ what, early, late, pilots }) => [what, mean(pilots), early, late]),
    verdicts: runs.map(({ what, late }) => atMost(`${what}: evictions after the first grace period`, 0, late)),
    raw: Object.fromEntries(runs.map(({ what, pilots }) => [`${what}: pilots`, pilots])),
  });
});
