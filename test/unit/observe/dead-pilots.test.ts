import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/engine/container-engine.js';
import { DeadPilots } from '../../../src/observe/dead-pilots.js';
import type { PilotCgroup } from '../../../src/observe/pilot-cgroup.js';
import { aPilot } from '../../support/builders.js';
import { GROUP } from '../../support/loop-stage.js';

const END = { exitCode: 7, oomKilled: false, startedWallMs: 1, finishedWallMs: 2 };

/** An engine that says these are dead, and a group that holds those. */
function aLook(dead: readonly string[], held: readonly string[], group: Partial<PilotCgroup> = {}) {
  const asked: string[] = [];
  const pilotEnd = (id: string) => {
    asked.push(id);
    if (id === 'mute') return Promise.reject(new EngineError('timeout', 'no answer'));
    return Promise.resolve(dead.includes(id) ? END : undefined);
  };
  const holds = (id: string) => held.includes(id);
  const look = new DeadPilots({ engine: { pilotEnd }, group: () => ({ ...GROUP, holds, ...group }) });
  return { look, asked };
}

const pilotOf = (id: string, changes = {}) => aPilot({ id, name: id, ...changes });

describe('pilots that the engine lists as running', () => {
  it('are dead where they are in no control group and the engine, asked about them, says so', async () => {
    const { look, asked } = aLook(['a', 'b'], ['b']);
    const pilots = ['a', 'b', 'c', 'mute'].map((id) => pilotOf(id));
    await look.look(pilots);
    expect(asked).toEqual(['a', 'c', 'mute']);
    expect(look.correct(pilots).map(({ state, exitCode }) => [state, exitCode])).toEqual([
      ['exited', 7],
      ['running', undefined],
      ['running', undefined],
      ['running', undefined],
    ]);
  });

  it('are dead until the next look says otherwise, and never in another state', async () => {
    const dead = ['a'];
    const { look } = aLook(dead, []);
    await look.look([pilotOf('a')]);
    expect(look.correct([pilotOf('a', { state: 'paused' })])[0]?.state).toBe('paused');
    dead.pop();
    await look.look([pilotOf('a')]);
    expect(look.correct([pilotOf('a')])[0]?.state).toBe('running');
  });

  it('are believed where there is no group, and where an original Plancton has started them', async () => {
    const alone = aLook(['a'], [], { parent: undefined });
    await alone.look.look([pilotOf('a')]);
    const { look, asked } = aLook(['a'], []);
    await look.look([pilotOf('a', { adopted: true }), pilotOf('b', { state: 'exited' })]);
    expect([alone.asked, asked]).toEqual([[], []]);
  });

  it('are not asked about by the hundred, but all in turn', async () => {
    const { look, asked } = aLook(['p19'], []);
    const pilots = Array.from({ length: 20 }, (_, index) => pilotOf(`p${index}`));
    for (let looks = 1; looks <= 5; looks += 1) {
      await look.look(pilots);
      expect(asked).toHaveLength(8 * looks);
    }
    expect(new Set(asked).size).toBe(20);
    expect(look.correct(pilots).filter(({ state }) => state === 'exited')).toHaveLength(1);
  });

  it('stay dead where the engine does not answer about them', async () => {
    let isMute = false;
    const pilotEnd = () => (isMute ? Promise.reject(new EngineError('timeout', 'no answer')) : Promise.resolve(END));
    const look = new DeadPilots({ engine: { pilotEnd }, group: () => ({ ...GROUP, holds: () => false }) });
    await look.look([pilotOf('a')]);
    isMute = true;
    await look.look([pilotOf('a'), pilotOf('b')]);
    expect(look.correct([pilotOf('a'), pilotOf('b')]).map(({ state }) => state)).toEqual(['exited', 'running']);
  });
});
