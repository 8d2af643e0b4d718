import { describe, expect, it } from 'vitest';
import { createConfigKeeper, type ConfigKeeper } from '../../../src/config/keeper.js';
import { ConfigSourceError, type ConfigRevision, type ConfigSource } from '../../../src/config/source.js';
import { createFakeClock } from '../../support/fake-clock.js';

/** A source whose answers a test sets; an error is thrown. */
interface Scripted {
  current: ConfigRevision | Error;
  unedited: ConfigRevision | undefined;
  candidate: ConfigRevision | Error | undefined;
  accept: Error | undefined;
  accepted: string[];
  forced: boolean[];
}

function revision(id: string, text: string): ConfigRevision {
  return { id, layers: [{ file: 'config.yaml', text }] };
}

function answer<T>(value: T | Error): Promise<T> {
  return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
}

function sourceOf(script: Scripted): ConfigSource {
  return {
    describe: () => 'a script',
    current: () => answer(script.current),
    unedited: () => answer(script.unedited),
    candidate: (options) => {
      script.forced.push(options?.force ?? false);
      return answer(script.candidate);
    },
    accept: (accepted) => {
      if (script.accept) return Promise.reject(script.accept);
      script.accepted.push(accepted.id);
      script.current = accepted;
      script.candidate = undefined;
      return Promise.resolve();
    },
  };
}

function setUp(start: Partial<Scripted> = {}) {
  const script: Scripted = {
    current: revision('a', 'good 1'),
    unedited: undefined,
    candidate: undefined,
    accept: undefined,
    accepted: [],
    forced: [],
    ...start,
  };
  const clock = createFakeClock();
  const keeper: ConfigKeeper<string> = createConfigKeeper({
    source: sourceOf(script),
    clock,
    load: (layers) => {
      const text = layers.map((layer) => layer.text).join('+');
      return text.startsWith('good')
        ? { ok: true, config: text, warnings: [] }
        : { ok: false, problems: [`${text} is not good`] };
    },
  });
  return { script, clock, keeper };
}

describe('at the start', () => {
  it('puts in force what is on the host, without asking for anything newer', async () => {
    const { keeper, script, clock } = setUp({ candidate: revision('b', 'good 2') });
    const news = await keeper.start();
    expect(news).toMatchObject({ type: 'accepted', inForce: { config: 'good 1', sinceWallMs: clock.now().wallMs } });
    expect(script.forced).toEqual([]);
  });

  it('refuses when nothing is valid, and has nothing in force', async () => {
    const { keeper } = setUp({ current: revision('a', 'bad') });
    expect(await keeper.start()).toMatchObject({
      type: 'refused',
      refused: { revisionId: 'a', problems: ['bad is not good'] },
    });
    expect(keeper.state.inForce).toBeUndefined();
  });

  it('refuses a tree that cannot be read, with the reason', async () => {
    const { keeper } = setUp({ current: new ConfigSourceError('broken', 'Cannot read it: mend it.') });
    expect(await keeper.start()).toMatchObject({
      type: 'refused',
      refused: { problems: ['Cannot read it: mend it.'] },
    });
  });

  it('falls back on the commit below a bad edit, and tells the edit too', async () => {
    const { keeper, script } = setUp({ current: revision('a+local', 'bad'), unedited: revision('a', 'good 1') });
    expect(await keeper.start()).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: 'a' } },
      refused: { revisionId: 'a+local' },
    });
    expect(keeper.state.refused?.revisionId).toBe('a+local');
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    script.current = revision('a+local', 'good edit');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: 'good edit' } });
    expect(keeper.state.refused).toBeUndefined();
  });

  it('takes the mended commit from the server when the one on the host is bad', async () => {
    const { keeper, script } = setUp({ current: revision('a', 'bad'), candidate: revision('b', 'good 2') });
    expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { revision: { id: 'b' } } });
    expect(script.forced).toEqual([true]);
    expect(keeper.state.refused).toBeUndefined();
  });
});

describe('later', () => {
  it('puts a good candidate in place before it is in force', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = revision('b', 'good 2');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: 'good 2' } });
    expect(script.accepted).toEqual(['b']);
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });

  it('never puts a bad candidate in place, tells it once and again only when it changes', async () => {
    const { keeper, script, clock } = setUp();
    await keeper.start();
    script.candidate = revision('b', 'bad');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'b' } });
    const since = keeper.state.refused?.sinceWallMs;
    await clock.advance(1000);
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state.refused?.sinceWallMs).toBe(since);
    script.candidate = revision('c', 'bad');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'c' } });
    expect(script.accepted).toEqual([]);
    expect(keeper.state.inForce?.config).toBe('good 1');
    script.candidate = undefined;
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state.refused).toBeUndefined();
  });

  it('keeps the old one in force when a good candidate cannot be put in place', async () => {
    const { keeper, script } = setUp({ accept: new ConfigSourceError('broken', 'Disk full: make room.') });
    await keeper.start();
    script.candidate = revision('b', 'good 2');
    expect(await keeper.refresh()).toEqual({ type: 'unreachable', message: 'Disk full: make room.' });
    expect(keeper.state.inForce?.config).toBe('good 1');
    script.accept = undefined;
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: 'good 2' } });
  });

  it('does not take a config.yaml that is gone for the wish to have the defaults', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = { id: 'b', layers: [{ file: 'hosts/h.yaml', text: 'good 2' }] };
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'b' } });
    expect(keeper.state.inForce?.config).toBe('good 1');
    script.candidate = revision('c', 'good 3');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted' });
  });

  it('tells once that the server cannot be reached, and knows it until it can', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = new ConfigSourceError('unreachable', 'No answer.');
    expect(await keeper.refresh()).toEqual({ type: 'unreachable', message: 'No answer.' });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state.unreachable).toBe('No answer.');
    script.candidate = undefined;
    await keeper.refresh();
    expect(keeper.state).toMatchObject({ unreachable: undefined, inForce: { config: 'good 1' } });
  });

  it('reports a candidate that was rejected unread under its own name', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = new ConfigSourceError('rejected', 'A link: commit a file.', 'b');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'b' } });
  });

  it.each([
    ['an edit', revision('a+local', 'bad')],
    ['an unreadable tree', new ConfigSourceError('broken', 'Cannot read it.')],
  ])('keeps the last good one in force after %s', async (_, current) => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.current = current;
    expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state.inForce?.config).toBe('good 1');
  });

  it('does not alternate between a bad tree and a candidate that it blocks', async () => {
    const { keeper, script } = setUp({ accept: new ConfigSourceError('rejected', 'Edited by hand.') });
    await keeper.start();
    script.current = revision('a+local', 'bad');
    script.candidate = revision('b', 'good 2');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'a+local' } });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });

  it('passes on that it is to ask at once', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    await keeper.refresh();
    await keeper.refresh({ force: true });
    expect(script.forced).toEqual([false, true]);
  });

  it('runs overlapping looks one after the other', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = revision('b', 'good 2');
    const [first, second] = await Promise.all([keeper.refresh(), keeper.refresh()]);
    expect([first.type, second.type]).toEqual(['accepted', 'unchanged']);
    expect(script.accepted).toEqual(['b']);
  });

  it('lets a bug through, and goes on after it', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = new TypeError('a bug');
    await expect(keeper.refresh()).rejects.toThrow('a bug');
    script.candidate = undefined;
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });
});
