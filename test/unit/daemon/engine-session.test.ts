import { describe, expect, it } from 'vitest';
import { createEngineSession } from '../../../src/daemon/engine-session.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createFakeEngine } from '../../support/fake-engine.js';
import { aConfig } from '../../support/plan-builders.js';

const config = aConfig();

function aSession() {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock });
  const events: DaemonEvent[] = [];
  let found = 0;
  const session = createEngineSession({
    ...{ clock, engine, instance: 'test', remote: true },
    publish: (event) => events.push(event),
    onFound: () => (found += 1),
  });
  return { session, engine, events, found: () => found };
}

describe('an engine', () => {
  it('is found when its pilots could be listed, and said to be once', async () => {
    const { session, events, found } = aSession();
    await session.connect(config);
    expect(events).toEqual([]);
    session.confirm();
    session.confirm();
    expect(events.map(({ type }) => type)).toEqual(['engine-found']);
    expect(found()).toBe(1);
  });

  it('that only tells what it is is not found, however often it is asked', async () => {
    const { session, events } = aSession();
    for (let tries = 0; tries < 3; tries += 1) {
      await session.connect(config);
      session.disconnect();
    }
    session.confirm();
    expect(events).toEqual([]);
  });

  it('is asked what it is once, and again when it may be another one', async () => {
    const { session, engine, events } = aSession();
    for (let looks = 0; looks < 3; looks += 1) await session.connect(config);
    session.confirm();
    expect(engine.calls.info).toBe(1);
    session.doubt();
    for (let looks = 0; looks < 3; looks += 1) await session.connect(config);
    session.confirm();
    expect(engine.calls.info).toBe(2);
    expect(events).toHaveLength(1);
  });
});
