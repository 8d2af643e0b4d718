import { expect, it } from 'vitest';
import { toPoints } from '../../../src/report/influx-points.js';

it('a configuration that was taken back is one point, with the pilots that decided it', () => {
  const points = toPoints(
    {
      type: 'config-rolled-back',
      revision: 'bbb',
      inForce: 'aaa',
      problems: ['7 of 9 pilots failed: 7 x exit code 1'],
      failed: 7,
      judged: 9,
      atWallMs: 1234,
    },
    'wn042',
  );

  const fields = { refused: 'bbb', in_force: 'aaa', failed: 7, judged: 9 };
  expect(points).toEqual([{ series: 'config', tags: { hostname: 'wn042' }, fields, atMs: 1234 }]);
});
