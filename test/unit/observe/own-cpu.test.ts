import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/engine/container-engine.js';
import type { Pilot } from '../../../src/model.js';
import { createOwnCpu, ownCpuNs } from '../../../src/observe/own-cpu.js';
import type { PilotCgroup } from '../../../src/observe/pilot-cgroup.js';
import { aPilot } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';

const second = 1e9;

/** A group and an engine whose counters a test sets; an engine counter of undefined cannot be read. */
function aHostWith(world: { groupNs?: number; inGroup?: string[]; engineNs?: Record<string, number | 'hangs'> }) {
  const group: PilotCgroup = {
    parent: '/plancton/test',
    yields: 'cgroup',
    readCpuNs: () => world.groupNs,
    readMemoryBytes: () => undefined,
    usageOf: () => undefined,
    holds: (id) => world.inGroup?.includes(id) ?? false,
    state: () => 'as prepared',
    describe: () => 'a group',
  };
  const clock = createFakeClock();
  const engine = {
    pilotCpuNs: (id: string) => {
      const ns = world.engineNs?.[id];
      if (ns === 'hangs') return new Promise<number>(() => undefined);
      return ns === undefined ? Promise.reject(new EngineError('not-found', id)) : Promise.resolve(ns);
    },
  };
  const own = createOwnCpu({ clock, engine, group: () => group, cpusPerDock: () => 2 });
  return { clock, read: async (pilots: readonly Pilot[]) => (await own.read(pilots))() };
}

const pilotIn = aPilot({ id: 'in' });
const pilotOut = aPilot({ id: 'out', cpus: 3 });
const adopted = aPilot({ id: 'adopted', cpus: undefined, adopted: true });

describe('the CPU of our pilots', () => {
  it('is what their common group has gained', async () => {
    const world = { groupNs: 5 * second, inGroup: ['in'] };
    const host = aHostWith(world);
    const before = await host.read([pilotIn]);
    world.groupNs = 25 * second;
    expect(ownCpuNs(before, await host.read([pilotIn]), 10_000)).toBe(20 * second);
  });

  it('adds up pilots outside the group from their own counters', async () => {
    const world = { groupNs: 0, inGroup: ['in'], engineNs: { out: 4 * second, adopted: 1 * second } };
    const host = aHostWith(world);
    const before = await host.read([pilotIn, pilotOut, adopted]);
    world.groupNs = 1 * second;
    world.engineNs = { out: 6 * second, adopted: 5 * second };
    expect(ownCpuNs(before, await host.read([pilotIn, pilotOut, adopted]), 10_000)).toBe((1 + 2 + 4) * second);
  });

  it('counts an unreadable pilot at full size, and one without a label at the size of a dock', async () => {
    const host = aHostWith({ groupNs: 0 });
    const before = await host.read([pilotOut, adopted]);
    expect(ownCpuNs(before, await host.read([pilotOut, adopted]), 10_000)).toBe((3 + 2) * 10 * second);
  });

  it('counts a pilot at full size whose counter fell, which became readable only now, or which ended', async () => {
    const before = await aHostWith({ engineNs: { out: 9 * second } }).read([pilotOut, adopted]);
    const fell = await aHostWith({ engineNs: { out: 1 * second, adopted: 7 * second } }).read([pilotOut, adopted]);
    expect(ownCpuNs(before, fell, 1000)).toBe((3 + 2) * second);
    expect(ownCpuNs(before, await aHostWith({}).read([]), 1000)).toBe((3 + 2) * second);
  });

  it('counts all that a new pilot has used, but no more than its size allows', async () => {
    const before = await aHostWith({}).read([]);
    const little = await aHostWith({ engineNs: { out: 1 * second } }).read([pilotOut]);
    expect(ownCpuNs(before, little, 10_000)).toBe(1 * second);
    const old = await aHostWith({ engineNs: { out: 500 * second } }).read([pilotOut]);
    expect(ownCpuNs(before, old, 10_000)).toBe(30 * second);
  });

  it('does not ask about pilots that use nothing', async () => {
    const ended = [aPilot({ id: 'a', state: 'exited' }), aPilot({ id: 'b', state: 'created' })];
    const host = aHostWith({});
    expect(ownCpuNs(await host.read(ended), await host.read(ended), 10_000)).toBe(0);
  });

  it('is unknown when the counter of the group fell, vanished or appeared', async () => {
    const at = (groupNs?: number) => aHostWith(groupNs === undefined ? {} : { groupNs }).read([]);
    const [none, low, high] = [await at(), await at(1), await at(2)];
    expect(ownCpuNs(high, low, 1000)).toBeUndefined();
    expect(ownCpuNs(high, none, 1000)).toBeUndefined();
    expect(ownCpuNs(none, low, 1000)).toBeUndefined();
    expect(ownCpuNs(none, none, 1000)).toBe(0);
  });

  it('gives up on statistics that do not come and counts those pilots at full size', async () => {
    const engineNs: Record<string, number | 'hangs'> = { out: 2 * second };
    const pilots: Pilot[] = [pilotOut];
    for (let index = 0; index < 20; index += 1) {
      pilots.push(aPilot({ id: `hung${index}` }));
      engineNs[`hung${index}`] = 'hangs';
    }
    const host = aHostWith({ engineNs });
    const reading = host.read(pilots);
    await host.clock.advance(5000);
    const before = await reading;
    expect(before.outside.size).toBe(21);
    expect(before.outside.get('out')?.usedNs).toBe(2 * second);
    expect(ownCpuNs(before, before, 1000)).toBe(20 * second);
    expect(host.clock.sleepers).toBe(0);
  });
});
