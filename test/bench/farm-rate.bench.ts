import { dirname } from 'node:path';
import { inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { dockerCli } from '../support/docker-cli.js';
import { benchSite, ctl, resume, roomy, shortLived, startDrained } from './bench-site.js';
import { heapProbe } from './heap-probe.js';
import { cpuSecondsOf, descriptorsOf, quick, residentMbOf, waitFor } from './measure.js';
import { report } from './report.js';
import { atLeast, atMost } from './results.js';
import { countResidue, residueLeft } from './residue.js';
import { slope } from './statistics.js';
import { momentOf, ofImage, shareInUse } from './timeline.js';

const slots = 16;
/**
 * Seconds, the shortest and the longest. Where the engine needs 0.7 s to replace a container, as it does by hand in `replace`, none that lives
 * for less than 13 s can use 0.95 of its slot, and several at a time are slower; all the same length would go on ending in step.
 */
const lifetimes = [16, 27] as const;
const minutes = quick ? 1 : 60;
/** A process takes its time until it has what it needs, its compiled code above all. */
const settledMinutes = Math.floor(minutes / 10);
/** RAL's farm ended 400 thousand containers a week. */
const farmRate = 400_000 / (7 * 86_400);
const settings = {
  ...roomy,
  ...shortLived,
  cpus_per_dock: 1,
  max_docks: slots,
  docks_per_loop: slots,
  docker_cmd: `/bin/sh -c 'exec sleep $((${lifetimes[0]} + RANDOM % ${lifetimes[1] - lifetimes[0] + 1}))'`,
};

it('turns pilots over for an hour and leaves nothing', async () => {
  const dockerHost = inject('dockerHost');
  const docker = dockerCli(dockerHost);
  const diary = await keepContainerDiary(dockerHost);
  onTestFinished(() => diary.stop());
  const heap = heapProbe();
  const site = benchSite(settings, { env: heap.env });
  await startDrained(site, slots);
  const { instance } = await site.until('a status', () => true);
  const engineDir = dirname(dockerHost.slice('unix://'.length));
  const residue = () => countResidue(docker, { engineDir, siteDir: site.base, instance });
  const residueBefore = await residue();
  await resume(site);
  const events = () => ofImage(diary.events, 'busybox');
  await waitFor('all slots are full', 120_000, () => momentOf(events(), slots) !== undefined);

  const pid = site.pid();
  const ended = () => events().filter(({ action }) => action === 'die').length;
  let heapBefore = NaN;
  const [fromMs, cpuBefore, endedBefore] = [systemClock.now().wallMs, cpuSecondsOf(pid), ended()];
  const memory = [];
  const descriptors = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    if (minute === settledMinutes) heapBefore = await heap.heapMbOf(pid);
    await systemClock.sleep(60_000);
    memory.push(residentMbOf(pid));
    descriptors.push(descriptorsOf(pid));
  }
  const [toMs, cpu, turned] = [systemClock.now().wallMs, cpuSecondsOf(pid) - cpuBefore, ended() - endedBefore];
  const heapGrowth = (await heap.heapMbOf(pid)) - heapBefore;
  const share = shareInUse(events(), slots, fromMs, toMs);
  await ctl(site, 'drain');
  const emptied = async () => (await docker('ps', '--all', '--quiet')) === '';
  await waitFor('the last pilot has ended', 120_000, emptied);
  const left = residueLeft(residueBefore, await residue());

  const msEach = (1000 * cpu) / turned;
  report('farm-rate', {
    head: [`${slots} slots, pilots of ${lifetimes.join(' to ')} s, ${minutes} min`, 'figure'],
    rows: [
      ['pilots ended', turned],
      ['share of slot time in use', share],
      ['CPU of the daemon for each pilot, ms', msEach],
      [
        'resident memory, MB, first and last minute',
        `${(memory[0] ?? NaN).toFixed(1)}, ${(memory.at(-1) ?? NaN).toFixed(1)}`,
      ],
      ['growth of resident memory, MB an hour, without the first tenth', settledSlope(memory)],
      ['open descriptors, least and most', `${Math.min(...descriptors)}, ${Math.max(...descriptors)}`],
      ['growth of the heap after collection, MB, without the first tenth', heapGrowth],
      ['containers, volumes, cgroups left', `${left.containers}, ${left.volumes}, ${left.cgroups}`],
      ['files of the daemon, folders of the engine left', `${left.files}, ${left.engineFolders}`],
    ],
    verdicts: [
      atLeast('pilots an hour', 2400, (turned * 3_600_000) / (toMs - fromMs)),
      atLeast('pilots a second, of the farm', Number(farmRate.toFixed(2)), (turned * 1000) / (toMs - fromMs)),
      atLeast('share of slot time in use', 0.95, share),
      atMost('CPU of the daemon for each pilot, ms', 25, msEach),
      atMost('growth of the heap after collection, MB', 1, heapGrowth),
      atMost('growth of resident memory, MB an hour', 1, settledSlope(memory)),
      atMost('open descriptors, most over least', 4, Math.max(...descriptors) - Math.min(...descriptors)),
      atMost(
        'containers, volumes, cgroups, files, folders left',
        0,
        Object.values<number>({ ...left }).reduce((sum, more) => sum + more, 0),
      ),
    ],
    raw: { 'resident MB': memory, 'open descriptors': descriptors },
  });
});

/** Growth an hour of what is looked at every minute. */
function settledSlope(values: readonly number[]): number {
  return 60 * slope(values.slice(settledMinutes));
}
