import { describe, expect, it } from 'vitest';
import { setStage, type LoopStage } from '../support/loop-stage.js';

const QUICK =
  'main_sleep: 10\ngrace_kill: 20\nmax_docks: 8\ndocks_per_loop: 8\nupdateconfig: 3600\nfizzle_seconds: 0\n';
const LONG_PILOTS = { hears: true, behave: () => ({}) };
/** What the issue calls a slow engine. */
const SLOW_MS = 30_000;

/** Two of four pilots run, and two are on their way through an engine that has become slow. */
async function aSlowStart(config = QUICK): Promise<LoopStage> {
  const stage = setStage({ ...LONG_PILOTS, config: config.replace('max_docks: 8', 'max_docks: 4') });
  await stage.start();
  await stage.clock.advance(2_000);
  expect(stage.names()).toHaveLength(4);
  for (const method of ['createPilot', 'startPilot'] as const) stage.engine.latencyMs[method] = SLOW_MS;
  stage.engine.exit(stage.names()[0] ?? '', 0);
  stage.engine.exit(stage.names()[0] ?? '', 0);
  await stage.clock.advance(1_000);
  expect(stage.engine.calls.createPilot).toBeGreaterThan(4);
  return stage;
}

describe('an engine that takes half a minute to start a pilot', () => {
  it('is never asked for the same pilot twice, nor for one too many', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    stage.engine.latencyMs.createPilot = SLOW_MS;
    stage.engine.latencyMs.startPilot = SLOW_MS;
    await stage.start();
    for (let step = 0; step < 60; step += 1) {
      await stage.clock.advance(10_000);
      expect(stage.engine.pilots().length).toBeLessThanOrEqual(8);
    }
    expect(stage.names()).toHaveLength(8);
    expect(stage.engine.calls.startPilot).toBe(8);
  });

  it('does not keep pilots alive beyond their time', async () => {
    const stage = await aSlowStart(`${QUICK}max_ttl: 20\n`);
    const old = stage.names();
    expect(old).toHaveLength(2);
    await stage.clock.advance(20_000);
    expect(stage.names()).toEqual([]);
    expect(stage.engine.pilots().map(({ name }) => name)).not.toEqual(expect.arrayContaining(old));
  });

  it('does not delay an eviction', async () => {
    const stage = await aSlowStart();
    stage.foreign = 8;
    await stage.clock.advance(45_000);
    expect(stage.names()).toEqual([]);
  });

  it('does not delay a drain: what has not begun is not begun any more', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    stage.engine.latencyMs.startPilot = SLOW_MS;
    await stage.start();
    await stage.clock.advance(5_000);
    const begun = stage.engine.calls.createPilot;
    expect(begun).toBeLessThan(8);
    stage.mode = 'drain-stop';
    stage.loop.wake();
    await stage.clock.advance(300_000);

    expect(stage.engine.calls.createPilot).toBe(begun);
    for (const name of stage.names()) stage.engine.exit(name, 0);
    await stage.clock.advance(1_000);
    expect(stage.ended).toBe('drain-stop');
  });

  it('begins no start that waits while the pilots cannot be listed', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    stage.engine.latencyMs.startPilot = SLOW_MS;
    await stage.start();
    await stage.clock.advance(5_000);
    const begun = stage.engine.calls.createPilot;
    expect(begun).toBeLessThan(8);
    stage.engine.hang('listPilots');
    stage.mode = 'drain';
    await stage.clock.advance(300_000);
    expect(stage.engine.calls.createPilot).toBe(begun);
  });

  it('starts no more than a lowered cap allows', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK.replace('updateconfig: 3600', 'updateconfig: 10') });
    stage.engine.latencyMs.startPilot = SLOW_MS;
    await stage.start();
    await stage.clock.advance(5_000);
    stage.revision = {
      id: 'r2',
      layers: [{ file: 'config.yaml', text: QUICK.replace('max_docks: 8', 'max_docks: 1') }],
    };
    await stage.clock.advance(10_000);
    const begun = stage.engine.calls.createPilot;
    await stage.clock.advance(300_000);
    expect(stage.engine.calls.createPilot).toBe(begun);
  });
});
