import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/decision.js';
import type { Config } from '../../../src/config/schema.js';
import type { HostImage, Observation, Pilot } from '../../../src/model.js';
import type { State } from '../../../src/plan/state.js';
import { aHostImage, anImage, anInFlight, anInstant, aPilot, someResources } from '../../support/builders.js';
import { aConfig, aStory, dropsOf, type Story } from '../../support/plan-builders.js';

const DAY_MS = 86_400_000;
const config = aConfig({ image_keep: 7 * 86_400, fizzle_seconds: 10, main_sleep: 30 });

/** What is removed, and why. */
function dropped(decision: Plan<State>): string {
  return dropsOf(decision)
    .map(({ image, reason }) => `${image.id} ${reason}`)
    .join(', ');
}

function brought(name: string, daysAgo: number, overrides: Partial<HostImage> = {}): HostImage {
  return aHostImage(name, { markedWallMs: anInstant().wallMs - daysAgo * DAY_MS, ...overrides });
}

function inForce(name: string): Partial<Observation> {
  return { image: anImage({ id: `id-of-${name}` }) };
}

/** The disk of the engine with this much room; the limit is 1 GB. */
function withFree(freeBytes: number): Partial<Observation> {
  const disk = { freeBytes, totalBytes: 1e12, freeInodes: 1e6, totalInodes: 2e6 };
  return { resources: someResources({ disk }) };
}

const SHORT = withFree(999_999_999);

/** A pilot that was started `seconds` after the first look. */
function startedAt(name: string, seconds: number): Pilot {
  return aPilot({ name, spawnedBootMs: anInstant().bootMs + seconds * 1000 });
}

/** In which a pilot has just lived from image `name` for long enough, 10 s. */
function aLife(from: Config, name: string, base: Partial<Observation> = {}): Story {
  const story = aStory(from, { ...inForce(name), ...base });
  const pilots = [startedAt('first', 0)];
  story.look({ pilots, images: undefined });
  story.look({ pilots, images: undefined, after: 10 });
  return story;
}

describe('a superseded image', () => {
  const images = [brought('a', 30), brought('b', 7), brought('c', 1)];

  test('goes when the next one has been here for image_keep', () => {
    expect(dropped(aLife(config, 'c').look({ images }))).toBe('id-of-a superseded');
  });

  test('stays until then, however old it is itself', () => {
    const story = aLife(config, 'c', { images: [brought('a', 30), brought('b', 6.9), brought('c', 1)] });
    expect(dropped(story.look())).toBe('');
    expect(dropped(story.look({ after: 8599.999 }))).toBe('');
    expect(dropped(story.look({ after: 0.001 }))).toBe('id-of-a superseded');
  });

  test('goes in a cycle that has looked at the images only', () => {
    expect(dropped(aLife(config, 'c').look())).toBe('');
  });

  test('goes alone, the one that has not been wanted for longest first', () => {
    const many = [brought('c', 20), brought('a', 30), brought('d', 10), brought('b', 25), brought('e', 8)];
    const story = aLife(config, 'e');
    expect(dropped(story.look({ images: many }))).toBe('id-of-a superseded');
    expect(dropped(story.look({ images: many.filter(({ id }) => id !== 'id-of-a') }))).toBe('id-of-b superseded');
  });

  test('goes during a drain too', () => {
    expect(dropped(aLife(config, 'c').look({ images, mode: 'drain' }))).toBe('id-of-a superseded');
  });

  test('goes while the image in force has not come yet', () => {
    expect(dropped(aLife(config, 'c').look({ image: null, images }))).toBe('id-of-a superseded');
  });

  test('does not go with image_keep at never, not even for want of disk', () => {
    const never = { ...config, image_keep: 'never' as const };
    expect(dropped(aLife(never, 'c').look({ ...SHORT, images }))).toBe('');
  });

  test('does not go while anybody needs it; the next one does', () => {
    const used = [brought('a', 30, { needed: true }), brought('b', 20), brought('c', 10), brought('d', 9)];
    expect(dropped(aLife(config, 'd').look({ images: used }))).toBe('id-of-b superseded');
  });

  test.each<[string, Partial<Observation>]>([
    ['an image is being pulled', { inFlight: anInFlight({ pulling: ['site/pilot:2'] }) }],
    ['pilots are being killed', { mode: 'force-stop' }],
    ['nobody knows what the operator wants', { mode: 'unknown' }],
    ['nobody knows which image is in force', { image: undefined }],
  ])('does not go while %s', (_, seen) => {
    expect(dropped(aLife(config, 'c').look({ ...SHORT, images, ...seen }))).toBe('');
  });

  test('that we did not bring does not go', () => {
    const story = aLife(config, 'c', SHORT);
    const theirs = brought('x', 40, { marks: [], markedWallMs: undefined });
    expect(dropped(story.look({ images: [theirs, brought('b', 8), brought('c', 7.5)] }))).toBe('id-of-b superseded');
    expect(dropped(story.look({ images: [theirs, brought('c', 7.5)] }))).toBe('');
  });

  test('whose place was taken by an image of others is as old as it was', () => {
    const story = aLife(config, 'theirs', { images: [brought('a', 30), brought('b', 20)] });
    expect(dropped(story.look())).toBe('id-of-a superseded');
    const onlyNewest = aLife(config, 'theirs', { images: [brought('b', 20)] });
    expect(dropped(onlyNewest.look())).toBe('');
  });
});

describe('the image in force', () => {
  test('stays, also when it has not been marked for longest', () => {
    const images = [brought('a', 30), brought('b', 20), brought('c', 10)];
    expect(dropped(aLife(config, 'a').look({ images }))).toBe('id-of-b superseded');
  });

  test('stays when it is the only one, without any room on the disk', () => {
    expect(dropped(aStory(config).look({ ...inForce('a'), ...withFree(0), images: [brought('a', 30)] }))).toBe('');
  });

  test('stays when its name has gone to an image that has not come yet', () => {
    const images = [brought('a', 30), brought('b', 20), brought('c', 10)];
    expect(dropped(aLife(config, 'a').look({ image: null, images }))).toBe('id-of-b superseded');
  });
});

describe('the last image that pilots lived from', () => {
  const atOnce = { ...config, image_keep: 0 };
  const images = [brought('a', 3), brought('b', 2), brought('c', 1)];
  const { bootMs } = anInstant();
  const longBefore = aPilot({ name: 'p1', spawnedBootMs: bootMs - 1000 });

  test('stays until one has lived from the image in force', () => {
    const story = aStory(atOnce, inForce('a'));
    const first = startedAt('p1', 0);
    story.look({ pilots: [first] });
    story.look({ pilots: [first], after: 10 });
    expect(dropped(story.look({ ...inForce('c'), pilots: [first], images }))).toBe('id-of-b superseded');

    const second = startedAt('p2', 40);
    const rest = images.filter(({ id }) => id !== 'id-of-b');
    expect(dropped(story.look({ ...inForce('c'), pilots: [first, second], images: rest }))).toBe('');
    const last = { ...inForce('c'), pilots: [first, second], images: rest };
    expect(dropped(story.look({ ...last, after: 9.999 }))).toBe('');
    expect(dropped(story.look({ ...last, after: 0.001 }))).toBe('id-of-a superseded');
  });

  test('stays for want of disk', () => {
    const story = aStory(config, inForce('a'));
    const pilots = [startedAt('p1', 0)];
    story.look({ pilots });
    story.look({ pilots, after: 10 });
    const short = { ...inForce('c'), ...SHORT };
    expect(dropped(story.look({ ...short, images }))).toBe('id-of-b disk');
    expect(dropped(story.look({ ...short, images: [brought('a', 3), brought('c', 1)] }))).toBe('');
  });

  test('is not known to a daemon from which none has lived: nothing goes for its age then', () => {
    const story = aStory(config, inForce('c'));
    const old = [brought('good', 90), brought('bad', 60), brought('c', 30)];
    expect(dropped(story.look({ images: old }))).toBe('');
    const pilots = [startedAt('p1', 30)];
    expect(dropped(story.look({ pilots, images: old }))).toBe('');
    expect(dropped(story.look({ pilots, images: old }))).toBe('id-of-good superseded');
  });

  test('is taken to be the one before, until a pilot that this daemon has started has lived', () => {
    const story = aStory(atOnce, { ...inForce('c'), images: [brought('b', 2), brought('c', 1)] });
    expect(dropped(story.look({ pilots: [longBefore] }))).toBe('');
    expect(dropped(story.look({ pilots: [longBefore] }))).toBe('');
    const pilots = [longBefore, startedAt('p2', 30)];
    expect(dropped(story.look({ pilots }))).toBe('');
    expect(dropped(story.look({ pilots }))).toBe('id-of-b superseded');
  });

  test('stays the one in force when that could not be looked at for a while', () => {
    const story = aStory(atOnce, { ...inForce('c'), images: [brought('b', 2), brought('c', 1)] });
    const pilots = [startedAt('p1', 0)];
    story.look({ pilots, images: undefined });
    story.look({ pilots, image: undefined });
    expect(dropped(story.look({ pilots: [] }))).toBe('id-of-b superseded');
  });
});

describe('for want of disk', () => {
  const images = [brought('b', 2), brought('a', 3), brought('c', 1), brought('d', 0.5)];

  test('the image that has not been wanted for longest goes at once', () => {
    expect(dropped(aStory(config).look({ ...inForce('d'), ...SHORT, images }))).toBe('id-of-a disk');
  });

  test('nothing goes while there is just enough', () => {
    expect(dropped(aStory(config).look({ ...inForce('d'), ...withFree(1e9), images }))).toBe('');
  });

  test('an image goes also where inodes are what is wanting', () => {
    const disk = { freeBytes: 1e12, totalBytes: 2e12, freeInodes: 9_999, totalInodes: 1e6 };
    const resources = someResources({ disk });
    expect(dropped(aStory(config).look({ ...inForce('d'), resources, images }))).toBe('id-of-a disk');
  });

  test.each([
    ['could not be read', undefined, 1e9],
    ['is not on this host', null, 1e9],
    ['is not looked at', { freeBytes: 0, totalBytes: 1e12, freeInodes: 1e6, totalInodes: 2e6 }, 0],
  ])('nothing goes where the disk %s', (_, disk, min_free_disk) => {
    const story = aStory({ ...config, min_free_disk }, { ...inForce('d'), images });
    expect(dropped(story.look({ resources: someResources({ disk }) }))).toBe('');
  });

  test('an image that is old enough anyway is said to be that', () => {
    const old = [brought('a', 30), brought('b', 20), brought('c', 1)];
    expect(dropped(aLife(config, 'c').look({ ...SHORT, images: old }))).toBe('id-of-a superseded');
  });
});
