import { expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary, type ContainerDiary } from '../support/container-diary.js';
import { dockerCli } from '../support/docker-cli.js';
import { freePort } from '../support/free-port.js';
import { startInfluxd } from '../support/influxd.js';
import { benchSite, ctl, roomy, shortLived } from './bench-site.js';
import { cpuSecondsOf, quick, residentMbOf, waitFor } from './measure.js';
import { bringOnlookers } from './onlookers.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { mean, median } from './statistics.js';
import { momentOf, ofImage } from './timeline.js';

const slots = 24;
/**
 * Seconds, the shortest and the longest. All 24 in 20 s would be 1.2 a second, and an engine that needs 0.7 s for each, as in `replace`, would be what is
 * measured.
 */
const lifetimes = [32, 48] as const;
const rounds = quick ? 1 : 5;
/** Compiling its code costs a daemon that has just come more than all the rest. */
const settleSeconds = quick ? 10 : 60;
const blockSeconds = quick ? 45 : 180;
const databases = ['one', 'two'] as const;
const settings = {
  ...roomy,
  ...shortLived,
  max_docks: slots,
  docks_per_loop: slots,
  docker_cmd: `/bin/sh -c 'exec sleep $((${lifetimes[0]} + RANDOM % ${lifetimes[1] - lifetimes[0] + 1}))'`,
};

/** What one arm found in one block. */
interface Block {
  readonly pilots: number;
  readonly msEach: number;
  readonly cpuPercent: number;
  readonly residentMb: number;
}

interface Arm {
  readonly what: string;
  /** A name of its own, by which its containers are told from those of the other one. */
  readonly image: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly blocks: Block[];
}

/** CPU time of a daemon while its pilots turn over for some time. */
async function measureBlock(pid: number, ended: () => number): Promise<Block> {
  const [before, endedBefore, from] = [cpuSecondsOf(pid), ended(), systemClock.now()];
  await systemClock.sleep(blockSeconds * 1000);
  const [cpuMs, pilots] = [1000 * (cpuSecondsOf(pid) - before), ended() - endedBefore];
  const cpuPercent = (100 * cpuMs) / (systemClock.now().monoMs - from.monoMs);
  return { pilots, msEach: cpuMs / pilots, cpuPercent, residentMb: residentMbOf(pid) };
}

/** A daemon of its own each time: whoever is looked at for the second time has its code compiled already. */
async function runBlock({ image, settings: more, blocks }: Arm, diary: ContainerDiary): Promise<void> {
  const site = benchSite({ ...settings, docker_image: image, ...more });
  const begin = diary.events.length;
  const events = () => ofImage(diary.events.slice(begin), image);
  await ctl(site, 'start');
  await waitFor('all slots are full', 120_000, () => momentOf(events(), slots) !== undefined);
  const address = more['http_address'];
  const onlookers = typeof address === 'string' ? await bringOnlookers(site.runDir, address) : undefined;
  await systemClock.sleep(settleSeconds * 1000);
  blocks.push(await measureBlock(site.pid(), () => events().filter(({ action }) => action === 'die').length));
  if (onlookers !== undefined) expect(Math.min(onlookers.scrapes(), onlookers.told())).toBeGreaterThan(0);
  onlookers?.stop();
  await ctl(site, 'force-stop');
}

it('tells of what it does at little cost', async () => {
  const docker = dockerCli(inject('dockerHost'));
  const diary = await keepContainerDiary(inject('dockerHost'));
  onTestFinished(() => diary.stop());
  const influxd = await startInfluxd();
  onTestFinished(() => influxd.stop());
  const told = {
    http_address: `127.0.0.1:${await freePort()}`,
    influxdb_url: databases.map((name) => `http://${influxd.address}#${name}`),
  };
  const [off, on]: [Arm, Arm] = [
    { what: 'all off', image: 'bench-off', settings: { journal_size: 0 }, blocks: [] },
    { what: 'journal, metrics, page and both InfluxDB on', image: 'bench-on', settings: told, blocks: [] },
  ];
  for (const { image } of [off, on]) await docker('tag', 'busybox:latest', image);
  for (let round = 0; round < rounds; round += 1) {
    for (const arm of [off, on]) await runBlock(arm, diary);
  }
  for (const name of databases) expect(await influxd.query('SELECT uptime FROM container', name)).not.toEqual([]);

  const msEach = ({ blocks }: Arm) => median(blocks.map((block) => block.msEach));
  const ratio = msEach(on) / msEach(off);
  report('monitoring', {
    head: [
      `${slots} slots, pilots of ${lifetimes.join(' to ')} s, ${rounds} times ${blockSeconds} s in turn`,
      'pilots ended',
      'CPU for each, ms',
      'CPU, %',
      'resident MB',
    ],
    rows: [off, on].map((arm) => {
      const values = (key: keyof Block) => arm.blocks.map((block) => block[key]);
      const pilots = values('pilots').reduce((sum, count) => sum + count, 0);
      return [arm.what, pilots, msEach(arm), mean(values('cpuPercent')), Math.max(...values('residentMb'))];
    }),
    verdicts: [atMost('CPU of the daemon, all on / all off', 1.3, ratio)],
    raw: Object.fromEntries(
      [off, on].map(({ what, blocks }) => [`${what}: CPU for each pilot, ms`, blocks.map((block) => block.msEach)]),
    ),
  });
});
