import { describe, expect, it } from 'vitest';
import { PilotEvents } from '../../../src/daemon/pilot-events.js';
import { EngineError, type EndsListener } from '../../../src/engine/container-engine.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';

/** The streams that are asked for; each breaks when it is told to. */
function follow(random: number) {
  const clock: FakeClock = createFakeClock();
  const streams: { readonly listener: EndsListener; readonly atMs: number; readonly cut: () => void }[] = [];
  const events = new PilotEvents({
    clock,
    engine: {
      followEnds: (listener) =>
        new Promise<never>((_, reject) => {
          const cut = () => {
            reject(new EngineError('unreachable', 'cut'));
          };
          streams.push({ listener, atMs: clock.now().monoMs, cut });
          listener.onOpen();
        }),
    },
    instance: 'test',
    wake: () => undefined,
    publish: () => undefined,
    onLost: () => undefined,
    random: () => random,
  });
  events.engineFound();
  return { clock, events, streams };
}

describe('a stream that is opened again', () => {
  it('begins where the one before it ended, by the clock of the engine as far as that is not ahead', async () => {
    const { clock, events, streams } = follow(0);
    const beganMs = clock.now().wallMs;
    expect(streams[0]?.listener.sinceWallMs).toBe(beganMs);
    await clock.advance(10_000);
    for (const atMs of [beganMs + 7000, beganMs + 5000]) streams[0]?.listener.onEnd('a', atMs, undefined);
    streams[0]?.cut();
    await clock.advance(1000);
    expect(streams[1]?.listener.sinceWallMs).toBe(beganMs + 7000);
    streams[1]?.listener.onEnd('b', beganMs + 86_400_000, undefined);
    const heardMs = clock.now().wallMs;
    streams[1]?.cut();
    await clock.advance(10_000);
    expect(streams[2]?.listener.sinceWallMs).toBe(heardMs);
    events.close();
  });

  it('is so after a pause that is another one on each host, twice as long each time', async () => {
    for (const [random, share] of [
      [0, 0.5],
      [0.5, 0.75],
      [0.999, 1],
    ] as const) {
      const { clock, events, streams } = follow(random);
      for (let breaks = 0; breaks < 3; breaks += 1) {
        streams.at(-1)?.cut();
        await clock.advance(8000);
      }
      const pauses = streams.slice(1).map(({ atMs }, index) => atMs - index * 8000 - (streams[0]?.atMs ?? 0));
      expect(pauses.map((ms) => Math.round(ms / 100))).toEqual([10 * share, 20 * share, 40 * share].map(Math.round));
      events.close();
    }
  });
});
