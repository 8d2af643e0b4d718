import { describe, expect, it, vi } from 'vitest';
import { createExecutor, type ExecutorOptions } from '../../../src/act/execute.js';
import type { Action, EngineFailure, Outcome, PilotState, RemovalReason } from '../../../src/model.js';
import { aHostImage, aPilot, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';

function anExecutor(
  violations: ExecutorOptions['violations'] = () => Promise.resolve([]),
  takeEnd: ExecutorOptions['takeEnd'] = () => undefined,
) {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock });
  const outcomes: Outcome[] = [];
  const executor = createExecutor({
    clock,
    engine,
    instance: 'test',
    cgroupParent: () => undefined,
    violations,
    takeEnd,
    beforeRemoval: () => Promise.resolve(),
    onOutcome: (outcome) => outcomes.push(outcome),
    onProgress: () => undefined,
  });
  return { clock, engine, executor, outcomes, results: () => outcomes.map(({ result }) => result) };
}

function starts(count: number): readonly Action[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'spawn',
    spec: aSpec({ name: `plancton-worker-00000${index}` }),
    reason: 'growth',
  }));
}

function removal(state: PilotState, reason: RemovalReason): Action {
  return { type: 'remove', pilot: aPilot({ state }), reason, stopSeconds: 0, ageMs: 0 };
}

describe('what is left of an ended pilot', () => {
  it('is cleared away after the starts of the same moment', async () => {
    const { clock, engine, executor, outcomes } = anExecutor();
    engine.latencyMs.startPilot = 300;
    executor.begin([removal('exited', 'exited'), ...starts(1)]);
    await clock.advance(299);
    expect(engine.calls.removePilot).toBe(0);
    expect(executor.inFlight().removing).toHaveLength(1);
    await clock.advance(10);
    expect(outcomes.map(({ action }) => action.type)).toEqual(['spawn', 'remove']);
  });

  it('does not wait for a slow start', async () => {
    const { clock, engine, executor } = anExecutor();
    engine.latencyMs.startPilot = 30_000;
    executor.begin([removal('exited', 'exited'), ...starts(1)]);
    await clock.advance(5_100);
    expect(engine.calls.removePilot).toBe(1);
    expect(executor.inFlight().spawning).toHaveLength(1);
  });

  it('waits for nothing when nothing is started, nor does a pilot that runs', async () => {
    const { clock, engine, executor } = anExecutor();
    engine.latencyMs.startPilot = 30_000;
    executor.begin([removal('exited', 'exited')]);
    executor.begin([removal('running', 'evicted'), ...starts(1)]);
    await clock.settle();
    expect(engine.calls.removePilot).toBe(2);
  });
});

describe('a pull', () => {
  const pull: Action = { type: 'pull', reference: 'busybox:latest', reason: 'changed' };

  it('leaves the engine to the starts of the same moment first', async () => {
    const { clock, engine, executor, outcomes } = anExecutor();
    engine.latencyMs.startPilot = 300;
    executor.begin([pull, ...starts(1)]);
    await clock.advance(299);
    expect([engine.calls.pullImage, executor.inFlight().pulling]).toEqual([0, ['busybox:latest']]);
    await clock.advance(10);
    expect(outcomes.map(({ action }) => action.type)).toEqual(['spawn', 'pull']);
  });

  it('does not wait for a slow start', async () => {
    const { clock, engine, executor } = anExecutor();
    engine.latencyMs.startPilot = 30_000;
    executor.begin([pull, ...starts(1)]);
    await clock.advance(5_100);
    expect(engine.calls.pullImage).toBe(1);
  });
});

describe('a pilot that is being frozen', () => {
  it('is neither frozen again nor thawed meanwhile, and thawed when that is asked for later', async () => {
    const { clock, engine, executor, results } = anExecutor();
    executor.begin(starts(1));
    await clock.settle();
    const [pilot] = await engine.listPilots({ instance: 'test', adoptOriginal: false });
    if (pilot === undefined) throw new Error('no pilot was started');
    engine.latencyMs.pausePilot = 2_000;
    executor.begin([{ type: 'freeze', pilot }]);
    await clock.advance(1_000);
    executor.begin([
      { type: 'freeze', pilot },
      { type: 'thaw', pilot },
    ]);
    await clock.advance(2_000);
    expect([engine.calls.pausePilot, engine.calls.unpausePilot]).toEqual([1, 0]);
    executor.begin([{ type: 'thaw', pilot }]);
    await clock.settle();
    expect(engine.calls.unpausePilot).toBe(1);
    expect(results()).toEqual(['done', 'done', 'done']);
  });
});

describe('starts that wait for their turn', () => {
  it('do not go on to their start when they are withdrawn while they are made', async () => {
    const { clock, engine, executor, results } = anExecutor();
    engine.latencyMs.createPilot = 300;
    executor.begin(starts(1));
    await clock.advance(100);
    executor.withdrawStarts();
    await clock.advance(1_000);

    expect(engine.calls.startPilot).toBe(0);
    expect(engine.pilots()).toEqual([]);
    expect(results()).toEqual(['skipped']);
  });

  it('are not begun any more when they are withdrawn, and free what they held', async () => {
    const { clock, engine, executor, results } = anExecutor();
    engine.latencyMs.startPilot = 30_000;
    executor.begin(starts(6));
    await clock.settle();
    const begun = engine.calls.createPilot;
    executor.withdrawStarts();
    await clock.advance(60_000);

    expect(begun).toBeGreaterThan(0);
    expect(engine.pilots()).toHaveLength(begun);
    expect(results().filter((result) => result === 'skipped')).toHaveLength(6 - begun);
    expect(executor.inFlight().spawning).toEqual([]);
  });

  it('are begun when they were asked for after that', async () => {
    const { clock, engine, executor } = anExecutor();
    executor.withdrawStarts();
    executor.begin(starts(6));
    await clock.settle();
    expect(engine.pilots()).toHaveLength(6);
  });
});

describe('a pilot that was made with more than this host allows', () => {
  it('is not started and not left behind, and holds up no other batch', async () => {
    const { clock, engine, executor, outcomes } = anExecutor(({ user }) =>
      Promise.resolve(user === '0:0' ? ['user_group 0:0: no'] : []),
    );
    executor.begin([{ type: 'spawn', spec: aSpec({ user: '0:0' }), reason: 'growth' }]);
    await clock.settle();
    expect(outcomes).toMatchObject([
      {
        result: 'failed',
        error: { kind: 'refused', message: expect.stringMatching(/policy.*user_group 0:0: no/) as string },
      },
    ]);
    expect([engine.calls.startPilot, engine.pilots().length]).toEqual([0, 0]);
    executor.begin([{ type: 'spawn', spec: aSpec({ user: '1000' }), reason: 'growth' }]);
    await clock.settle();
    expect(outcomes.at(-1)?.result).toBe('done');
  });

  it('is not started either when the engine does not say what it has made, and is left for the list to show', async () => {
    const { clock, engine, executor, outcomes } = anExecutor();
    engine.failNext('settingsOf', 'malformed');
    executor.begin(starts(1));
    await clock.settle();
    expect(outcomes).toMatchObject([{ result: 'failed', error: { kind: 'malformed' }, unasked: true }]);
    expect([engine.calls.startPilot, engine.calls.removePilot]).toEqual([0, 0]);
    expect(engine.pilots()).toMatchObject([{ state: 'created' }]);
  });

  it('is left alone when it is another container that the engine names', async () => {
    const { clock, engine, executor, outcomes } = anExecutor();
    const id = engine.addForeign('owners-database');
    vi.spyOn(engine, 'createPilot').mockResolvedValue(id);
    executor.begin(starts(1));
    await clock.settle();
    expect(outcomes).toMatchObject([{ result: 'failed', error: { kind: 'malformed' }, unasked: true }]);
    expect([engine.calls.startPilot, engine.calls.removePilot]).toEqual([0, 0]);
    expect(engine.containers()).toMatchObject([{ id, state: 'running' }]);
  });

  it.each(['createPilot', 'startPilot'] as const)('may have been asked to start where %s fails', async (call) => {
    const { clock, engine, executor, outcomes } = anExecutor();
    engine.failNext(call, 'timeout');
    executor.begin(starts(1));
    await clock.settle();
    expect(outcomes).toMatchObject([{ result: 'failed', unasked: false }]);
  });
});

describe('a superseded image', () => {
  const drop = (id: string): Action => ({ type: 'drop-image', image: aHostImage('a', { id }), reason: 'disk' });

  it('that this daemon has pulled is removed; one that it has not is left, and so is one that cannot be asked about', async () => {
    const { clock, engine, executor, results } = anExecutor();
    engine.registry.set('site/pilot:1', 'sha256:a');
    executor.begin([{ type: 'pull', reference: 'site/pilot:1', reason: 'missing' }]);
    await clock.advance(1);
    const theirs = engine.images.get('busybox:latest') ?? '';
    executor.begin([drop(theirs)]);
    await clock.advance(1);
    engine.failNext('dropImage', 'timeout');
    executor.begin([drop('sha256:a')]);
    await clock.advance(1);
    expect([...engine.images.keys()]).toContain('site/pilot:1');
    executor.begin([drop('sha256:a')]);
    await clock.advance(1);
    expect([...engine.images.keys()]).toEqual(['busybox:latest']);
    expect(results()).toEqual(['done', 'skipped', 'failed', 'done']);
  });
});

describe('a start that the engine does not answer', () => {
  it.each(['timeout', 'unreachable', 'malformed'] as const)(
    'is left alone: it may have come to pass (%s)',
    async (kind) => {
      const { clock, engine, executor, outcomes } = anExecutor();
      engine.failNext('startPilot', kind, { effectHappens: true });
      executor.begin(starts(1));
      await clock.settle();

      expect(outcomes).toMatchObject([{ result: 'failed', error: { kind } }]);
      expect(engine.calls.removePilot).toBe(0);
      expect(engine.pilots()).toMatchObject([{ state: 'running' }]);
    },
  );

  it('is cleared away when it was refused', async () => {
    const { clock, engine, executor } = anExecutor();
    engine.failNext('startPilot', 'refused');
    executor.begin(starts(1));
    await clock.settle();

    expect(engine.pilots()).toEqual([]);
  });
});

describe('an end that was told', () => {
  const told = { exitCode: 3, oomKilled: false, startedWallMs: 1000, finishedWallMs: 5000 };

  async function remove(state: PilotState) {
    const { clock, engine, executor, outcomes } = anExecutor(undefined, () => told);
    executor.begin([removal(state, 'exited')]);
    await clock.settle();
    return { outcomes, asked: engine.calls.pilotEnd };
  }

  it('is not asked for again', async () => {
    await expect(remove('exited')).resolves.toMatchObject({ outcomes: [{ result: 'done', ended: told }], asked: 0 });
  });

  it('is not that of a pilot that runs', async () => {
    await expect(remove('running')).resolves.toMatchObject({ outcomes: [{ ended: undefined }], asked: 1 });
  });
});

describe('a pilot that resists', () => {
  /** Begins to remove one that runs; the calls that were made for it. */
  async function remove(method: 'stopPilot' | 'pilotEnd', kind: EngineFailure['kind']) {
    const { clock, engine, executor, outcomes } = anExecutor();
    engine.failNext(method, kind);
    executor.begin([removal('running', 'expired')]);
    await clock.settle();
    return { outcomes, calls: engine.calls };
  }

  it.each(['timeout', 'refused'] as const)('is killed where it could not be stopped (%s)', async (kind) => {
    const { outcomes, calls } = await remove('stopPilot', kind);

    expect(calls.removePilot).toBe(1);
    expect(outcomes).toMatchObject([{ result: 'done' }]);
  });

  it.each(['unreachable', 'malformed'] as const)(
    'is not killed where the engine may not have heard (%s)',
    async (kind) => {
      const { outcomes, calls } = await remove('stopPilot', kind);

      expect(calls.removePilot).toBe(0);
      expect(outcomes).toMatchObject([{ result: 'failed', error: { kind } }]);
    },
  );

  it('is removed though the engine cannot tell how it ended', async () => {
    const { outcomes } = await remove('pilotEnd', 'timeout');

    expect(outcomes).toMatchObject([{ result: 'done', ended: undefined }]);
  });

  it('is asked to stop first in a state that nobody knows', async () => {
    const { clock, engine, executor } = anExecutor();
    executor.begin([removal('unknown', 'expired')]);
    await clock.settle();

    expect([engine.calls.stopPilot, engine.calls.removePilot]).toEqual([1, 1]);
  });
});
