import { expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { dockerCli } from '../support/docker-cli.js';
import { keepContainerDiary, type ContainerDiary } from '../support/container-diary.js';
import { benchSite, ctl, roomy, shortLived } from './bench-site.js';
import { contenders } from './contenders.js';
import { quick, waitFor } from './measure.js';
import { rawLoop, recordCreateBody } from './raw-loop.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { median, percentile } from './statistics.js';
import { ofImage, replacementSeconds } from './timeline.js';

const samples = quick ? 3 : 120;
const raceSeconds = quick ? 30 : 360;
const [ours, raw] = ['bench-pilot', 'bench-raw'];
/** Docker waits longer before it restarts what lived for less than 10 s. */
const raceLifetime = 11;

/**
 * One pilot that ends after a few seconds, again and again; while it runs, a container is created and started by hand, so that
 * both meet the same engine and neither disturbs the other.
 */
async function pairedWithRaw(diary: ContainerDiary): Promise<{ ours: readonly number[]; raw: readonly number[] }> {
  const docker = dockerCli(inject('dockerHost'));
  for (const image of [ours, raw]) await docker('tag', 'busybox:latest', image);
  const settings = { ...roomy, ...shortLived, max_docks: 1, docker_image: ours, docker_cmd: '/bin/sleep 3' };
  const loop = rawLoop(await recordCreateBody(settings, raw));
  const site = benchSite(settings);
  const begin = diary.events.length;
  const starts = (image: string) =>
    ofImage(diary.events.slice(begin), image).filter(({ action }) => action === 'start');
  await ctl(site, 'start');
  const rawSeconds = [];
  for (let sample = 0; sample <= samples; sample += 1) {
    await waitFor(`pilot ${sample + 1} runs`, 120_000, () => starts(ours).length > sample);
    const askedMs = systemClock.now().wallMs;
    const ids = await loop.fill(1, 1);
    await waitFor('a container was started by hand', 10_000, () => starts(raw).length > sample);
    rawSeconds.push(((starts(raw)[sample]?.atMs ?? NaN) - askedMs) / 1000);
    await loop.remove(ids);
  }
  await ctl(site, 'force-stop');
  // The last pilot was removed, not replaced.
  const seconds = replacementSeconds(ofImage(diary.events.slice(begin), ours)).slice(0, samples);
  return { ours: seconds, raw: rawSeconds.slice(0, samples) };
}

/** What one would use instead, all at the same time, one slot each; seconds from an end to the next start. */
async function race(diary: ContainerDiary): Promise<{ what: string; seconds: readonly number[] }[]> {
  const all = (await contenders()).filter(({ what }) => what !== 'Plancton');
  for (const contender of all) await contender.begin(1, raceLifetime);
  await systemClock.sleep(raceSeconds * 1000);
  // Before they are ended: the diary goes on.
  const result = all.map(({ what, image }) => ({ what, seconds: replacementSeconds(ofImage(diary.events, image)) }));
  for (const contender of all) await contender.end();
  return result;
}

it('replaces a pilot that has ended', async () => {
  const diary = await keepContainerDiary(inject('dockerHost'));
  onTestFinished(() => diary.stop());
  const paired = await pairedWithRaw(diary);
  const others = await race(diary);
  expect(paired.ours).toHaveLength(samples);

  const rawName = 'create + start by hand, one at a time';
  const arms = [{ what: rawName, seconds: paired.raw }, ...others, { what: 'Plancton', seconds: paired.ours }];
  const base = median(paired.raw);
  report('replace', {
    head: ['one pilot ends, the next one runs', 'n', 'median, s', 'p99, s', 'median / by hand'],
    rows: arms.map(({ what, seconds }) => {
      return [what, seconds.length, median(seconds), percentile(seconds, 0.99), median(seconds) / base];
    }),
    verdicts: [
      atMost('median / median by hand', 1.15, median(paired.ours) / base),
      atMost('p99 / median by hand', 3, percentile(paired.ours, 0.99) / base),
    ],
    chart: {
      title: 'From the end of a pilot until the next one runs (median)',
      unit: 's',
      bars: arms.map(({ what, seconds }) => ({
        label: what.replaceAll('`', ''),
        value: median(seconds),
        ours: what === 'Plancton',
      })),
    },
    raw: Object.fromEntries(arms.map(({ what, seconds }) => [what, seconds])),
  });
});
