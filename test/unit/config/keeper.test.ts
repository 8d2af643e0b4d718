import { describe, expect, it } from 'vitest';
import { createConfigKeeper, type ConfigKeeper } from '../../../src/config/keeper.js';
import {
  ConfigSourceError,
  type Condemned,
  type ConfigRevision,
  type ConfigSource,
} from '../../../src/config/source.js';
import { createFakeClock } from '../../support/fake-clock.js';

/** A source whose answers a test sets; an error is thrown. */
interface Scripted {
  current: ConfigRevision | Error;
  unedited: ConfigRevision | undefined;
  candidate: ConfigRevision | Error | undefined;
  accept: Error | undefined;
  accepted: string[];
  forced: boolean[];
  /** What is remembered across restarts. */
  proven: ConfigRevision | undefined;
  condemned: Condemned | undefined;
  /** What this host does not let be in force any more. */
  distrusted: readonly string[];
  /** Nothing of that can be read or written. */
  forgetful: Error | undefined;
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
    vouch: ({ id }) =>
      script.distrusted.includes(id)
        ? Promise.reject(new ConfigSourceError('rejected', `nobody vouches for ${id}`, id))
        : Promise.resolve(),
    trials: {
      proven: () => answer(script.forgetful ?? script.proven),
      condemned: () => answer(script.forgetful ?? script.condemned),
      prove: async (proven) => {
        await answer(script.forgetful);
        script.proven = proven;
      },
      condemn: async (condemned) => {
        await answer(script.forgetful);
        script.condemned = condemned;
      },
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
    proven: undefined,
    condemned: undefined,
    distrusted: [],
    forgetful: undefined,
    ...start,
  };
  const clock = createFakeClock();
  const keeper: ConfigKeeper<string> = createConfigKeeper({
    source: sourceOf(script),
    clock,
    samePilots: (a, b) => !b.endsWith(' sees') && a.split(' #')[0] === b.split(' #')[0],
    extraRights: (than, config) => (config.endsWith('privileged') && than !== config ? ['docker_privileged true'] : []),
    inspect: (config) => Promise.resolve(config.endsWith('impossible here') ? ['/data is a link'] : []),
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
      refused: { problems: ['Cannot read it: mend it.'], mayHeal: true },
    });
  });

  it('knows a tree that is not allowed from one that could not be read, and says whether somebody could not be asked', async () => {
    const { keeper } = setUp({
      current: new ConfigSourceError('rejected', 'Not signed.'),
      candidate: new ConfigSourceError('unreachable', 'No answer.'),
    });
    await keeper.start();
    expect(keeper.state.refused).not.toHaveProperty('mayHeal');
    expect(keeper.state.unreachable).toBe('No answer.');
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

  it('never puts in place what is good, and cannot be used on this host', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    script.candidate = revision('b', 'good 2 impossible here');
    expect(await keeper.refresh()).toMatchObject({
      type: 'refused',
      refused: { revisionId: 'b', problems: ['/data is a link'] },
    });
    expect(script.accepted).toEqual([]);
    expect(keeper.state.inForce?.config).toBe('good 1');
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

/** Fails where nothing is in force. */
function inForce(keeper: ConfigKeeper<string>) {
  const { inForce: found } = keeper.state;
  if (found === undefined) throw new Error('nothing is in force');
  return found;
}

describe('a revision on probation', () => {
  const A = revision('a', 'good 1');
  const B = revision('b', 'good 2');
  const C = revision('c', 'good 3');
  const WHY = '5 of 5 pilots failed: 5 x exit code 1';

  /** Revision a is proven, b came after it and is in force. */
  async function onProbation() {
    const set = setUp();
    await set.keeper.start();
    await set.keeper.prove(inForce(set.keeper));
    set.script.candidate = B;
    await set.keeper.refresh();
    return set;
  }

  it('is known as such, and so is the very first one', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    expect(keeper.proof).toBe('first');
    await keeper.prove(inForce(keeper));
    expect(keeper.proof).toBe('proven');
    script.candidate = B;
    await keeper.refresh();
    expect(keeper.proof).toBe('on-probation');
  });

  it('gives way to the one proven before when it is condemned, which is put in place again', async () => {
    const { keeper, script } = await onProbation();
    expect(await keeper.condemn(inForce(keeper), WHY)).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: 'a' } },
      refused: { revisionId: 'b', problems: [WHY] },
    });
    expect(script).toMatchObject({ accepted: ['b', 'a'], proven: A, condemned: { revision: B, why: WHY } });
    expect(keeper.proof).toBe('proven');
  });

  it('is refused from then on, told once, while a newer one is tried', async () => {
    const { keeper, script } = await onProbation();
    await keeper.condemn(inForce(keeper), WHY);
    script.candidate = B;
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    expect(keeper.state).toMatchObject({
      inForce: { config: 'good 1' },
      refused: { revisionId: 'b', problems: [WHY] },
    });

    script.candidate = C;
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: 'c' } } });
    expect(keeper.state.refused).toBeUndefined();
    expect(keeper.proof).toBe('on-probation');
    await keeper.condemn(inForce(keeper), WHY);
    script.candidate = B;
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'b' } });
    expect(keeper.state.inForce?.config).toBe('good 1');
  });

  it('is refused as well under the name of a commit that changes nothing for this host', async () => {
    const { keeper, script } = await onProbation();
    await keeper.condemn(inForce(keeper), WHY);
    script.candidate = { ...B, id: 'c' };
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'c', problems: [WHY] } });
    expect(keeper.state.inForce?.revision.id).toBe('a');
  });

  it('is tried again with a newer commit where its pilots see files of it', async () => {
    const seeing = (id: string) => revision(id, 'good 2 sees');
    const { keeper, script } = setUp({ proven: A, condemned: { revision: seeing('b'), why: WHY } });
    await keeper.start();
    script.candidate = seeing('b');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
    script.candidate = seeing('c');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: 'c' } } });
  });

  it('is neither adopted again nor forgotten by the next daemon', async () => {
    const { keeper, script } = setUp({ proven: A, condemned: { revision: B, why: WHY }, candidate: B });
    await keeper.start();
    expect(keeper.proof).toBe('proven');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: 'b', problems: [WHY] } });
    expect(script.accepted).toEqual([]);
  });

  it('is put out of place by the next daemon if this one was killed before it could', async () => {
    const { keeper, script } = setUp({ current: B, unedited: B, proven: A, condemned: { revision: B, why: WHY } });
    expect(await keeper.start()).toMatchObject({
      type: 'accepted',
      inForce: { revision: { id: 'a' } },
      refused: { revisionId: 'b' },
    });
    expect(script.accepted).toEqual(['a']);
  });

  it('goes on with its trial after a restart', async () => {
    const { keeper } = setUp({ current: B, proven: A });
    await keeper.start();
    expect(keeper.proof).toBe('on-probation');
  });

  it('gives way to a proven one without a config.yaml, too', async () => {
    const { keeper } = setUp({ current: B, proven: { id: 'a', layers: [{ file: 'hosts/h.yaml', text: 'good 1' }] } });
    await keeper.start();
    expect(await keeper.condemn(inForce(keeper), WHY)).toMatchObject({ inForce: { config: 'good 1' } });
  });

  it('stays where nothing was proven before', async () => {
    const { keeper, script } = setUp();
    await keeper.start();
    expect(await keeper.condemn(inForce(keeper), WHY)).toEqual({ type: 'unchanged' });
    expect(keeper.state).toMatchObject({ inForce: { config: 'good 1' }, refused: undefined });
    expect(script.condemned).toBeUndefined();
  });

  it.each<[string, Partial<Scripted>, RegExp]>([
    ['by its policy', { proven: revision('a', 'bad by now') }, /bad by now is not good/],
    ['as it gives pilots more', { proven: revision('a', 'good privileged') }, /more than .*\(docker_privileged true\)/],
    ['by its keys', { proven: A, distrusted: ['a'] }, /nobody vouches for a/],
  ])(
    'stays where the one before is not allowed any more %s, and says so until something newer comes',
    async (...[, start, problem]) => {
      const { keeper, script } = setUp({ current: B, ...start });
      await keeper.start();
      const tried = inForce(keeper);
      const news = await keeper.condemn(tried, WHY);
      expect(news).toMatchObject({ type: 'refused', refused: { revisionId: 'a' } });
      expect(keeper.state.refused?.problems.join()).toMatch(/^5 of 5 pilots failed.*does not take its place/);
      expect(keeper.state.refused?.problems.join()).toMatch(problem);
      expect([keeper.state.inForce?.config, script.accepted, script.condemned]).toEqual(['good 2', [], undefined]);
      expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
      expect(await keeper.condemn(tried, WHY)).toEqual({ type: 'unchanged' });
      expect(keeper.state.refused?.revisionId).toBe('a');
      script.candidate = C;
      await keeper.refresh();
      expect(keeper.state).toMatchObject({ inForce: { config: 'good 3' }, refused: undefined });
    },
  );

  it('inherits no proof from one that nobody vouches for any more', async () => {
    const { keeper, script } = await onProbation();
    script.distrusted = ['a'];
    script.candidate = revision('c', 'good 1 # another comment');
    await keeper.refresh();
    expect(keeper.proof).toBe('on-probation');
  });

  it('is not judged by what pilots have shown of another one', async () => {
    const { keeper, script } = await onProbation();
    const tried = inForce(keeper);
    script.candidate = C;
    await keeper.refresh();
    expect(await keeper.condemn(tried, WHY)).toEqual({ type: 'unchanged' });
    await keeper.prove(tried);
    expect(keeper.state.inForce?.revision.id).toBe('c');
    expect(keeper.proof).toBe('on-probation');
    expect(script.proven).toEqual(A);
  });

  it('needs no trial when its pilots are those of the one proven before', async () => {
    const { keeper, script } = await onProbation();
    script.candidate = revision('c', 'good 1 # another comment');
    await keeper.refresh();
    expect(keeper.proof).toBe('proven');
    expect(script.proven?.id).toBe('c');
  });

  it('leaves files alone that a person edited: what was proven is in force all the same', async () => {
    const { keeper, script } = await onProbation();
    const edit = revision('b+local', 'good edit');
    script.current = edit;
    await keeper.refresh();
    script.accept = new ConfigSourceError('rejected', 'Edited by hand.');
    expect(await keeper.condemn(inForce(keeper), WHY)).toMatchObject({ inForce: { revision: { id: 'a' } } });
    expect(keeper.state.refused).toMatchObject({ revisionId: 'b+local' });
    expect(keeper.state.refused?.problems.join()).toMatch(/exit code 1,its files are left as they are/);
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });

    script.current = revision('b+local', 'good edit, another one');
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: 'good edit, another one' } });
    expect(keeper.proof).toBe('on-probation');
  });

  it('is tried as ever where nothing can be remembered', async () => {
    const { keeper, script } = setUp({ forgetful: new ConfigSourceError('broken', 'Read-only.'), proven: B });
    await keeper.start();
    expect(keeper.proof).toBe('first');
    await keeper.prove(inForce(keeper));
    expect(keeper.proof).toBe('proven');
    script.candidate = B;
    await keeper.refresh();
    expect(await keeper.condemn(inForce(keeper), WHY)).toMatchObject({ inForce: { revision: { id: 'a' } } });
  });
});
