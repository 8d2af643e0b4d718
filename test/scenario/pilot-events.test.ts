import { describe, expect, it } from 'vitest';
import { setStage, type LoopStage } from '../support/loop-stage.js';

/** Looks by the timer only come every five minutes: what happens sooner was woken. */
const SLOW =
  'main_sleep: 300\nupdateconfig: 3600\nmax_docks: 4\ndocks_per_loop: 8\nmax_ttl: 86400\nfizzle_seconds: 0\n';
/** The first sample comes half a second after the start. */
const FILLED = 2_000;

function troubles({ events }: LoopStage): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'events-lost' || event.type === 'events-followed' ? event.type : [],
  );
}

async function aFullHost(lifetimesMs: readonly (number | undefined)[] = [], config = SLOW): Promise<LoopStage> {
  let made = 0;
  const stage = setStage({ hears: true, config, behave: () => ({ lifetimeMs: lifetimesMs[made++] }) });
  await stage.start();
  await stage.clock.advance(FILLED);
  expect(stage.names()).toHaveLength(4);
  return stage;
}

describe('the end of a pilot', () => {
  it('is answered with a replacement at once, however far the next look is', async () => {
    const stage = await aFullHost([60_000]);
    await stage.clock.advance(58_000);
    const [, ...others] = stage.names();
    await stage.clock.advance(1200);

    expect(stage.names()).toHaveLength(4);
    expect(stage.names()).toEqual(expect.arrayContaining(others));
    expect(stage.engine.calls.startPilot).toBe(5);
  });

  it('costs the engine one call each of what must be asked and done', async () => {
    const stage = await aFullHost([60_000]);
    await stage.clock.advance(58_000);
    const before = { ...stage.engine.calls };
    await stage.clock.advance(4_000);
    const { calls } = stage.engine;
    // Whether the engine is there is a question of the stage alone.
    const asked = Object.entries(calls)
      .map(([name, count]) => [name, count - before[name as keyof typeof before]] as const)
      .filter(([name, count]) => count !== 0 && name !== 'info');
    const once = ['listPilots', 'createPilot', 'settingsOf', 'startPilot', 'removePilot'];
    expect(Object.fromEntries(asked)).toEqual(Object.fromEntries(once.map((name) => [name, 1])));
  });

  it('permits no growth: for that the host is looked at first', async () => {
    const stage = await aFullHost(
      [60_000],
      SLOW.replace(
        'max_docks: 4\ndocks_per_loop: 8',
        'max_docks: 12\ncpus_per_dock: 0.5\ndocks_per_loop: 4\ngrowth: fixed',
      ),
    );
    await stage.clock.advance(200_000);
    expect(stage.engine.calls.startPilot).toBe(5);
    expect(stage.names()).toHaveLength(4);
    await stage.clock.advance(300_000);
    expect(stage.names()).toHaveLength(8);
  });

  it('that is one of many leads to few looks', async () => {
    const stage = await aFullHost(Array<number>(4).fill(60_000));
    await stage.clock.advance(40_000);
    const before = stage.cycles();
    await stage.clock.advance(20_000);
    expect(stage.names()).toHaveLength(4);
    expect(stage.engine.calls.startPilot).toBe(8);
    expect(stage.cycles() - before).toBeLessThanOrEqual(3);
  });

  it('is found by the timer when no event comes, with the same result', async () => {
    const lifetimes = [30_000, 70_000, 110_000, 400_000];
    const stages = await Promise.all([aFullHost(lifetimes), aFullHost(lifetimes)]);
    for (const [index, stage] of stages.entries()) {
      stage.engine.events.lost = index === 1;
      await stage.clock.advance(1_200_000);
      expect(stage.names()).toHaveLength(4);
      expect(stage.engine.pilots()).toHaveLength(4);
      expect(stage.engine.calls.startPilot).toBe(8);
      await stage.stop();
    }
  });
});

describe('events that lie', () => {
  it('start nothing and remove nothing', async () => {
    const stage = await aFullHost();
    const before = stage.names();
    for (const { id } of stage.engine.pilots()) stage.engine.events.say(id);
    stage.engine.events.say('f'.repeat(64));
    await stage.clock.advance(10_000);

    expect(stage.names()).toEqual(before);
    expect(stage.engine.calls).toMatchObject({ startPilot: 4, removePilot: 0, stopPilot: 0 });
  });

  it('lead to ten looks a second at most, as many as they may be', async () => {
    const stage = await aFullHost();
    const [pilot] = stage.engine.pilots();
    const before = stage.cycles();
    for (let tenMs = 0; tenMs < 200; tenMs += 1) {
      for (let event = 0; event < 1000; event += 1) stage.engine.events.say(pilot?.id ?? '');
      await stage.clock.advance(10);
    }
    expect(stage.cycles() - before).toBeLessThanOrEqual(21);
    expect(stage.engine.calls.startPilot).toBe(4);
  });
});

describe('a stream that breaks', () => {
  it('is opened again, and tells what was missed', async () => {
    const stage = await aFullHost([60_000]);
    await stage.clock.advance(55_000);
    stage.engine.events.cut();
    expect(stage.engine.events.streams).toBe(0);
    await stage.clock.advance(6_000);

    expect(stage.engine.events.streams).toBe(1);
    expect(stage.names()).toHaveLength(4);
    expect(troubles(stage)).toEqual([]);
  });

  it('is followed by a look at everything, also when nothing is told again', async () => {
    const stage = await aFullHost();
    stage.engine.events.lost = true;
    stage.engine.exit(stage.names()[0] ?? '', 0);
    stage.engine.events.cut();
    await stage.clock.advance(2_000);
    expect(stage.engine.calls.startPilot).toBe(5);
  });

  it('time and again is tried less and less often, and said once', async () => {
    const stage = await aFullHost();
    stage.engine.away = true;
    stage.engine.events.cut();
    const before = stage.engine.calls.followEnds;
    await stage.clock.advance(250_000);
    expect(stage.engine.calls.followEnds - before).toBeGreaterThan(4);
    expect(stage.engine.calls.followEnds - before).toBeLessThan(15);
    expect(troubles(stage)).toEqual(['events-lost']);
  });

  it('with its engine is opened again as soon as that is found', async () => {
    const stage = await aFullHost();
    stage.engine.away = true;
    stage.engine.events.cut();
    // Long enough to have the loop notice, too.
    await stage.clock.advance(400_000);
    stage.engine.away = false;
    stage.loop.wake();
    await stage.clock.advance(200);

    expect(stage.engine.events.streams).toBe(1);
    expect(troubles(stage)).toEqual(['events-lost', 'events-followed']);
  });

  it('ends with the daemon', async () => {
    const stage = await aFullHost();
    await stage.stop();
    expect(stage.engine.events.streams).toBe(0);
    await stage.clock.advance(120_000);
    expect(stage.engine.events.streams).toBe(0);
  });
});

describe('a stream that has gone silent', () => {
  it('is noticed by the ends that it does not tell, and opened anew', async () => {
    const stage = await aFullHost([100_000, 400_000]);
    const before = stage.engine.calls.followEnds;
    stage.engine.events.lost = true;
    await stage.clock.advance(320_000);
    expect(stage.engine.calls.followEnds).toBe(before);
    await stage.clock.advance(320_000);
    expect(stage.engine.calls.followEnds).toBe(before + 1);
    expect(troubles(stage)).toEqual(['events-lost']);

    stage.engine.events.lost = false;
    stage.engine.exit(stage.names()[0] ?? '', 0);
    await stage.clock.advance(1000);
    expect(stage.names()).toHaveLength(4);
    expect(troubles(stage)).toEqual(['events-lost', 'events-followed']);
  });

  it('is told from one that has nothing to tell', async () => {
    const stage = await aFullHost();
    await stage.clock.advance(86_000_000);
    expect(stage.engine.calls.followEnds).toBe(1);
  });
});
