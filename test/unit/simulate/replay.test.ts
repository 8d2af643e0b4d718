import { describe, expect, it } from 'vitest';
import type { SeenHost } from '../../../src/journal/seen-host.js';
import { pastResult, replayScenario } from '../../../src/simulate/replay.js';

const span: SeenHost['spans'][number] = {
  at: 0,
  seconds: 30,
  cpus: 8,
  foreign: 2,
  idle: 1,
  own: 2,
  promised: 4,
  pilots: 4,
  admissible: 5,
};

function aRecording(overrides: Partial<SeenHost> = {}): SeenHost {
  const counts = { spawned: 9, completed: 3, evicted: 1, expired: 0 };
  return { spans: [span], lives: [], evictedLives: [], ...counts, ...overrides };
}

describe('the scenario of a recording', () => {
  it('has the load of others, one look after the other, and the size of the host', () => {
    const spans = [span, { ...span, seconds: 60, foreign: 5.5 }, { ...span, cpus: 6, foreign: 0 }];
    expect(replayScenario(aRecording({ spans }))).toMatchObject({
      ncpus: 8,
      hours: 120 / 3600,
      foreign: [
        { at: 0, cpus: 2 },
        { at: 30, cpus: 5.5 },
        { at: 90, cpus: 0 },
      ],
    });
  });

  it('has pilots that live as those did, with their mean and deviation', () => {
    // An even spread over 100 -+ 60 s has this deviation.
    const deviation = 60 / Math.sqrt(3);
    const { pilot } = replayScenario(aRecording({ lives: [100 - deviation, 100 + deviation] })) ?? {};
    expect(pilot?.seconds).toBeCloseTo(100);
    expect(pilot?.jitter).toBeCloseTo(0.6);
  });

  it('has pilots of an hour where none has ended by itself, and never such that last no time', () => {
    expect(replayScenario(aRecording())?.pilot).toMatchObject({ seconds: 3600, jitter: 0 });
    expect(replayScenario(aRecording({ lives: [0, 0.1, 40] }))?.pilot.jitter).toBe(0.99);
    expect(replayScenario(aRecording({ lives: [0] }))?.pilot).toMatchObject({ seconds: 1, jitter: 0 });
  });

  it('has pilots that use the share of their CPUs that those used, by time', () => {
    const shareOf = (spans: SeenHost['spans']) => replayScenario(aRecording({ spans }))?.pilot.cpu;
    expect(shareOf([span])).toBe(0.5);
    expect(shareOf([span, { ...span, seconds: 90, own: 4 }])).toBe(0.875);
    expect(shareOf([{ ...span, own: 5 }])).toBe(1);
    expect(shareOf([{ ...span, own: 0 }])).toBe(0.01);
    expect(shareOf([{ ...span, promised: 0 }])).toBe(1);
  });

  it('is none where nothing was seen', () => {
    expect(replayScenario(aRecording({ spans: [] }))).toBeUndefined();
  });
});

describe('what came of a recorded day', () => {
  it('is counted, and its means are weighted by time', () => {
    const spans = [span, { ...span, seconds: 90, pilots: 8, idle: 5, admissible: 9 }];
    expect(pastResult(aRecording({ spans, lives: [5, 600, 9.9] }), 10)).toMatchObject({
      ...{ spawned: 9, completed: 3, evicted: 1, expired: 0, fizzled: 2 },
      ...{ pilotsMean: 7, idleCpusMean: 4, admissibleMean: 8 },
    });
  });

  it('knows what evictions have destroyed', () => {
    expect(pastResult(aRecording({ evictedLives: [12] }), 10).wastedFraction).toBe(0.1);
    expect(pastResult(aRecording({ evictedLives: [3600] }), 10).wastedFraction).toBe(1);
    const idle = [{ ...span, pilots: 0 }];
    expect(pastResult(aRecording({ spans: idle, evictedLives: [12] }), 10).wastedFraction).toBe(0);
  });
});
