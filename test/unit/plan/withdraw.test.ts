import { describe, expect, it } from 'vitest';
import { anInFlight } from '../../support/builders.js';
import { aConfig, aStory, evictedBy, pilotsOf } from '../../support/plan-builders.js';

const waiting = (count: number) =>
  anInFlight({ spawning: Array.from({ length: count }, (_, index) => ({ name: `w${index}`, cpus: 1 })) });

describe('starts that still wait for their turn', () => {
  it('stay wanted while there is room for them', () => {
    const decision = aStory(aConfig()).look({ pilots: pilotsOf(4), inFlight: waiting(4) });
    expect(decision.withdrawStarts).toBe(false);
  });

  it('are not wanted any more when the policy does not allow them', () => {
    const policy = { clamps: [], refusals: ['no policy'] };
    expect(aStory(aConfig()).look({ policy, inFlight: waiting(4) }).withdrawStarts).toBe(true);
  });

  it.each(['drain', 'drain-stop', 'force-stop', 'unknown'] as const)('are not wanted any more in %s', (mode) => {
    expect(aStory(aConfig()).look({ mode, inFlight: waiting(4) }).withdrawStarts).toBe(true);
  });

  it('are not wanted any more when they would be more than a lowered cap allows', () => {
    const decision = aStory(aConfig({ max_docks: 7 })).look({ pilots: pilotsOf(4), inFlight: waiting(4) });
    expect(decision.withdrawStarts).toBe(true);
  });

  it('are not wanted any more when others have taken the room for them', () => {
    const story = aStory(aConfig());
    const beside = (foreign: number) => ({
      pilots: pilotsOf(4),
      inFlight: waiting(2),
      load: { busy: 4 + foreign, own: 4 },
    });
    expect(story.look(beside(2.5)).withdrawStarts).toBe(false);
    expect(story.look(beside(2.6)).withdrawStarts).toBe(true);
    expect(aStory(aConfig({ evict: 'never' })).look(beside(2.6)).withdrawStarts).toBe(false);
    expect(aStory(aConfig({ policy: 'legacy' })).look(beside(2.6)).withdrawStarts).toBe(false);
  });

  it('are not wanted any more when pilots have to go', () => {
    const story = aStory(aConfig({ grace_kill: 60, cpu_slack: 0, evict_margin: 0 }));
    const looks = [0, 1, 2, 3, 4, 5].map(() =>
      story.look({ pilots: pilotsOf(6), inFlight: waiting(1), load: { busy: 8, own: 3 } }),
    );
    const gone = looks.filter((decision) => evictedBy(decision).length > 0);
    expect(gone).not.toEqual([]);
    expect(gone.every(({ withdrawStarts }) => withdrawStarts)).toBe(true);
  });
});
