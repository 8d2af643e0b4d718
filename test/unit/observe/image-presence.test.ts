import { describe, expect, it } from 'vitest';
import type { Outcome, PullAction, SpawnAction } from '../../../src/model.js';
import { ImagePresence } from '../../../src/observe/image-presence.js';
import { aHostImage, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';

const BUSYBOX = 'busybox:latest';
const start: SpawnAction = { type: 'spawn', spec: aSpec(), reason: 'replacement' };
const pull: PullAction = { type: 'pull', reference: BUSYBOX, reason: 'expired' };

function ended(action: Outcome['action'], result: Outcome['result']): readonly Outcome[] {
  return [{ action, result, error: undefined, ended: undefined }];
}

/** Which has found the image already. */
async function aPresence() {
  const engine = createFakeEngine({ clock: createFakeClock() });
  const presence = new ImagePresence(engine);
  const found = await presence.find(BUSYBOX);
  return { engine, presence, found };
}

describe('an image that was found', () => {
  it('is not asked for again', async () => {
    const { engine, presence, found } = await aPresence();
    presence.note([...ended(start, 'done'), ...ended(start, 'skipped')]);
    await expect(presence.find(BUSYBOX)).resolves.toEqual(found);
    expect(found.image).not.toBeNull();
    expect(engine.calls.findImage).toBe(1);
  });

  it.each([
    ['a start has failed', ended(start, 'failed')],
    ['something was pulled', ended(pull, 'done')],
    ['a pull has failed', ended(pull, 'failed')],
    ['an image was removed', ended({ type: 'drop-image', image: aHostImage('a'), reason: 'superseded' }, 'done')],
  ])('is looked for again when %s', async (_, outcomes) => {
    const { engine, presence } = await aPresence();
    presence.note(outcomes);
    await presence.find(BUSYBOX);
    expect(engine.calls.findImage).toBe(2);
  });

  it('is looked for again when told to, and says nothing of another one', async () => {
    const { engine, presence } = await aPresence();
    presence.forget();
    await presence.find(BUSYBOX);
    await expect(presence.find('another:1')).resolves.toEqual({ image: null, imageFailure: undefined });
    expect(engine.calls.findImage).toBe(3);
  });
});

describe('an image that was not found', () => {
  it('is looked for each time: it may come by any way', async () => {
    const { engine, presence } = await aPresence();
    await presence.find('another:1');
    await presence.find('another:1');
    expect(engine.calls.findImage).toBe(3);
  });

  it('since the engine did not answer is looked for again, too', async () => {
    const { engine, presence } = await aPresence();
    presence.forget();
    engine.failNext('findImage', 'timeout');
    await expect(presence.find(BUSYBOX)).resolves.toMatchObject({
      image: undefined,
      imageFailure: { kind: 'timeout' },
    });
    await expect(presence.find(BUSYBOX)).resolves.toMatchObject({ imageFailure: undefined });
  });
});
