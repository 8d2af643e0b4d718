import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/engine/container-engine.js';
import { someResources } from '../support/builders.js';
import { aRevision, setStage } from '../support/loop-stage.js';

const QUICK = 'main_sleep: 10\ngrace_kill: 20\ngrace_spawn: 30\nupdateconfig: 10\nmax_docks: 4\nforeign_window: 60\n';
/** Samples, and so cycles, come a second after the start and then every `main_sleep`; each is over within this. */
const AFTER_A_CYCLE = 1_200;
const LONG_PILOTS = { behave: () => ({}) };

describe('a host filling itself', () => {
  it('starts pilots within two loops on an empty configuration', async () => {
    const stage = setStage({ host: { ncpus: 4 } });
    await stage.start();

    await stage.clock.advance(60_000);

    expect(stage.names()).toHaveLength(2);
  });

  it('fills up to the cap, and no further, with docks_per_loop a sample', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}docks_per_loop: 3\n` });
    await stage.start();

    await stage.clock.advance(1500);
    expect(stage.names()).toHaveLength(3);
    await stage.clock.advance(10_000);
    expect(stage.names()).toHaveLength(4);
    await stage.clock.advance(300_000);
    expect(stage.names()).toHaveLength(4);
  });

  it('replaces pilots that end in the cycle that sees it, and removes their containers', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 25_000 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(AFTER_A_CYCLE);

    for (let cycle = 0; cycle < 60; cycle += 1) {
      expect(stage.names()).toHaveLength(4);
      await stage.clock.advance(10_000);
    }

    expect(stage.engine.pilots()).toHaveLength(4);
    expect(stage.engine.calls.removePilot).toBeGreaterThan(60);
  });

  it('does not storm when pilots end at once: one is tried per back-off, and the others follow when it lives', async () => {
    let lifetimeMs = 50;
    const stage = setStage({ behave: () => ({ lifetimeMs, exitCode: 1 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    const startsAtFirst = stage.engine.calls.startPilot;
    expect(startsAtFirst).toBeLessThanOrEqual(8);

    await stage.clock.advance(600_000);
    // Back-offs of 10, 20, 40, 80, 160 and 300 s: six tries at most.
    expect(stage.engine.calls.startPilot - startsAtFirst).toBeLessThanOrEqual(6);
    expect(stage.engine.calls.startPilot - startsAtFirst).toBeGreaterThanOrEqual(4);

    lifetimeMs = 3_600_000;
    await stage.clock.advance(300_000 * 1.25 + 60_000);
    expect(stage.names()).toHaveLength(4);
  });

  it('asks the engine as often for many pilots as for few', async () => {
    const callsPerCycle = async (cap: number) => {
      const stage = setStage({
        ...LONG_PILOTS,
        host: { ncpus: 64 },
        config: `main_sleep: 10\nmax_docks: ${cap}\ndocks_per_loop: 64`,
      });
      await stage.start();
      await stage.clock.advance(30_000);
      const before = { calls: { ...stage.engine.calls }, cycles: stage.cycles() };
      await stage.clock.advance(100_000);
      const sum = (calls: Record<string, number>) => Object.values(calls).reduce((a, b) => a + b, 0);
      return (sum(stage.engine.calls) - sum(before.calls)) / (stage.cycles() - before.cycles);
    };

    expect(await callsPerCycle(48)).toBe(await callsPerCycle(1));
  });
});

describe('a host with little beside CPUs', () => {
  it('grows as soon as a look finds memory for more, and says what it waits for', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}max_dock_mem: 2G\n` });
    const memory = { availableBytes: 5e9, pilotsBytes: 0 };
    stage.resources = someResources({ memory });
    await stage.start();

    await stage.clock.advance(60_000);
    expect(stage.names()).toHaveLength(2);
    expect(stage.events.filter(({ type }) => type === 'limit-changed').at(-1)).toMatchObject({
      holds: [{ gate: 'memory' }],
    });

    stage.resources = someResources();
    await stage.clock.advance(10_000);
    expect(stage.names()).toHaveLength(4);
  });

  it('keeps its pilots and replaces them while the disk is full', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 25_000 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(AFTER_A_CYCLE);
    stage.resources = someResources({ disk: { freeBytes: 0, totalBytes: 1e9, freeInodes: 1, totalInodes: 1 } });

    await stage.clock.advance(600_000);

    expect(stage.names()).toHaveLength(4);
  });

  it('gives memory back pilot by pilot until there is enough', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    await stage.start();
    await stage.clock.advance(AFTER_A_CYCLE);
    const memory = { availableBytes: 1e8, pilotsBytes: 8e9 };
    stage.resources = someResources({ memory, pressure: { memorySome10: 50, memorySome60: 0, ioFull60: 0 } });

    await stage.clock.advance(55_000);
    expect(stage.names()).toHaveLength(2);

    stage.resources = someResources({ memory });
    await stage.clock.advance(300_000);
    expect(stage.names()).toHaveLength(2);
  });
});

describe('making room', () => {
  it('evicts exactly the surplus when the owner comes, and fills up again when he is gone', async () => {
    const stage = setStage({
      ...LONG_PILOTS,
      config: QUICK.replace('max_docks: 4', 'max_docks: 8\ndocks_per_loop: 8'),
      host: { ncpus: 8 },
    });
    await stage.start();
    await stage.clock.advance(30_000);
    expect(stage.names()).toHaveLength(8);

    stage.foreign = 4;
    await stage.clock.advance(20_000 + 2 * 10_000 + 2_000);
    expect(stage.names()).toHaveLength(4);
    await stage.clock.advance(600_000);
    expect(stage.names()).toHaveLength(4);

    stage.foreign = 0;
    await stage.clock.advance(180_000);
    expect(stage.names()).toHaveLength(8);
  });

  it('starts and evicts nobody while the host cannot be read, and still keeps the time to live', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}max_ttl: 120` });
    await stage.start();
    await stage.clock.advance(20_000);
    expect(stage.names()).toHaveLength(4);

    stage.foreign = undefined;
    await stage.clock.advance(90_000);
    expect(stage.names()).toHaveLength(4);
    await stage.clock.advance(60_000);

    expect(stage.names()).toHaveLength(0);
  });
});

describe('an engine in trouble', () => {
  it('starts nothing and removes nothing while pilots cannot be listed, and goes on afterwards', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    const before = stage.names();
    stage.engine.away = true;

    await stage.clock.advance(300_000);
    expect(stage.names()).toEqual(before);
    const lost = stage.events.filter((event) => event.type === 'engine-lost');
    expect(lost).toHaveLength(1);

    stage.engine.away = false;
    await stage.clock.advance(30_000);
    expect(stage.names()).toEqual(before);
    expect(stage.engine.pilots()).toHaveLength(4);
  });

  it('tells of a drain while the engine is away, though nothing can be done about it yet', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    stage.engine.away = true;
    stage.mode = 'drain';
    await stage.clock.advance(20_000);

    const modes = () => stage.events.filter((event) => event.type === 'mode-changed').map(({ mode }) => mode);
    expect(modes()).toEqual(['drain']);
    stage.engine.away = false;
    await stage.clock.advance(30_000);
    expect(modes()).toEqual(['drain']);
  });

  it('never exceeds the cap when replies to create and start are lost', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    for (let i = 0; i < 6; i += 1) {
      stage.engine.failNext(i % 2 === 0 ? 'createPilot' : 'startPilot', 'timeout', { effectHappens: true });
    }
    await stage.start();

    for (let step = 0; step < 200; step += 1) {
      await stage.clock.advance(5000);
      expect(stage.names().length).toBeLessThanOrEqual(4);
    }

    expect(stage.names()).toHaveLength(4);
    expect(stage.engine.pilots()).toHaveLength(4);
  });

  it('goes on starting pilots while one container cannot be removed', async () => {
    const stage = setStage({
      behave: () => ({ lifetimeMs: 20_000 }),
      config: QUICK.replace('max_docks: 4', 'max_docks: 2'),
    });
    const removeForGood = stage.engine.removePilot.bind(stage.engine);
    let stuck: string | undefined;
    stage.engine.removePilot = async (id) => {
      stuck ??= id;
      if (id === stuck) throw new EngineError('refused', 'device or resource busy');
      await removeForGood(id);
    };
    await stage.start();

    await stage.clock.advance(300_000);

    expect(stage.names().length).toBeGreaterThanOrEqual(1);
    expect(stage.events.filter((event) => event.type === 'action-ended').length).toBeGreaterThan(20);
  });

  it('does not let a hung removal delay another', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}max_ttl: 60` });
    await stage.start();
    await stage.clock.advance(5000);
    const release = stage.engine.hang('stopPilot');

    await stage.clock.advance(57_000);
    expect(stage.engine.calls.stopPilot).toBe(4);

    release();
    await stage.clock.advance(30_000);
    expect(stage.names('exited')).toHaveLength(0);
  });
});

describe('a restart of the daemon', () => {
  it('touches no pilot and starts none twice', async () => {
    const first = setStage({ ...LONG_PILOTS, config: QUICK });
    await first.start();
    await first.clock.advance(30_000);
    const before = first.names();
    expect(await first.stop()).toBe('stopped');

    const second = setStage({ ...LONG_PILOTS, config: QUICK }, first);
    await second.start();
    await second.clock.advance(120_000);

    expect(second.names()).toEqual(before);
    await second.stop();
  });

  it.each([
    ['was refused and not cleared away either', 'refused', 'refused'],
    ['was never answered', 'timeout', undefined],
  ] as const)('reaps in time what was made and whose start %s', async (_what, started, removed) => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    stage.engine.failNext('startPilot', started);
    if (removed !== undefined) stage.engine.failNext('removePilot', removed);
    await stage.start();

    await stage.clock.advance(90_000);

    expect(stage.names('created')).toHaveLength(0);
    expect(stage.names()).toHaveLength(4);
    await stage.stop();
  });
});

describe('images', () => {
  it('keeps filling slots from the old image during a pull of the new one', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 15_000 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(AFTER_A_CYCLE + 30_000);
    stage.engine.registry.set('busybox:2', 'sha256:new');
    stage.engine.pullMs = 60_000;
    stage.revision = aRevision('r2', `${QUICK}docker_image: busybox:2\n`);

    for (let cycle = 0; cycle < 7; cycle += 1) {
      expect(stage.names()).toHaveLength(4);
      expect(new Set(stage.engine.pilots().map((pilot) => pilot.spec?.image))).toEqual(new Set(['busybox']));
      await stage.clock.advance(10_000);
    }
    await stage.clock.advance(30_000);

    expect(stage.names()).toHaveLength(4);
    expect(new Set(stage.engine.pilots().map((pilot) => pilot.spec?.image))).toEqual(new Set(['busybox:2']));
  });

  it('goes on with the old image no longer than somebody vouches for its revision', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 15_000 }), config: QUICK });
    await stage.start();
    stage.revision = aRevision('r2', `${QUICK}docker_image: nowhere:2\n`);
    await stage.clock.advance(AFTER_A_CYCLE + 30_000);
    expect(stage.names()).toHaveLength(4);

    stage.distrusted = ['r1'];
    await stage.clock.advance(30_000);
    expect(stage.engine.pilots()).toEqual([]);

    // Nobody has looked at it since.
    stage.distrusted = [];
    await stage.clock.advance(30_000);
    expect(stage.engine.pilots()).toEqual([]);
  });

  it('works from the image on the host while the registry is away', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    stage.engine.registry.clear();
    await stage.start();

    await stage.clock.advance(60_000);

    expect(stage.names()).toHaveLength(4);
  });

  it('pulls again when the image has expired', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}image_expiration: 300` });
    await stage.start();

    await stage.clock.advance(1000);
    expect(stage.engine.calls.pullImage).toBe(1);
    await stage.clock.advance(620_000);

    expect(stage.engine.calls.pullImage).toBe(3);
  });
});

describe('what the owner of the host does not allow', () => {
  it('is not started, nor fetched, while pilots that run go on', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 45_000 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    expect(stage.names('running')).toHaveLength(4);
    stage.refusals = ['docker_image busybox: not among the allowed images'];
    const { pullImage } = stage.engine.calls;
    await stage.clock.advance(10_000);
    expect(stage.names('running')).toHaveLength(4);

    stage.engine.images.clear();
    await stage.clock.advance(120_000);
    expect(stage.engine.pilots()).toHaveLength(0);
    expect(stage.engine.calls.pullImage).toBe(pullImage);
    const told = stage.events.flatMap((event) => (event.type === 'limit-changed' ? event.holds : []));
    expect(told.map(({ gate }) => gate)).toContain('policy');

    stage.refusals = [];
    await stage.clock.advance(60_000);
    expect(stage.names('running')).toHaveLength(4);
  });

  it('is capped, the pace of the daemon itself too', async () => {
    const stage = setStage({ config: QUICK });
    stage.caps = { max_docks: 2, main_sleep: 300 };
    await stage.start();
    await stage.clock.advance(60_000);
    expect(stage.names()).toHaveLength(2);
    const before = stage.cycles();
    await stage.clock.advance(240_000);
    expect(stage.cycles() - before).toBeLessThanOrEqual(2);
  });
});

describe('what the operator asks for', () => {
  it.each([
    ['drains', 'drain'],
    ['does the same while it cannot be read', 'unknown'],
  ] as const)('%s: starts nothing, lets pilots finish, and resumes', async (_what, mode) => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 45_000 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    stage.mode = mode;

    await stage.clock.advance(60_000);
    expect(stage.engine.pilots()).toHaveLength(0);
    expect(stage.ended).toBeUndefined();

    stage.mode = 'active';
    await stage.clock.advance(20_000);
    expect(stage.names()).toHaveLength(4);
  });

  it('ends a drain-stop when the last pilot has ended', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 45_000 }), config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    stage.mode = 'drain-stop';

    await stage.clock.advance(10_000);
    expect(stage.ended).toBeUndefined();
    await stage.clock.advance(60_000);

    expect(stage.ended).toBe('drain-stop');
  });

  it('kills them all on force-stop, also those that ignore SIGTERM, and then ends', async () => {
    const stage = setStage({ behave: () => ({ ignoresTerm: true }), config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    stage.mode = 'force-stop';
    stage.loop.wake();

    await stage.clock.advance(2000);

    expect(stage.engine.pilots()).toHaveLength(0);
    expect(stage.ended).toBe('force-stop');
  });

  it('leaves paused pilots alone until their time to live', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: `${QUICK}max_ttl: 300` });
    await stage.start();
    await stage.clock.advance(20_000);
    const [frozen = ''] = stage.names();
    stage.engine.pause(frozen);

    await stage.clock.advance(200_000);
    expect(stage.names('paused')).toEqual([frozen]);
    await stage.clock.advance(130_000);

    expect(stage.engine.pilots().map((pilot) => pilot.name)).not.toContain(frozen);
  });

  it('never touches a container that is not ours', async () => {
    const stage = setStage({ behave: () => ({ lifetimeMs: 15_000 }), config: QUICK });
    stage.engine.addForeign('plancton-worker-db-of-someone');
    stage.engine.addForeign('plancton-worker-abc123', { 'io.github.mconcas.plancton.instance': 'another' });
    await stage.start();

    await stage.clock.advance(120_000);
    stage.mode = 'force-stop';
    await stage.clock.advance(30_000);

    expect(stage.engine.containers().map((container) => container.name)).toEqual([
      'plancton-worker-db-of-someone',
      'plancton-worker-abc123',
    ]);
  });
});

describe('a new configuration', () => {
  it('takes effect, and a bad one changes nothing', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    stage.revision = aRevision('r2', 'max_docks: [nonsense\n');
    await stage.clock.advance(60_000);
    expect(stage.names()).toHaveLength(4);
    expect(stage.events.filter((event) => event.type === 'config-refused')).toHaveLength(1);

    stage.revision = aRevision('r3', `${QUICK}max_docks: 6\n`.replace('max_docks: 4\n', ''));
    await stage.clock.advance(60_000);

    expect(stage.names()).toHaveLength(6);
  });

  it('kills nobody when it lowers the cap', async () => {
    const stage = setStage({ ...LONG_PILOTS, config: QUICK });
    await stage.start();
    await stage.clock.advance(20_000);
    stage.revision = aRevision('r2', 'main_sleep: 10\nmax_docks: 1\nupdateconfig: 10');

    await stage.clock.advance(300_000);

    expect(stage.names()).toHaveLength(4);
  });
});
