import { expect, it } from 'vitest';
import { quick } from '../bench/measure.js';
import { report } from '../bench/report.js';
import { atLeast, atMost } from '../bench/results.js';
import { runShare, STEPS } from '../model/run-share.js';

const schedules = quick ? 1_000 : 100_000;

it('keeps every promise through random schedules', async () => {
  const share = await runShare(schedules, 0, 1);
  const broken = share.violation === undefined ? 0 : 1;
  const decided = [...share.decided].sort(([a], [b]) => (a < b ? -1 : 1));
  report(
    'model',
    {
      head: [`schedules of ${STEPS} steps each`, 'how often'],
      rows: [
        ['schedules', share.schedules],
        ['seeds', `0 to ${share.schedules - 1}`],
        ['steps', share.steps],
        ['promises broken', broken],
        ...decided,
      ],
      verdicts: [atLeast('schedules', schedules, share.schedules), atMost('promises broken', 0, broken)],
      raw: {},
    },
    { dir: 'docs/faults', documents: [['docs/reliability.md', 'faults']] },
  );
  expect(share.violation).toBeUndefined();
});
