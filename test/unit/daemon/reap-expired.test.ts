import { describe, expect, it } from 'vitest';
import { reapExpired, reapTrials } from '../../../src/daemon/reap-expired.js';
import { aHost, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';
import { aConfig } from '../../support/plan-builders.js';

const host = aHost();

async function aHostWithoutDaemon() {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock, behave: () => ({}) });
  const spawn = async (name: string, instance = 'mine') => {
    const spawnedBootMs = clock.now().bootMs;
    const spec = aSpec({ name, instance, bootId: host.bootId, spawnedBootMs });
    const id = await engine.createPilot(spec, undefined);
    await engine.startPilot(id);
  };
  await spawn('plancton-worker-aaaaaa');
  await spawn('plancton-worker-bbbbbb', 'other');
  engine.addForeign('somebody');
  await clock.advance(500_000);
  await spawn('plancton-worker-cccccc');
  const reap = () =>
    reapExpired({ clock, engine, host, instance: 'mine', config: aConfig({ max_ttl: 600, stop_timeout: 0 }) });
  return { clock, engine, reap, names: () => engine.containers().map(({ name }) => name) };
}

describe('a host whose daemon is down', () => {
  it('keeps its pilots until their time to live, and loses them then, and nothing else', async () => {
    const { clock, engine, reap, names } = await aHostWithoutDaemon();
    expect(await reap()).toEqual([]);
    await clock.advance(101_000);
    expect(await reap()).toEqual([{ name: 'plancton-worker-aaaaaa', ageMs: 601_000, failure: undefined }]);
    expect(names()).toEqual(['plancton-worker-bbbbbb', 'somebody', 'plancton-worker-cccccc']);
    expect([engine.calls.createPilot, engine.calls.pullImage]).toEqual([3, 0]);
  });

  it('says what it could not remove, and removes the others', async () => {
    const { clock, engine, reap, names } = await aHostWithoutDaemon();
    await clock.advance(900_000);
    engine.failNext('removePilot', 'refused');
    const reaped = await reap();
    expect(reaped.map(({ failure }) => failure === undefined).sort()).toEqual([false, true]);
    expect(names()).toHaveLength(3);
  });

  it('is left alone when its pilots cannot be listed', async () => {
    const { engine, reap } = await aHostWithoutDaemon();
    engine.away = true;
    await expect(reap()).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

it('loses trials that nobody is there for any more, and no pilot for it, wherever the wall clock is set to', async () => {
  const { clock, engine, names } = await aHostWithoutDaemon();
  const born = { bootId: host.bootId, spawnedBootMs: clock.now().bootMs };
  const trial = (name: string) => engine.createPilot(aSpec({ name, instance: 'mine-try', ...born }), undefined);
  await engine.startPilot(await trial('plancton-try-aaaaaa'));
  await trial('plancton-try-bbbbbb');
  const config = aConfig({ max_ttl: 600, stop_timeout: 0 });
  const reap = async () =>
    (await reapTrials({ clock, engine, host, instance: 'mine', config })).map(({ name }) => name);
  clock.stepWall(3 * 86_400_000);
  expect(await reap()).toEqual([]);
  clock.stepWall(-6 * 86_400_000);
  await clock.advance(61_000);
  expect(await reap()).toEqual(['plancton-try-bbbbbb']);
  await clock.advance(600_000);
  expect(await reap()).toEqual(['plancton-try-aaaaaa']);
  expect(names().filter((name) => name.startsWith('plancton-worker'))).toHaveLength(3);
});
