import { describe, expect, it } from 'vitest';
import { defaultDeadlines } from '../../../src/engine/docker-connection.js';

const minute = 60_000;

describe('the deadlines of a daemon', () => {
  it('are these: long enough for an engine under load, short enough for one that hangs', () => {
    expect(defaultDeadlines).toEqual({
      versionMs: 5_000,
      infoMs: 10_000,
      listMs: 10_000,
      inspectMs: 5_000,
      logMs: 10_000,
      createMs: minute,
      startMs: minute,
      stopMs: 15_000,
      removeMs: 30_000,
      dropImageMs: minute,
      pullStallMs: 2 * minute,
      pullMs: 120 * minute,
      followMs: 24 * 60 * minute,
    });
  });
});
