import { describe, expect, it, vi } from 'vitest';
import { tryPilot, type TrialOptions } from '../../../src/daemon/try-pilot.js';
import { aHost, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';
import { aConfig } from '../../support/plan-builders.js';

function aTrial(overrides: Partial<TrialOptions> = {}) {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock, behave: () => ({ lifetimeMs: 0, exitCode: 3, output: 'hello\n' }) });
  const texts: string[] = [];
  const told: string[] = [];
  const options: TrialOptions = {
    ...{ clock, engine, remote: true, host: aHost(), instance: 'here', config: aConfig(), seed: 1 },
    command: undefined,
    violations: () => Promise.resolve([]),
    onText: (text) => texts.push(text),
    tell: (text) => told.push(text),
    signal: new AbortController().signal,
    ...overrides,
  };
  return { engine, texts, told, run: () => tryPilot(options), clock };
}

describe('a pilot on trial', () => {
  it('is made as the daemon would, and is none of its own', async () => {
    let seen: unknown;
    const { engine, texts, run } = aTrial({
      config: aConfig({ docker_env: { A: 'b' }, cpus_per_dock: 0.5 }),
      violations: (_, { spec }) => {
        seen = spec;
        return Promise.resolve([]);
      },
    });
    await expect(run()).resolves.toMatchObject({ exitCode: 3 });
    expect(seen).toMatchObject({ env: { A: 'b' }, cpus: 0.5, image: aConfig().docker_image, instance: 'here-try' });
    expect(seen).toMatchObject({ name: expect.stringMatching(/^plancton-try-\w{6}$/) as string });
    expect(texts.join('')).toBe('hello\n');
    expect(engine.pilots()).toEqual([]);
  });

  it('may run something else', async () => {
    let command: unknown;
    const { run } = aTrial({
      command: ['id', '-u'],
      violations: (_, { spec }) => {
        ({ command } = spec);
        return Promise.resolve([]);
      },
    });
    await run();
    expect(command).toEqual(['id', '-u']);
  });

  it('is never started where the engine has made something else', async () => {
    const { engine, run } = aTrial({ violations: () => Promise.resolve(['privileged']) });
    await expect(run()).rejects.toMatchObject({ kind: 'refused' });
    expect([engine.calls.startPilot, engine.pilots().length]).toEqual([0, 0]);
  });

  it('has its image pulled where it is missing', async () => {
    const { engine, clock, told, run } = aTrial({ config: aConfig({ docker_image: 'site/pilot:1' }) });
    engine.registry.set('site/pilot:1', 'sha256:1');
    const running = run();
    await clock.advance(1000);
    await running;
    expect(told[0]).toBe('pulling site/pilot:1');
  });

  it('leaves nothing where it cannot be started, or its log not read', async () => {
    for (const method of ['startPilot', 'followLog', 'settingsOf'] as const) {
      const { engine, run } = aTrial();
      engine.failNext(method, 'timeout');
      await expect(run()).rejects.toMatchObject({ kind: 'timeout' });
      expect(engine.pilots()).toEqual([]);
    }
  });

  it('leaves another container alone that the engine names in its place', async () => {
    const { engine, run } = aTrial();
    const id = engine.addForeign('owners-database');
    vi.spyOn(engine, 'createPilot').mockResolvedValue(id);
    await expect(run()).rejects.toMatchObject({ kind: 'malformed' });
    expect(engine.containers()).toMatchObject([{ id, state: 'running' }]);
  });

  it('is not even started when nobody wants it any more', async () => {
    const { engine, run } = aTrial({ signal: AbortSignal.abort() });
    await expect(run()).rejects.toThrow('interrupted');
    expect([engine.calls.startPilot, engine.pilots().length]).toEqual([0, 0]);
  });

  it('clears away what a trial that was killed has left, once it is not just being made', async () => {
    const { engine, clock, run } = aTrial();
    const born = { bootId: aHost().bootId, spawnedBootMs: clock.now().bootMs };
    await engine.createPilot(aSpec({ instance: 'here-try', ...born }), undefined);
    await run();
    expect(engine.pilots()).toHaveLength(1);
    await clock.advance(61_000);
    await run();
    expect(engine.pilots()).toEqual([]);
  });

  it('goes on where what it writes cannot be shown', async () => {
    const { engine, told, run } = aTrial();
    engine.failNext('followLog', 'refused');
    await expect(run()).resolves.toMatchObject({ exitCode: 3 });
    expect(told.join()).toContain('what it writes cannot be shown');
  });
});
