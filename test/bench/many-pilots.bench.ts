import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary, type ContainerDiary } from '../support/container-diary.js';
import { dockerCli } from '../support/docker-cli.js';
import type { PlanctonSite } from '../support/plancton-process.js';
import { tempDirectory } from '../support/temp-directory.js';
import { benchSite, ctl } from './bench-site.js';
import { startCountingProxy, type CountingProxy } from './counting-proxy.js';
import { heapProbe, type HeapProbe } from './heap-probe.js';
import { cpuSecondsOf, quick, residentMbOf, waitFor } from './measure.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { momentOf, ofImage } from './timeline.js';

const pilots = quick ? 30 : 200;
const settleSeconds = quick ? 20 : 120;
const minutes = quick ? 1 : 10;
/** As it comes but for what 200 pilots on a small host need. */
const settings = {
  docker_cmd: '/bin/sleep 86400',
  max_docks: pilots,
  cpus: pilots,
  cpus_per_dock: 0.01,
  docks_per_loop: pilots,
  max_dock_mem: '20M',
  evict: 'never',
};

/** A daemon that is watched while its pilots do nothing. */
interface Watched {
  readonly what: string;
  readonly site: PlanctonSite;
  readonly proxy: CountingProxy;
  readonly heap: HeapProbe;
}

interface Reading {
  readonly cpuSeconds: number;
  readonly calls: number;
  readonly cycles: number;
  readonly heapMb: number;
}

async function start(policy: string, image: string, diary: ContainerDiary): Promise<Watched> {
  const proxy = await startCountingProxy(join(tempDirectory(), 'proxy.sock'), inject('dockerHost'));
  onTestFinished(() => proxy.stop());
  const heap = heapProbe();
  const site = benchSite({ ...settings, policy, docker_image: image }, { dockerHost: proxy.host, env: heap.env });
  await ctl(site, 'start');
  await waitFor(`${pilots} pilots`, 900_000, () => momentOf(ofImage(diary.events, image), pilots) !== undefined);
  return { what: `Plancton, policy: ${policy}`, site, proxy, heap };
}

/**
 * The image is in no registry, and when it is asked for there is a matter of its age and not of cycles: a pull, and before it a list of
 * the images and one of the containers that use them.
 */
function callsOfCycles(calls: readonly string[]): number {
  const lists = calls.filter((call) => call === 'GET /images/json').length;
  const others = calls.filter((call) => call !== 'POST /images/create' && call !== 'GET /images/json');
  return others.length - lists;
}

async function read({ site, proxy, heap }: Watched): Promise<Reading> {
  const [cpuSeconds, calls] = [cpuSecondsOf(site.pid()), callsOfCycles(proxy.calls)];
  const { cycles } = await site.until('a status', () => true);
  // Last, so that collecting garbage is not counted in this span.
  return { cpuSeconds, calls, cycles, heapMb: await heap.heapMbOf(site.pid()) };
}

it('costs little while its pilots work', async () => {
  const docker = dockerCli(inject('dockerHost'));
  const diary = await keepContainerDiary(inject('dockerHost'));
  onTestFinished(() => diary.stop());
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => {
    bare.kill();
  });
  const watched: Watched[] = [];
  for (const policy of ['capacity', 'legacy']) {
    await docker('tag', 'busybox:latest', `bench-${policy}`);
    watched.push(await start(policy, `bench-${policy}`, diary));
  }
  await systemClock.sleep(settleSeconds * 1000);
  const before = await Promise.all(watched.map(read));
  const memory = watched.map((): number[] => []);
  for (let minute = 0; minute < minutes; minute += 1) {
    await systemClock.sleep(60_000);
    watched.forEach(({ site }, index) => memory[index]?.push(residentMbOf(site.pid())));
  }
  const bareMb = residentMbOf(bare.pid ?? 0);
  const after = await Promise.all(watched.map(read));

  const found = watched.map(({ what }, index) => {
    const [from, to] = [before[index], after[index]];
    const gained = (key: keyof Reading) => (to?.[key] ?? NaN) - (from?.[key] ?? NaN);
    return {
      what,
      cpuPercent: (100 * gained('cpuSeconds')) / (60 * minutes),
      callsACycle: gained('calls') / gained('cycles'),
      residentMb: Math.max(...(memory[index] ?? [])),
      heapMb: [from?.heapMb ?? NaN, to?.heapMb ?? NaN],
    };
  });
  report('many-pilots', {
    head: [
      `${pilots} quiet pilots each, ${minutes} min`,
      'CPU, %',
      'calls a cycle',
      'resident MB',
      'of bare Node',
      'heap MB',
    ],
    rows: [
      ...found.map(({ what, cpuPercent, callsACycle, residentMb, heapMb }) => {
        const heap = heapMb.map((mb) => mb.toFixed(1)).join(' -> ');
        return [what, cpuPercent, callsACycle, residentMb, residentMb / bareMb, heap];
      }),
      ['bare Node with a timer', '', '', bareMb, 1, ''],
    ],
    verdicts: found.flatMap(({ what, cpuPercent, callsACycle, residentMb, heapMb: [first = NaN, last = NaN] }) => [
      atMost(`${what}: % of one CPU`, 0.3, cpuPercent),
      atMost(`${what}: engine calls a cycle`, 2, callsACycle),
      atMost(`${what}: resident memory / bare Node`, 2, residentMb / bareMb),
      atMost(`${what}: growth of the heap after collection, MB`, 0.5, last - first),
    ]),
    raw: Object.fromEntries(found.map(({ what }, index) => [`${what}, resident MB`, memory[index] ?? []])),
  });
});
