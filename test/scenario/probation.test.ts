import { describe, expect, it } from 'vitest';
import type { PilotSpec } from '../../src/model.js';
import { aRevision, setStage, type LoopStage } from '../support/loop-stage.js';
import type { Behaviour } from '../support/fake-engine.js';

const CONFIG = 'main_sleep: 10\nupdateconfig: 10\nmax_docks: 4\n';
const WORKS: Behaviour = { lifetimeMs: 20_000 };
const FAILS: Behaviour = { lifetimeMs: 100, exitCode: 3 };

/** A host whose pilots behave as the test says, by revision. */
async function aHostWith(behaviours: Record<string, Behaviour>): Promise<LoopStage> {
  const behave = (spec?: PilotSpec) => behaviours[spec?.revision ?? ''] ?? WORKS;
  const stage = setStage({ behave, config: CONFIG, hears: true });
  await stage.start();
  return stage;
}

function events(stage: LoopStage, type: string) {
  return stage.events.filter((event) => event.type === type);
}

function revisions(stage: LoopStage): string[] {
  const running = stage.engine.pilots().filter(({ state }) => state === 'running');
  return [...new Set(running.map(({ spec }) => spec?.revision ?? ''))];
}

describe('a new configuration whose first pilots fail', () => {
  it('is taken back within minutes, and a newer one is tried', async () => {
    const stage = await aHostWith({ r2: FAILS });
    await stage.clock.advance(60_000);
    expect(events(stage, 'config-proven')).toEqual([{ type: 'config-proven', revision: 'r1' }]);

    stage.revision = aRevision('r2', `${CONFIG}docker_cmd: /bin/nosuch\n`);
    await stage.clock.advance(300_000);

    expect(events(stage, 'config-rolled-back')).toMatchObject([
      { revision: 'r2', inForce: 'r1', failed: 5, judged: 5, problems: ['5 of 5 pilots failed: 5 x exit code 3'] },
    ]);
    expect(revisions(stage)).toEqual(['r1']);
    expect(stage.names()).toHaveLength(4);
    const failed = events(stage, 'action-ended').length;
    await stage.clock.advance(300_000);
    expect(events(stage, 'config-rolled-back')).toHaveLength(1);
    expect(events(stage, 'action-ended').length).toBeGreaterThan(failed);
    expect(revisions(stage)).toEqual(['r1']);

    stage.revision = aRevision('r3', `${CONFIG}docker_cmd: /bin/other\n`);
    await stage.clock.advance(60_000);
    expect(revisions(stage)).toEqual(['r3']);
    expect(events(stage, 'config-proven')).toHaveLength(2);
  });

  it('stays when nothing has proven itself before it, and the next one is tried', async () => {
    const stage = await aHostWith({ r1: FAILS });
    await stage.clock.advance(600_000);
    expect(events(stage, 'config-rolled-back')).toEqual([]);

    stage.revision = aRevision('r2', `${CONFIG}docker_cmd: /bin/other\n`);
    await stage.clock.advance(60_000);
    expect(revisions(stage)).toEqual(['r2']);
  });
});

describe('a new configuration is not taken back', () => {
  async function after(r2: Behaviour, whatHappens?: (stage: LoopStage) => Promise<void>): Promise<LoopStage> {
    const stage = await aHostWith({ r2 });
    await stage.clock.advance(60_000);
    stage.revision = aRevision('r2', `${CONFIG}docker_cmd: /bin/other\n`);
    await stage.clock.advance(10_000);
    await whatHappens?.(stage);
    await stage.clock.advance(3_600_000);
    expect(events(stage, 'config-accepted').at(-1)).toMatchObject({ revision: 'r2' });
    expect(events(stage, 'config-rolled-back')).toEqual([]);
    return stage;
  }

  it('because there is no work for its pilots', async () => {
    await after({ lifetimeMs: 100, exitCode: 0 });
  });

  it('because the engine can start none', async () => {
    await after({ startError: 'no space left on device' });
  });

  it('because the engine went down and took them with it', async () => {
    const stage = await after({}, async ({ engine, clock }) => {
      for (let time = 0; time < 5; time += 1) {
        await clock.advance(20_000);
        engine.killAll();
      }
    });
    expect(revisions(stage)).toEqual(['r2']);
  });
});
