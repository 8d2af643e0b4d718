import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/decision.js';
import type { Outcome } from '../../../src/model.js';
import type { State } from '../../../src/plan/state.js';
import { anImage, anInFlight, aPilot, someResources } from '../../support/builders.js';
import { aConfig, aStory, first, pilotsOf, pullsOf, spawnsOf } from '../../support/plan-builders.js';

const config = aConfig({ docker_image: 'site/pilot:1', max_docks: 100 });
const next = aConfig({ docker_image: 'site/pilot:2', max_docks: 100 });

function pulled(decision: Plan<State>): string {
  return pullsOf(decision)
    .map(({ reference, reason }) => `${reference} ${reason}`)
    .join(', ');
}

function images(decision: Plan<State>): readonly string[] {
  return [...new Set(spawnsOf(decision).map(({ spec }) => spec.image))];
}

function ended(reference: string, result: Outcome['result']): readonly Outcome[] {
  return [{ action: { type: 'pull', reference, reason: 'missing' }, result, error: undefined, ended: undefined }];
}

describe('the registry is asked', () => {
  test('when the image is missing', () => {
    expect(pulled(aStory(config).look({ image: null }))).toBe('site/pilot:1 missing');
  });

  test('once when the daemon has just come', () => {
    const story = aStory(config);
    expect(pulled(story.look())).toBe('site/pilot:1 changed');

    expect(pulled(story.look({ outcomes: ended('site/pilot:1', 'done') }))).toBe('');
    expect(pulled(story.look())).toBe('');
  });

  test('when another image is wanted', () => {
    const story = aStory(config);
    story.look();
    story.look({ outcomes: ended('site/pilot:1', 'done') });

    expect(pulled(story.look({ config: next }))).toBe('site/pilot:2 changed');
  });

  test('when the image has been here for image_expiration', () => {
    const story = aStory({ ...config, image_expiration: 3600 });
    story.look();
    story.look({ outcomes: ended('site/pilot:1', 'done') });

    expect(pulled(story.look({ after: 3599.999 }))).toBe('');
    expect(pulled(story.look({ after: 0.001 }))).toBe('site/pilot:1 expired');
    expect(pulled(story.look({ outcomes: ended('site/pilot:1', 'done') }))).toBe('');
    expect(pulled(story.look({ after: 3599 }))).toBe('');
    expect(pulled(story.look({ after: 1 }))).toBe('site/pilot:1 expired');
  });

  test('not while the disk of the engine is short of room, or nobody knows', () => {
    const withFree = (freeBytes: number) => ({ freeBytes, totalBytes: 1e12, freeInodes: 1e6, totalInodes: 2e6 });
    const story = aStory({ ...config, min_free_disk: 1e9 }, { image: null });
    for (const disk of [withFree(999_999_999), undefined, { ...withFree(1e12), freeInodes: 1 }]) {
      expect(pulled(story.look({ resources: someResources({ disk }) }))).toBe('');
    }
    const [hold] = story.look({ resources: someResources({ disk: withFree(0) }) }).holds;
    expect(hold?.text).toBe(
      "image site/pilot:1 is not on this host, and is not pulled: 0 MB free on the engine's disk, min_free_disk 1.0 GB",
    );
    expect(pulled(story.look({ resources: someResources({ disk: withFree(1e9) }) }))).toBe('site/pilot:1 missing');
    expect(pulled(story.look({ resources: someResources({ disk: null }) }))).toBe('site/pilot:1 missing');
  });

  test('not while it is being asked', () => {
    const story = aStory(config);
    const inFlight = anInFlight({ pulling: ['site/pilot:1'] });

    expect(pulled(story.look({ image: null, inFlight }))).toBe('');
    expect(pulled(story.look({ config: next, image: null, inFlight }))).toBe('site/pilot:2 missing');
  });

  test('not while it is not known which image is here', () => {
    expect(pulled(aStory(config).look({ image: undefined }))).toBe('');
  });

  test('not on force-stop', () => {
    expect(pulled(aStory(config).look({ image: null, mode: 'force-stop' }))).toBe('');
  });

  test('never for a digest that is here: it names its content', () => {
    const digest = `site/pilot@sha256:${'a'.repeat(64)}`;
    const story = aStory({ ...config, docker_image: digest, image_expiration: 60 });

    for (let look = 0; look < 9; look += 1) expect(pulled(story.look())).toBe('');
    expect(pulled(story.look({ image: null }))).toBe(`${digest} missing`);
  });
});

describe('a pull that failed', () => {
  const failed = { image: null, outcomes: ended('site/pilot:1', 'failed') };

  test('is tried again later and later, up to a quarter of an hour', () => {
    const story = aStory(config);
    story.look({ image: null });
    const pauses = [30, 60, 120, 240, 480, 900, 900];
    for (const pause of pauses) {
      expect(story.look({ ...failed, after: 1 }).wakeInMs).toBe(pause * 1000);
      expect(pulled(story.look({ image: null, after: pause - 0.001 }))).toBe('');
      expect(pulled(story.look({ image: null, after: 0.001 }))).toBe('site/pilot:1 missing');
    }
  });

  test('since the registry limits requests is tried again after half an hour, and every hour in the end', () => {
    const error = { kind: 'refused', message: 'toomanyrequests', pull: 'rate-limited' } as const;
    const limited = {
      image: null,
      outcomes: ended('site/pilot:1', 'failed').map((outcome) => ({ ...outcome, error })),
    };
    const story = aStory(config);
    story.look({ image: null });
    for (const pause of [1800, 3600, 3600]) {
      expect(story.look({ ...limited, after: 1 }).wakeInMs).toBe(pause * 1000);
      expect(pulled(story.look({ image: null, after: pause - 0.001 }))).toBe('');
      expect(pulled(story.look({ image: null, after: 0.001 }))).toBe('site/pilot:1 missing');
    }
    expect(story.look({ ...failed, after: 1 }).wakeInMs).toBe(240_000);
  });

  test('starts from the shortest pause again after one that went well', () => {
    const story = aStory(config);
    story.look({ image: null });
    story.look({ ...failed, after: 1 });
    story.look({ ...failed, after: 1 });
    story.look({ image: null, after: 1, outcomes: ended('site/pilot:1', 'done') });

    expect(story.look({ ...failed, after: 1 }).wakeInMs).toBe(30_000);
  });

  test('waits too after one that went well and brought nothing', () => {
    const story = aStory(config);
    story.look({ image: null });

    expect(pulled(story.look({ image: null, after: 1, outcomes: ended('site/pilot:1', 'done') }))).toBe('');
    expect(pulled(story.look({ image: null, after: 29 }))).toBe('');
    expect(pulled(story.look({ image: null, after: 1 }))).toBe('site/pilot:1 missing');
  });

  test('does not hold back another image', () => {
    const story = aStory(config);
    story.look({ image: null });
    story.look({ ...failed, after: 1 });

    expect(pulled(story.look({ config: next, image: null, after: 1 }))).toBe('site/pilot:2 missing');
  });

  test('of an image no longer wanted says nothing about the one that is', () => {
    const story = aStory(config);
    story.look();
    story.look({ config: next, image: null });
    story.look({ outcomes: ended('site/pilot:1', 'failed'), image: null });
    story.look({ outcomes: ended('site/pilot:1', 'done'), image: null });

    expect(story.state.image).toMatchObject({ failures: 0, pulledAtMs: undefined });
  });

  test('wakes nobody while the next is under way', () => {
    const story = aStory(config);
    story.look({ image: null });
    const inFlight = anInFlight({ pulling: ['site/pilot:1'] });

    expect(story.look({ ...failed, after: 1, inFlight }).wakeInMs).toBeUndefined();
  });

  test('does not stop a host that has the image', () => {
    const story = aStory(config);
    story.look();

    expect(images(story.look({ outcomes: ended('site/pilot:1', 'failed') }))).toStrictEqual(['site/pilot:1']);
  });

  test('of a refresh does not lead to one at every look', () => {
    const story = aStory(config);
    story.look();
    story.look({ outcomes: ended('site/pilot:1', 'failed') });

    expect(pulled(story.look({ after: 29 }))).toBe('');
    expect(pulled(story.look({ after: 1 }))).toBe('site/pilot:1 changed');
  });

  test('is no matter of the outcomes of other actions', () => {
    const story = aStory(config);
    story.look();
    const spawn = first(spawnsOf(story.look()));
    story.look({ outcomes: [{ action: spawn, result: 'failed', error: undefined, ended: undefined }] });

    expect(story.state.image).toMatchObject({ failures: 0, pulledAtMs: undefined });
  });
});

describe('pilots are started from', () => {
  test('the wanted image', () => {
    expect(images(aStory(config).look({ image: anImage() }))).toStrictEqual(['site/pilot:1']);
  });

  test('the one before while the wanted one is being pulled', () => {
    const story = aStory(config);
    story.look();
    story.look({ config: next, image: null });

    expect(images(story.look({ image: null }))).toStrictEqual(['site/pilot:1']);
    expect(images(story.look())).toStrictEqual(['site/pilot:2']);
  });

  test('none where there was none before', () => {
    expect(images(aStory(config).look({ image: null }))).toStrictEqual([]);
  });

  test('none while it is not known which image is here', () => {
    const story = aStory(config);
    story.look();

    expect(images(story.look({ image: undefined }))).toStrictEqual([]);
  });

  test('none of the image before where the host has forbidden what was in force', () => {
    const story = aStory(config);
    story.look();
    story.look({ policy: { clamps: [], refusals: ['its key was revoked'] } });

    expect(images(story.look({ config: next, image: null }))).toStrictEqual([]);
  });

  test('none where the wanted image was here and has been taken away', () => {
    const story = aStory(next);
    story.look();

    expect(images(story.look({ image: null, pilots: pilotsOf(1, { image: 'site/pilot:1' }) }))).toStrictEqual([]);
  });

  test('the image before goes with the command and the revision before: nobody wrote the new command for it', () => {
    const story = aStory({ ...config, docker_cmd: ['/old'] }, { revision: 'r1' });
    story.look();

    const plan = story.look({
      config: { ...next, docker_cmd: ['/new'], cpus_per_dock: 0.5 },
      revision: 'r2',
      image: null,
    });

    const { spec } = first(spawnsOf(plan));
    expect(spec).toMatchObject({ image: 'site/pilot:1', command: ['/old'], revision: 'r1', cpus: 0.5 });
  });

  test('no image of a pilot that another daemon started: what it was started with is not known', () => {
    const pilots = [aPilot({ name: 'a', image: 'site/pilot:1' })];

    expect(images(aStory(next).look({ image: null, pilots }))).toStrictEqual([]);
  });

  test('nothing is pulled that the policy does not allow', () => {
    const policy = { clamps: [], refusals: ['docker_image next: not among the allowed images'] };
    const story = aStory(next);
    expect(story.look({ image: null, policy }).actions).toStrictEqual([]);
    expect(story.look({ image: null }).actions.map(({ type }) => type)).toStrictEqual(['pull']);
  });

  test('an image that no pilot has been started from is not the one before', () => {
    const story = aStory(config);
    story.look({ mode: 'drain' });

    expect(images(story.look({ config: next, image: null }))).toStrictEqual([]);
  });
});
