import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { PilotSpec } from '../../src/model.js';
import type { ContainerEngine } from '../../src/engine/container-engine.js';
import { Requests } from '../model/requests.js';
import { aSpec } from '../support/builders.js';
import { createFakeClock } from '../support/fake-clock.js';
import { createFakeEngine, type Behaviour } from '../support/fake-engine.js';
import {
  describeContract,
  endsOnTerm,
  exitsWith3,
  ignoresTerm,
  missingDevice,
  talks,
  type EngineUnderTest,
} from './container-engine.contract.js';

/** What the contract's pilots would do if they ran. */
function behave(spec: PilotSpec): Behaviour {
  if (spec.devices.includes(missingDevice)) return { startError: `no such file: ${missingDevice.hostPath}` };
  if (spec.command === exitsWith3) return { lifetimeMs: 10, exitCode: 3 };
  if (spec.command === talks) return { lifetimeMs: 10, exitCode: 3, output: 'one\nzwölf\nthree\n' };
  if (spec.command === endsOnTerm) return { termExitCode: 7 };
  return { ignoresTerm: spec.command === ignoresTerm };
}

function openFake(asSeen: (engine: ContainerEngine) => ContainerEngine): Promise<EngineUnderTest> {
  const engine = createFakeEngine({ clock: systemClock, behave });
  return Promise.resolve({
    engine: asSeen(engine),
    addForeign: (name, labels, imageLabels) => Promise.resolve(engine.addForeign(name, labels, imageLabels)),
    ids: () => Promise.resolve(engine.containers().map(({ id }) => id)),
    pause: (name) => {
      engine.pause(name);
      return Promise.resolve();
    },
    addImage: (reference) => {
      engine.images.set(reference, `sha256:${randomBytes(32).toString('hex')}`);
      return Promise.resolve();
    },
    tag: (reference, name) => {
      engine.images.set(name, engine.images.get(reference) ?? '');
      return Promise.resolve();
    },
    discard: (id) => engine.removePilot(id),
    close: () => Promise.resolve(),
  });
}

describeContract('the fake engine', () => openFake((engine) => engine));

const nobody = { arrived: () => undefined, executed: () => undefined, replied: () => undefined };
const road = new Requests(systemClock, nobody);
describeContract('the fake engine at the end of the road of the model', () =>
  openFake((engine) => road.port(engine, 1, () => true)),
);

describe('the faults of the fake engine', () => {
  const ownership = { instance: 'test', adoptOriginal: false };

  it('end a hung call by its deadline, and its effect comes when the engine goes on', async () => {
    const clock = createFakeClock();
    const engine = createFakeEngine({ clock, deadlineMs: 60_000 });
    const goOn = engine.hang('createPilot');
    const creating = expect(engine.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'timeout' });
    await clock.advance(60_000);
    await creating;
    expect(engine.pilots()).toEqual([]);
    goOn();
    await clock.settle();
    expect(engine.pilots()).toHaveLength(1);
  });

  it('can lose a reply whose effect happened', async () => {
    const engine = createFakeEngine({ clock: createFakeClock() });
    engine.failNext('createPilot', 'timeout', { effectHappens: true });
    await expect(engine.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'timeout' });
    await expect(engine.createPilot(aSpec(), undefined)).rejects.toMatchObject({ kind: 'conflict' });
    expect(engine.calls.createPilot).toBe(2);
  });

  it('can be away altogether, and come back', async () => {
    const engine = createFakeEngine({ clock: createFakeClock() });
    engine.away = true;
    await expect(engine.listPilots(ownership)).rejects.toMatchObject({ kind: 'unreachable' });
    engine.away = false;
    await expect(engine.listPilots(ownership)).resolves.toEqual([]);
  });

  it('let pilots live as long as their clock says', async () => {
    const clock = createFakeClock();
    const engine = createFakeEngine({ clock });
    await engine.startPilot(await engine.createPilot(aSpec({ command: ['/bin/sleep', '60'] }), undefined));
    const startedWallMs = clock.now().wallMs;
    await clock.advance(59_999);
    expect(engine.pilots()[0]?.state).toBe('running');
    await clock.advance(10_000);
    expect(engine.pilots()[0]).toMatchObject({ state: 'exited', exitCode: 0, finishedWallMs: startedWallMs + 60_000 });
  });
});
