import { describe, expect, it } from 'vitest';
import type { Outcome, PullAction } from '../../../src/model.js';
import { ImageLook } from '../../../src/observe/image-look.js';
import { aHostImage, someResources } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';
import { aConfig } from '../../support/plan-builders.js';

const config = aConfig({ min_free_disk: 1e9 });
const { disk } = someResources();
const short = { freeBytes: 1e9 - 1, totalBytes: 1e12, freeInodes: 1e6, totalInodes: 2e6 };
const pull: PullAction = { type: 'pull', reference: 'site/pilot:1', reason: 'expired' };

function ended(action: Outcome['action'], result: Outcome['result']): readonly Outcome[] {
  return [{ action, result, error: undefined, ended: undefined }];
}

/** By a daemon that has been there for a minute. */
async function aLook() {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock });
  const look = new ImageLook({ clock, engine, instance: 'test' });
  await clock.advance(60_000);
  return { clock, engine, look };
}

describe('the images of the host', () => {
  it('are not looked at by a daemon that has just come: it has pilots to start', async () => {
    const clock = createFakeClock();
    const engine = createFakeEngine({ clock });
    const look = new ImageLook({ clock, engine, instance: 'test' });
    await clock.advance(59_999);
    look.beginIfDue(config, disk);
    expect(engine.calls.listImages).toBe(0);
    await clock.advance(1);
    look.beginIfDue(config, disk);
    expect(engine.calls.listImages).toBe(1);
  });

  it('are looked at beside the loop, and told once', async () => {
    const { clock, look } = await aLook();
    look.beginIfDue(config, disk);
    expect(look.take()).toBeUndefined();
    await clock.settle();
    expect(look.take()).toMatchObject([{ othersNames: ['busybox:latest'] }]);
    expect(look.take()).toBeUndefined();
  });

  it('are looked at hourly, and every five minutes while the disk is short of room', async () => {
    const { clock, engine, look } = await aLook();
    const looksIn = async (minutes: number, room: typeof disk) => {
      const before = engine.calls.listImages;
      for (let minute = 0; minute < minutes; minute += 1) {
        look.beginIfDue(config, room);
        await clock.advance(60_000);
      }
      return engine.calls.listImages - before;
    };
    expect(await looksIn(60, disk)).toBe(1);
    expect(await looksIn(120, null)).toBe(2);
    expect(await looksIn(60, undefined)).toBe(1);
    expect(await looksIn(60, short)).toBe(12);
  });

  it.each<[string, readonly Outcome[], number]>([
    ['after a pull', ended(pull, 'done'), 2],
    ['after a removal', ended({ type: 'drop-image', image: aHostImage('a'), reason: 'disk' }, 'done'), 2],
    ['not after a pull that failed', ended(pull, 'failed'), 1],
    [
      'not after a removal that was put off',
      ended({ type: 'drop-image', image: aHostImage('a'), reason: 'disk' }, 'skipped'),
      1,
    ],
  ])('are looked at again %s', async (_, outcomes, looks) => {
    const { clock, engine, look } = await aLook();
    look.beginIfDue(config, disk);
    await clock.settle();
    look.note(outcomes);
    look.beginIfDue(config, disk);
    await clock.settle();
    expect(engine.calls.listImages).toBe(looks);
  });

  it('are not looked at twice at once, and again after a look that failed', async () => {
    const { clock, engine, look } = await aLook();
    const goOn = engine.hang('listImages');
    look.beginIfDue(config, disk);
    look.note(ended(pull, 'done'));
    look.beginIfDue(config, disk);
    expect(engine.calls.listImages).toBe(1);
    await clock.advance(10_000);
    expect(look.take()).toBeUndefined();
    goOn();
    look.beginIfDue(config, disk);
    await clock.settle();
    expect(engine.calls.listImages).toBe(2);
    expect(look.take()).toHaveLength(1);
  });

  it('are not looked at where none is ever removed', async () => {
    const { engine, look } = await aLook();
    look.beginIfDue({ ...config, image_keep: 'never' }, short);
    expect(engine.calls.listImages).toBe(0);
  });
});
