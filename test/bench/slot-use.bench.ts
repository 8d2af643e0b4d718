import { inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { contenders } from './contenders.js';
import { quick, waitFor } from './measure.js';
import { report } from './report.js';
import { atLeast } from './results.js';
import { median } from './statistics.js';
import { momentOf, ofImage, replacementSeconds, shareInUse } from './timeline.js';

const slots = 4;
const lifetime = 20;
const seconds = quick ? 25 : 300;

it('keeps slots in use', async () => {
  const diary = await keepContainerDiary(inject('dockerHost'));
  onTestFinished(() => diary.stop());
  const arms: { what: string; share: number; gaps: readonly number[] }[] = [];
  for (const contender of await contenders()) {
    const { what, image } = contender;
    await contender.begin(slots, lifetime);
    const full = () => momentOf(ofImage(diary.events, image), slots);
    // The original does not fill a busy host at once; it is measured from then on all the same.
    await waitFor(`all slots of ${image} are full`, 30_000, () => full() !== undefined).catch(() => undefined);
    const fromMs = full() ?? systemClock.now().wallMs;
    await systemClock.sleep(seconds * 1000);
    const events = ofImage(diary.events, image);
    arms.push({
      what,
      share: shareInUse(events, slots, fromMs, fromMs + seconds * 1000),
      gaps: replacementSeconds(events),
    });
    await contender.end();
  }
  const shareOf = (name: string) => arms.find(({ what }) => what.includes(name))?.share ?? NaN;
  const ours = shareOf('Plancton');
  report('slot-use', {
    head: [`${slots} slots, pilots of ${lifetime} s, ${seconds} s`, 'share in use', 'ended', 'median gap, s'],
    rows: arms.map(({ what, share, gaps }) => [what, share, gaps.length, median(gaps)]),
    verdicts: [
      atLeast('share minus that of `--restart always`', -0.005, ours - shareOf('--restart always')),
      atLeast('share minus that of Swarm, `--restart-delay 0s`', 0, ours - shareOf('--restart-delay')),
      atLeast('share minus that of Swarm, defaults', 0, ours - shareOf('service, defaults')),
    ],
    chart: {
      title: `Share of slot time in use (${slots} slots, pilots of ${lifetime} s)`,
      unit: '',
      bars: arms.map(({ what, share }) => ({
        label: what.replaceAll('`', ''),
        value: share,
        ours: what === 'Plancton',
      })),
    },
    raw: Object.fromEntries(arms.map(({ what, gaps }) => [what, gaps])),
  });
});
