import { describe, expect, it } from 'vitest';
import { someResources } from '../support/builders.js';
import { setStage, type LoopStage, type StageOptions } from '../support/loop-stage.js';

const HOUR_MS = 3_600_000;
const OPTIONS: StageOptions = {
  config: 'docker_image: site/pilot:1\nmain_sleep: 30\nmax_docks: 2\nimage_expiration: 10m\nimage_keep: 2h\n',
  images: ['their/tool:1'],
  behave: () => ({ lifetimeMs: 200_000 }),
};

/** The registry has another image under the name of the pilots' one. */
function publish(stage: LoopStage, id: string): void {
  stage.engine.registry.set('site/pilot:1', id);
}

/** Ids of the images on the host that the registry ever had. */
function onHost(stage: LoopStage): string {
  const ids = [...new Set(stage.engine.images.values())];
  return ids.filter((id) => id.length < 20).join(' ');
}

function removed(stage: LoopStage): readonly string[] {
  return stage.events.flatMap((event) => {
    if (event.type !== 'action-ended' || event.outcome.action.type !== 'drop-image') return [];
    const { action, result } = event.outcome;
    return [`${action.image.id} ${action.reason} ${result}`];
  });
}

async function bringFour(stage: LoopStage): Promise<void> {
  publish(stage, 'sha256:a');
  await stage.start();
  for (const id of ['sha256:b', 'sha256:c', 'sha256:d']) {
    await stage.clock.advance(900_000);
    publish(stage, id);
  }
  await stage.clock.advance(900_000);
}

describe('the superseded images of a host', () => {
  it('go one by one when image_keep is over, and what was pulled is known over a restart of the daemon', async () => {
    const first = setStage(OPTIONS);
    await bringFour(first);
    expect(onHost(first).split(' ').sort()).toEqual(['sha256:a', 'sha256:b', 'sha256:c', 'sha256:d']);
    await first.stop();

    const stage = setStage(OPTIONS, first);
    await stage.start();
    await stage.clock.advance(4 * HOUR_MS);

    expect(onHost(stage)).toBe('sha256:d');
    expect(removed(stage)).toEqual(['a', 'b', 'c'].map((id) => `sha256:${id} superseded done`));
    expect(stage.engine.images.has('their/tool:1')).toBe(true);
    expect(stage.names()).toHaveLength(2);
    await stage.stop();
  });

  it('go within minutes for want of disk, but for the one in force and the last good one', async () => {
    const stage = setStage(OPTIONS);
    await bringFour(stage);
    const disk = { freeBytes: 0, totalBytes: 1e12, freeInodes: 1e6, totalInodes: 2e6 };
    stage.resources = someResources({ disk });
    await stage.clock.advance(600_000);

    expect(removed(stage)).toEqual(['a', 'b', 'c'].map((id) => `sha256:${id} disk done`));
    expect(onHost(stage)).toBe('sha256:d');
    await stage.stop();
  });

  it('stay while a container of others was made from them, and what was here before Plancton came stays', async () => {
    const stage = setStage(OPTIONS);
    stage.engine.images.set('site/pilot:1', 'sha256:mine');
    publish(stage, 'sha256:mine');
    await stage.start();
    publish(stage, 'sha256:b');
    await stage.clock.advance(HOUR_MS);
    stage.engine.images.set('kept/by:others', 'sha256:mine');
    stage.engine.images.set('their/own:name', 'sha256:b');
    publish(stage, 'sha256:c');
    await stage.clock.advance(6 * HOUR_MS);

    expect(onHost(stage).split(' ').sort()).toEqual(['sha256:b', 'sha256:c', 'sha256:mine']);
    expect(removed(stage)).toEqual([]);
    await stage.stop();
  });

  it('cost an engine that has none hardly a question', async () => {
    const stage = setStage({ ...OPTIONS, config: 'main_sleep: 30\nmax_docks: 2\n', images: ['busybox:latest'] });
    await stage.start();
    await stage.clock.advance(HOUR_MS);
    const { listImages } = stage.engine.calls;
    await stage.clock.advance(10 * HOUR_MS);
    expect(stage.engine.calls.listImages - listImages).toBeLessThanOrEqual(10);
    await stage.stop();
  });

  it('stay where the engine could not tell what there was before a pull, and the pull counts all the same', async () => {
    const stage = setStage(OPTIONS);
    publish(stage, 'sha256:a');
    stage.engine.failNext('listImages', 'timeout');
    await stage.start();
    publish(stage, 'sha256:b');
    stage.engine.failNext('markImage', 'timeout');
    await stage.clock.advance(700_000);
    publish(stage, 'sha256:c');
    await stage.clock.advance(6 * HOUR_MS);

    expect(stage.engine.calls.markImage).toBeGreaterThan(2);
    expect(removed(stage)).toEqual([]);
    expect(stage.names()).toHaveLength(2);
    await stage.stop();
  });
});
