import Docker from 'dockerode';
import { afterAll, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { planctonSite } from '../support/plancton-process.js';
import { median, printTable, quick, waitFor } from './measure.js';

const slots = 24;
const dockerHost = inject('dockerHost');
const rounds = quick ? 1 : 3;
const rows: (string | number)[][] = [];

function record(what: string, seconds: readonly number[]): void {
  rows.push([what, median(seconds), (60 * slots) / median(seconds)]);
}

/** CPUs enough for every slot, whatever this machine has and does. */
const fullHost = { max_docks: slots, cpus: slots, cpus_per_dock: 0.5, evict: 'always', docker_cmd: '/bin/sleep 3600' };

/** Seconds from the command, and from the first pilot, until all slots are filled. */
async function fill(config: Readonly<Record<string, unknown>>): Promise<{ fromCommand: number; fromFirst: number }> {
  const site = planctonSite({ dockerHost, env: { PLANCTON_LOG_LEVEL: 'info' } });
  site.configure({ ...fullHost, ...config });
  const diary = await keepContainerDiary(dockerHost);
  const { wallMs } = systemClock.now();
  const starts = () => diary.events.filter(({ action, atMs }) => action === 'start' && atMs > wallMs);
  expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
  await waitFor('the host is full', 600_000, () => starts().length === slots);
  await diary.stop();
  await site.ctl('force-stop');
  const [first, last] = [starts().at(0)?.atMs ?? NaN, starts().at(-1)?.atMs ?? NaN];
  return { fromCommand: (last - wallMs) / 1000, fromFirst: (last - first) / 1000 };
}

/** Seconds that a plain loop takes to create and start as many containers, some at a time. */
async function plainLoop(atATime: number): Promise<number> {
  const docker = new Docker({ socketPath: dockerHost.slice('unix://'.length) });
  const containers: Docker.Container[] = [];
  const queue = Array.from({ length: slots }, (_, index) => index);
  async function worker(): Promise<void> {
    while (queue.pop() !== undefined) {
      const container = await docker.createContainer({ Image: 'busybox', Cmd: ['/bin/sleep', '3600'] });
      containers.push(container);
      await container.start();
    }
  }
  const begin = systemClock.now().monoMs;
  await Promise.all(Array.from({ length: atATime }, worker));
  const seconds = (systemClock.now().monoMs - begin) / 1000;
  for (const container of containers) await container.remove({ force: true });
  return seconds;
}

it('fills a host with a plain loop', async () => {
  for (const atATime of [1, 2]) {
    const seconds = [];
    for (let round = 0; round < rounds; round += 1) seconds.push(await plainLoop(atATime));
    record(`create + start in a plain loop, ${atATime} at a time`, seconds);
  }
});

it('fills a host with Plancton told to hurry', async () => {
  const runs = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await fill({ docks_per_loop: slots, main_sleep: 5 }));
  record(
    `Plancton, docks_per_loop: ${slots}, from the first pilot`,
    runs.map(({ fromFirst }) => fromFirst),
  );
  record(
    'the same, from `planctonctl start`',
    runs.map(({ fromCommand }) => fromCommand),
  );
});

it('fills a host with Plancton as it comes', async () => {
  const run = await fill({ docks_per_loop: 4, main_sleep: 30 });
  record('Plancton, defaults (4 every 30 s), from `planctonctl start`', [run.fromCommand]);
});

afterAll(() => {
  printTable([`until ${slots} slots are full`, 'seconds', 'pilots a minute'], rows);
});
