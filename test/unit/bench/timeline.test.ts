import { describe, expect, it } from 'vitest';
import { momentOf, ofImage, replacementSeconds, shareInUse } from '../../bench/timeline.js';

const at = (seconds: number, action: 'create' | 'start' | 'die', image = 'a') => ({
  action,
  image,
  atMs: seconds * 1000,
});

describe('the timeline of containers', () => {
  it('tells one contender from another by the image, with and without the tag', () => {
    const events = [at(0, 'start', 'a'), at(1, 'start', 'a:latest'), at(2, 'start', 'ab')];
    expect(ofImage(events, 'a')).toEqual(events.slice(0, 2));
  });

  it('pairs each end with the next start, the oldest end first, and first starts with nothing', () => {
    const events = [at(0, 'start'), at(0, 'start'), at(10, 'die'), at(11, 'die'), at(12, 'start'), at(15, 'start')];
    expect(replacementSeconds(events)).toEqual([2, 4]);
  });

  it('counts the time in which slots were in use, from what ran before the first moment on', () => {
    const events = [at(0, 'start'), at(5, 'start'), at(15, 'die'), at(18, 'create'), at(30, 'die')];
    expect(shareInUse(events, 2, 10_000, 20_000)).toBe(0.75);
  });

  it('counts no slot twice when more run than there are slots', () => {
    const events = [at(0, 'start'), at(0, 'start'), at(0, 'start')];
    expect(shareInUse(events, 2, 10_000, 20_000)).toBe(1);
  });

  it('knows when so many ran at the same time for the first time', () => {
    const events = [at(1, 'start'), at(2, 'die'), at(3, 'start'), at(4, 'start')];
    expect(momentOf(events, 2)).toBe(4000);
    expect(momentOf(events, 3)).toBeUndefined();
  });
});
