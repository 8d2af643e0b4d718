import { expect, it } from 'vitest';
import { toPoints } from '../../../src/report/influx-points.js';
import { aPilot, aSample, anObservation } from '../../support/builders.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

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

it('a cycle is what the original told of it, and what CPUs do beside it', () => {
  const sample = aSample({ cpus: 8, busy: 5, own: 3, service: 0.5, idle: 3 });
  const observation = anObservation({ sample, pilots: [aPilot()] });
  const { capacity, holds, gates } = aStory(aConfig()).look();
  const known = { ...capacity, pilots: 1, promised: 1, admissible: 4, maxDocks: 6 };
  const plan = { actions: [], capacity: known, holds, gates };
  const points = toPoints({ type: 'cycle', number: 1, uptimeMs: 1000, tookMs: 3, observation, plan }, 'wn042');
  expect(points.map(({ series }) => series)).toEqual(['daemon', 'daemon', 'measurement', 'host']);
  expect(points.at(-1)).toMatchObject({
    tags: { hostname: 'wn042' },
    fields: { cpus: 8, own: 3, foreign: 1.5, idle: 3, promised: 1, pilots: 1, admissible: 4, max_docks: 6 },
  });
  const blind = toPoints(
    {
      ...{ type: 'cycle', number: 1, uptimeMs: 1000, tookMs: 3 },
      observation: { ...observation, sample: { ...sample, own: undefined } },
      plan: { ...plan, capacity: { ...known, admissible: undefined } },
    },
    'wn042',
  );
  expect(blind.map(({ series }) => series)).toEqual(['daemon', 'daemon', 'measurement']);
});

it('a pilot that is gone is what the original told of it, and what it has used beside it', () => {
  const pilot = aPilot({ flavour: 'default' });
  const action = { type: 'remove', pilot, reason: 'evicted', stopSeconds: 0, ageMs: 0 } as const;
  const ended = { exitCode: 137, oomKilled: true, startedWallMs: 1000, finishedWallMs: 61_000 };
  const outcome = { action, result: 'done', error: undefined, ended } as const;
  const usage = { cpuSeconds: 42.5, memoryPeakBytes: 1_000_000, blockBytes: 4096, networkBytes: 512 };
  const points = toPoints({ type: 'action-ended', outcome, atWallMs: 62_000, usage }, 'wn042');
  expect(points).toEqual([
    expect.objectContaining({ series: 'container', fields: { uptime: 60 } }),
    {
      series: 'pilot',
      tags: { hostname: 'wn042', flavour: 'default', end: 'evicted' },
      fields: {
        ...{ wall: 60, exit_code: 137, oom_killed: true },
        ...{ cpu: 42.5, memory_peak: 1_000_000, block: 4096, network: 512 },
      },
      atMs: 62_000,
    },
  ]);
  const [, unseen] = toPoints({ type: 'action-ended', outcome, atWallMs: 62_000 }, 'wn042');
  expect(unseen?.fields).toEqual({ wall: 60, exit_code: 137, oom_killed: true });
  const never = { ...outcome, ended: undefined };
  expect(toPoints({ type: 'action-ended', outcome: never, atWallMs: 1 }, 'wn042').map(({ series }) => series)).toEqual([
    'container',
  ]);
});
