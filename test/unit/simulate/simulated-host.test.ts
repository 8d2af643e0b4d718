import { describe, expect, it } from 'vitest';
import { stepLoad } from '../../../src/simulate/foreign-load.js';
import { SimulatedHost, type HostOptions } from '../../../src/simulate/simulated-host.js';
import { aSpec } from '../../support/builders.js';

function aSimulatedHost(options: Partial<HostOptions> = {}): SimulatedHost {
  return new SimulatedHost({
    ncpus: 2,
    pilot: { seconds: 100, jitter: 0, cpu: 1 },
    foreign: stepLoad([]),
    yields: 'cgroup',
    startCost: 0,
    slack: 0.5,
    fizzleSeconds: 10,
    seed: 1,
    ...options,
  });
}

describe('a simulated pilot', () => {
  it('ends by itself with exit code 0 and is listed until it is removed', () => {
    const host = aSimulatedHost();
    const { wallMs } = host.now;
    host.start(aSpec());
    expect(host.advance(500, true)).toBe(true);
    expect(host.seconds).toBe(100);
    expect(host.list()).toMatchObject([{ id: 'sim1', state: 'exited', exitCode: 0 }]);
    host.advance(20);
    const ended = { exitCode: 0, oomKilled: false, startedWallMs: wallMs, finishedWallMs: wallMs + 100_000 };
    expect(host.remove('sim1')).toEqual(ended);
    expect(host.list()).toEqual([]);
    expect(host.totals).toMatchObject({ completed: 1, fizzled: 0, pilotSeconds: 100 });
  });

  it('that is stopped ends as by SIGTERM, and has completed nothing', () => {
    const host = aSimulatedHost();
    const { wallMs } = host.now;
    host.start(aSpec());
    host.advance(30);
    expect(host.remove('sim1')).toMatchObject({ exitCode: 143, finishedWallMs: wallMs + 30_000 });
    expect(host.totals).toMatchObject({ completed: 0, pilotSeconds: 30 });
    expect(host.remove('sim1')).toBeUndefined();
  });

  it('has fizzled when it ends too soon', () => {
    const host = aSimulatedHost({ pilot: { seconds: 9, jitter: 0, cpu: 1 } });
    host.start(aSpec());
    host.advance(9);
    expect(host.totals).toMatchObject({ completed: 1, fizzled: 1 });
  });

  it('takes longer the less CPU it gets', () => {
    const host = aSimulatedHost({ foreign: stepLoad([{ at: 0, cpus: 1.5 }]) });
    host.start(aSpec());
    host.advance(500, true);
    expect(host.seconds).toBe(200);
    expect(host.totals).toMatchObject({ wanted: 300, given: 300, busy: 400 });
  });

  it('waits while the owner takes everything', () => {
    const host = aSimulatedHost({ foreign: stepLoad([{ at: 0, cpus: 5 }]) });
    host.start(aSpec());
    expect(host.advance(10_000, true)).toBe(false);
    expect(host.totals).toMatchObject({ completed: 0, overcommittedSeconds: 10_000 });
  });
});

describe('a sample', () => {
  it('tells how the host was used since the last one', () => {
    const host = aSimulatedHost({ foreign: stepLoad([{ at: 30, cpus: 0.5 }]), startCost: 3 });
    host.start(aSpec());
    host.advance(30);
    expect(host.sample()).toMatchObject({ seq: 1, spanMs: 30_000, busy: 1.1, own: 1, short: false });
    host.advance(10);
    expect(host.sample()).toMatchObject({ seq: 2, spanMs: 10_000, busy: 1.5, own: 1, idle: 0.5 });
  });
});
