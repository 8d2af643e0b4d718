import { describe, expect, it } from 'vitest';
import { createExecutor } from '../../../src/act/execute.js';
import type { Action, Outcome, PilotState, RemovalReason } from '../../../src/model.js';
import { aPilot, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';

function anExecutor() {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock });
  const outcomes: Outcome[] = [];
  const executor = createExecutor({
    clock,
    engine,
    cgroupParent: () => undefined,
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

describe('starts that wait for their turn', () => {
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
