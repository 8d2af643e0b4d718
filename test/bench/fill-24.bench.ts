import { inject, it, onTestFinished } from 'vitest';
import { dockerCli } from '../support/docker-cli.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { roomy } from './bench-site.js';
import { fillRace, secondsByHand, secondsOfPlancton, untilStarted } from './fill-race.js';
import { quick } from './measure.js';
import { rawLoop, recordCreateBody } from './raw-loop.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { median } from './statistics.js';

const count = 24;
const rounds = quick ? 1 : 5;
const [ours, raw] = ['bench-pilot', 'bench-raw'];

it('fills a host', async () => {
  const dockerHost = inject('dockerHost');
  const docker = dockerCli(dockerHost);
  for (const image of [ours, raw]) await docker('tag', 'busybox:latest', image);
  const diary = await keepContainerDiary(dockerHost);
  onTestFinished(() => diary.stop());
  const settings = { ...roomy, cpus_per_dock: 0.08, docker_image: ours, docker_cmd: '/bin/sleep 3600' };
  const loop = rawLoop(await recordCreateBody(settings, raw));

  const { arms, best, ratios } = await fillRace(
    rounds,
    quick ? [2, 4] : [1, 2, 4, 8],
    (atATime) => secondsByHand(loop, atATime, untilStarted(diary, raw, count)),
    () => secondsOfPlancton(settings, untilStarted(diary, ours, count)),
  );
  report('fill-24', {
    head: [`until ${count} containers run (n = ${rounds})`, 'median, s', 'a minute', 'ratio to the best by hand'],
    rows: arms.map(({ what, seconds }) => {
      return [what, median(seconds), (60 * count) / median(seconds), median(seconds) / median(best)];
    }),
    verdicts: [atMost('paired ratio to the best by hand, median', 1.15, median(ratios))],
    chart: {
      title: `From nothing to ${count} running containers (median)`,
      unit: 's',
      bars: arms.map(({ what, seconds }) => ({ label: what, value: median(seconds), ours: what === 'Plancton' })),
    },
    raw: Object.fromEntries([...arms.map(({ what, seconds }) => [what, seconds] as const), ['paired ratio', ratios]]),
  });
});
