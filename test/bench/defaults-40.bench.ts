import { inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { benchSite, ctl } from './bench-site.js';
import { quick, startedMsOf, waitFor } from './measure.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { momentOf, ofImage } from './timeline.js';
import { cellText } from './table.js';
import { startTenant } from './tenant.js';

const pilots = 40;
const rounds = quick ? 1 : 3;
const deadlineSeconds = quick ? 90 : 600;
/** All else is left at its default; without a limit of their own 40 pilots would be promised 80 GB. */
const settings = { cpus_per_dock: 0.02, max_docks: pilots, max_dock_mem: '50M' };

/** Seconds from the start of the daemon until one pilot runs, and until all do; NaN when they did not in time. */
async function start(): Promise<{ first: number; all: number }> {
  const diary = await keepContainerDiary(inject('dockerHost'));
  onTestFinished(() => diary.stop());
  const tenant = startTenant(1);
  const site = benchSite(settings);
  const beginMs = systemClock.now().wallMs;
  // The diary goes back a second, to the end of the round before.
  const events = () => ofImage(diary.events, 'busybox').filter(({ atMs }) => atMs > beginMs);
  await ctl(site, 'start');
  const daemonMs = startedMsOf(site.pid());
  const full = waitFor('all pilots run', deadlineSeconds * 1000, () => momentOf(events(), pilots) !== undefined);
  await full.catch(() => undefined);
  const since = (count: number) => ((momentOf(events(), count) ?? NaN) - daemonMs) / 1000;
  const seconds = { first: since(1), all: since(pilots) };
  await diary.stop();
  tenant.stop();
  await ctl(site, 'force-stop');
  return seconds;
}

it('gets going as it comes', async () => {
  const runs = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await start());
  const [first, all] = [runs.map((run) => run.first), runs.map((run) => run.all)];
  report('defaults-40', {
    head: ['all defaults, one CPU taken by a tenant, from the start of the daemon', 'seconds, each round'],
    rows: [
      ['until the first pilot runs', first.map(cellText).join(', ')],
      [`until ${pilots} pilots run`, all.map(cellText).join(', ')],
    ],
    verdicts: [
      atMost('seconds until the first pilot runs, worst', 3, Math.max(...first)),
      atMost(`seconds until ${pilots} pilots run, worst`, 90, Math.max(...all)),
    ],
    raw: { first, all },
  });
});
