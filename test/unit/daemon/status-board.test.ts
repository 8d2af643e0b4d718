import { describe, expect, it } from 'vitest';
import type { KeeperState } from '../../../src/config/keeper.js';
import type { Config } from '../../../src/config/schema.js';
import type { EngineSession } from '../../../src/daemon/engine-session.js';
import type { Ground } from '../../../src/daemon/ground.js';
import { createStatusBoard } from '../../../src/daemon/status-board.js';
import type { Cycle } from '../../../src/daemon/reconcile.js';
import type { Outcome, Proof } from '../../../src/model.js';
import { plan } from '../../../src/plan/plan.js';
import { initialState } from '../../../src/plan/state.js';
import { aHost, anObservation, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { aConfig } from '../../support/plan-builders.js';

/** As far as the board looks: what image is wanted. */
const wanted = { revision: { id: 'r1' }, config: { docker_image: 'x' } } as unknown as KeeperState<Config>['inForce'];
const state: KeeperState<Config> = { inForce: wanted, refused: undefined, unreachable: undefined };

function aBoard(keeper: Pick<Ground['keeper'], 'state' | 'proof'> = { state, proof: 'first' }) {
  const clock = createFakeClock();
  const options = { clock, version: '1', engineHost: 'unix:///e' };
  const ground = {
    host: aHost(),
    instance: 'i',
    source: { describe: () => 'a test' },
    keeper,
  } as unknown as Ground;
  const session = {
    info: () => undefined,
    group: () => ({ yields: 'none', describe: () => 'not known' }),
  } as unknown as EngineSession;
  let trouble: string | undefined;
  const board = createStatusBoard(options, ground, session, {
    events: { trouble: () => trouble },
    sinks: () => [],
  });
  return {
    clock,
    count: board.count,
    loseEvents: (why: string | undefined) => (trouble = why),
    after: (cycle: Cycle) => board.status(cycle, 1000),
    status: () => board.status({ failure: { kind: 'timeout', message: 'no answer' }, mode: 'drain' }, 1000),
  };
}

function started(result: Outcome['result'], message = ''): Outcome {
  const error = result === 'failed' ? ({ kind: 'refused', message } as const) : undefined;
  return { action: { type: 'spawn', spec: aSpec(), reason: 'growth' }, result, error, ended: undefined };
}

function pulled(reference: string, result: Outcome['result']): Outcome {
  const error = result === 'failed' ? ({ kind: 'not-found', message: 'manifest unknown' } as const) : undefined;
  return { action: { type: 'pull', reference, reason: 'missing' }, result, error, ended: undefined };
}

describe('the status board', () => {
  it('tells why the last start failed, until one succeeds', () => {
    const board = aBoard();
    board.count(started('failed', 'network nosuchnet not found'));
    expect(board.status().notices.join()).toContain('network nosuchnet not found');
    expect(board.status().totals.failed).toBe(1);

    board.count(started('done'));
    expect(board.status().notices).toEqual([]);
    expect(board.status().totals.spawned).toBe(1);
  });

  it('tells what the operator asks for, also while the engine does not answer', () => {
    expect(aBoard().status()).toMatchObject({ health: 'waiting', mode: 'drain', engine: { failure: 'timeout' } });
  });

  it('tells that ends are not told, as long as that is so', () => {
    const board = aBoard();
    board.loseEvents('the stream broke');
    expect(board.status().notices.join()).toContain('the stream broke');

    board.loseEvents(undefined);
    expect(board.status().notices).toEqual([]);
  });

  it.each<[Proof, RegExp | undefined]>([
    ['first', /^0 of 5 pilots that prove it have worked, no pilot has ended yet; nothing was proven before/],
    ['on-probation', /if most fail, the one proven before is put back$/],
    ['proven', undefined],
  ])('tells how a configuration that is %s does', (proof, text) => {
    const observation = anObservation({ proof });
    const cycle = { wantedImage: 'x', observation, plan: plan(aConfig(), observation, initialState(1)) };
    const { probation } = aBoard({ state, proof }).after(cycle).config;

    if (text === undefined) expect(probation).toBeUndefined();
    else expect(probation).toMatch(text);
  });

  it('counts a pull that failed as trouble, not as a pilot', () => {
    const board = aBoard();
    board.count(pulled('x', 'failed'));

    expect(board.status().totals.failed).toBe(0);
    expect(board.status().faults).toContainEqual(expect.objectContaining({ code: 'image', said: 'manifest unknown' }));

    board.count(pulled('x', 'done'));
    expect(board.status().faults.map(({ code }) => code)).not.toContain('image');
    board.count(pulled('another', 'failed'));
    expect(board.status().faults.map(({ code }) => code)).not.toContain('image');
  });

  it('remembers since when something is wrong', async () => {
    const board = aBoard();
    const [first] = board.status().faults;
    await board.clock.advance(60_000);
    expect(board.status().faults).toEqual([first]);
    expect(first).toMatchObject({ code: 'engine-timeout', said: 'no answer' });
  });
});
