import { describe, expect, it } from 'vitest';
import { setStage } from '../support/loop-stage.js';

const QUICK = 'main_sleep: 10\ngrace_kill: 20\ngrace_spawn: 30\nupdateconfig: 10\nmax_docks: 4\nforeign_window: 60\n';
const LONG_PILOTS = { behave: () => ({}) };

describe('time that is not what it seems', () => {
  const day = 86_400_000;

  it('ends no pilot early and none late, however the wall clock is put', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}max_ttl: 120` });
    await stage.start();
    await stage.clock.advance(20_000);
    const first = stage.names();
    expect(first).toHaveLength(4);

    for (const days of [3, -6, 3, -20_000, 20_000]) {
      stage.clock.stepWall(days * day);
      await stage.clock.advance(15_000);
      expect(stage.names()).toEqual(first);
    }
    await stage.clock.advance(40_000);

    expect(stage.names().filter((name) => first.includes(name))).toEqual([]);
  });

  it('counts the sleep of the host into the life of pilots, and sees it soon after, however rarely it looks', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: 'max_docks: 2\nmain_sleep: 1h\nmax_ttl: 5h\n' });
    await stage.start();
    await stage.clock.advance(3_600_000);
    const first = stage.names();
    expect(first.length).toBeGreaterThan(0);

    stage.clock.suspend(3_600_000);
    await stage.clock.advance(60_000);
    expect(stage.names().filter((name) => first.includes(name))).toEqual(first);
    stage.clock.suspend(4 * 3_600_000);
    await stage.clock.advance(60_000);

    expect(stage.names().filter((name) => first.includes(name))).toEqual([]);
  });

  it('evicts nobody because the host has slept', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    await stage.start();
    await stage.clock.advance(60_000);
    const first = stage.names();
    for (let nights = 0; nights < 3; nights += 1) {
      stage.clock.suspend(day / 12);
      await stage.clock.advance(60_000);
    }

    expect(stage.names()).toEqual(first);
  });
});
