import { inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { dockerCli } from '../support/docker-cli.js';
import { benchSite, ctl, roomy } from './bench-site.js';
import { quick, waitFor } from './measure.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { ofImage } from './timeline.js';

const image = 'bench-image';
const slots = 3;
const seconds = quick ? 60 : 600;
/** As documented: the first back-off, doubling up to the longest. */
const [backoffSeconds, longestBackoffSeconds] = [10, 300];
/** Long enough to be no failure. */
const aliveSeconds = 12;

/** How many back-offs can have ended within so many seconds. */
function backoffsWithin(time: number): number {
  let count = 0;
  for (let at = 0, next = backoffSeconds; at + next <= time; next = Math.min(2 * next, longestBackoffSeconds)) {
    at += next;
    count += 1;
  }
  return count;
}

it('does not storm with an image that is no good', async () => {
  const docker = dockerCli(inject('dockerHost'));
  const diary = await keepContainerDiary(inject('dockerHost'));
  onTestFinished(() => diary.stop());
  // The same files, but what it runs ends at once.
  const made = await docker('create', 'busybox:latest', '/bin/true');
  await docker('commit', '--change', 'ENTRYPOINT ["/bin/false"]', made, image);
  await docker('rm', made);
  const site = benchSite({ ...roomy, max_docks: slots, docker_image: image, docker_cmd: '/bin/sleep 3600' });
  await ctl(site, 'start');
  const beginMs = systemClock.now().wallMs;
  const starts = () => ofImage(diary.events, image).filter(({ action }) => action === 'start');
  await systemClock.sleep(seconds * 1000);
  const bad = starts();

  await docker('tag', 'busybox:latest', image);
  const mendedMs = systemClock.now().wallMs;
  const dead = () => new Set(ofImage(diary.events, image).flatMap(({ action, id }) => (action === 'die' ? [id] : [])));
  // A back-off is at most 300 s long, jitter on top.
  const firstGood = () => starts().find(({ id, atMs }) => atMs > mendedMs && !dead().has(id));
  await waitFor('a good pilot lives', 700_000, () => {
    const atMs = firstGood()?.atMs;
    return atMs !== undefined && systemClock.now().wallMs - atMs > aliveSeconds * 1000;
  });
  const recovery = ((firstGood()?.atMs ?? NaN) - mendedMs) / 1000;
  await ctl(site, 'force-stop');

  const at = bad.map(({ atMs }) => (atMs - beginMs) / 1000);
  const gaps = at.slice(1).map((second, index) => second - (at[index] ?? NaN));
  const longestGap = Math.max(backoffSeconds, ...gaps);
  report('bad-image', {
    head: [`pilots that end at once, ${slots} slots, ${seconds} s`, 'figure'],
    rows: [
      ['starts', bad.length],
      ['seconds between them', gaps.map((gap) => gap.toFixed(0)).join(', ')],
      ['seconds until a good pilot runs, from the repair of the image', recovery],
    ],
    verdicts: [
      atMost('starts after the first 3', backoffsWithin(seconds), Math.max(0, bad.length - 3)),
      atMost('recovery / next back-off', 1, recovery / Math.min(2 * longestGap, longestBackoffSeconds)),
    ],
    raw: { 'starts, s': at },
  });
});
