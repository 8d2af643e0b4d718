import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/engine/container-engine.js';
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

describe('an engine that does not answer what it was asked', () => {
  const ONE = QUICK.replace('max_docks: 8', 'max_docks: 1');

  it('has the slot of a creation kept for it, however late it comes', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: ONE });
    const release = stage.engine.hang('createPilot');
    await stage.start();
    await stage.clock.advance(30_000);
    release();
    for (let step = 0; step < 30; step += 1) {
      await stage.clock.advance(5_000);
      expect(stage.engine.pilots().length).toBeLessThanOrEqual(1);
    }
    expect(stage.engine.calls.createPilot).toBe(2);
    expect(stage.names()).toHaveLength(1);
  });

  it('has a pilot left alone whose start came late', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: ONE });
    const release = stage.engine.hang('startPilot');
    await stage.start();
    await stage.clock.advance(40_000);
    release();
    await stage.clock.advance(300_000);

    expect(stage.names()).toHaveLength(1);
    expect([stage.engine.calls.createPilot, stage.engine.calls.removePilot]).toEqual([1, 0]);
  });

  it('is asked for one start now and then while it lists pilots and starts none, and is filled when it does again', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    const release = stage.engine.hang('startPilot');
    await stage.start();
    await stage.clock.advance(60_000);
    const before = stage.engine.calls.createPilot;
    await stage.clock.advance(600_000);
    expect(stage.engine.calls.createPilot - before).toBeLessThanOrEqual(10);
    expect(stage.engine.calls.createPilot - before).toBeGreaterThanOrEqual(2);
    const told = stage.events.flatMap((event) => (event.type === 'limit-changed' ? event.holds : []));
    expect(told.map(({ gate }) => gate)).toContain('engine-effects');

    release();
    await stage.clock.advance(400_000);
    expect(stage.names()).toHaveLength(8);
  });

  it('does not keep the daemon from ending', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}max_ttl: 30\n` });
    await stage.start();
    await stage.clock.advance(20_000);
    for (const method of ['listPilots', 'stopPilot', 'removePilot', 'startPilot', 'pilotEnd'] as const) {
      stage.engine.hang(method);
    }
    await stage.clock.advance(15_000);

    // Twenty seconds of the clock at most.
    expect(await stage.stop()).toBe('stopped');
  });
});

describe('a pilot that cannot be killed', () => {
  /** Two pilots past their time; the first of them resists. Notes when removing that one was tried, in seconds. */
  async function aStuckPilot() {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK.replace('max_docks: 8', 'max_docks: 2')}max_ttl: 60\n` });
    await stage.start();
    await stage.clock.advance(5_000);
    const [stuck] = stage.engine.pilots();
    const tries: number[] = [];
    for (const method of ['stopPilot', 'removePilot'] as const) {
      const call = stage.engine[method].bind(stage.engine);
      stage.engine[method] = async (id: string) => {
        if (id !== stuck?.id) return call(id, 0);
        if (method === 'removePilot') tries.push(stage.clock.now().monoMs / 1000);
        throw new EngineError('refused', 'tried to kill container, but did not receive an exit event');
      };
    }
    return { stage, stuck: stuck?.name, tries };
  }

  it('keeps its slot, is tried again ever less often, and delays no other', async () => {
    const { stage, stuck, tries } = await aStuckPilot();
    for (let step = 0; step < 180; step += 1) {
      await stage.clock.advance(10_000);
      expect(stage.engine.pilots().length).toBeLessThanOrEqual(2);
    }

    const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    // What came of a try is looked at in the next cycle, up to `main_sleep` later.
    expect(
      pauses
        .map((pause, index) => pause - ([30, 60, 120, 240, 480, 600][index] ?? 0))
        .every((late) => late >= 0 && late < 11),
    ).toBe(true);
    expect(pauses).toHaveLength(6);
    expect(stage.names()).toContain(stuck);
    // The other slot has been used again and again.
    expect(stage.engine.calls.createPilot).toBeGreaterThan(20);
  });

  it.each([
    ['drain-stop', 'drain-stop'],
    ['force-stop', 'force-stop-unfinished'],
  ] as const)('does not hold up a %s for ever, and is named at the end', async (mode, end) => {
    const { stage, stuck } = await aStuckPilot();
    stage.mode = mode;
    stage.loop.wake();
    await stage.clock.advance(240_000);

    expect(stage.ended).toBe(end);
    expect(stage.names()).toEqual([stuck]);
    expect(stage.events.at(-1)).toMatchObject({ type: 'pilots-left', stuck: [{ pilot: { name: stuck } }] });
  });
});
