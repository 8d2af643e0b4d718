import { describe, expect, it } from 'vitest';
import type { FailingPilots, Hold } from '../../../src/decision.js';
import type { EngineFailure, PullTrouble, StartTrouble } from '../../../src/model.js';
import { faultsOf, type Fault, type FaultFacts, type SeenCycle } from '../../../src/report/faults.js';
import { anInstant, anObservation, aPilot } from '../../support/builders.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

const now = anInstant();
const nothingSeen: FaultFacts = {
  now,
  mode: 'active',
  failure: undefined,
  seen: undefined,
  config: { revision: '0123456789abcdef0123', refused: undefined, unreachable: undefined },
  wantedImage: 'busybox',
  pullFailure: undefined,
};

function seen(plan: Partial<SeenCycle['plan']> = {}, observation: Partial<SeenCycle['observation']> = {}): SeenCycle {
  const { capacity } = aStory(aConfig()).look();
  return {
    observation: anObservation(observation),
    plan: { capacity, holds: [], gates: [], stuck: [], hanging: undefined, failing: undefined, ...plan },
  };
}

function faults(facts: Partial<FaultFacts>, before: readonly Fault[] = []): readonly Fault[] {
  return faultsOf({ ...nothingSeen, ...facts }, before);
}

function codes(facts: Partial<FaultFacts>): readonly string[] {
  return faults(facts).map(({ code }) => code);
}

describe('faults', () => {
  it('are none where nothing is wrong, however little is started', () => {
    const holds: Hold[] = [
      { gate: 'cap', text: '4 pilots, max_docks 4' },
      { gate: 'foreign-cpu', text: '8 CPUs' },
    ];
    expect(faults({ seen: seen({ holds }) })).toEqual([]);
  });

  it.each<EngineFailure['kind']>(['unreachable', 'forbidden', 'timeout', 'malformed', 'refused'])(
    'tell of an engine that cannot be listed (%s), in its words and in ours',
    (kind) => {
      const [fault, ...others] = faults({ failure: { kind, message: 'Listing the pilots: no' } });
      expect(others).toEqual([]);
      expect(fault).toMatchObject({ code: `engine-${kind}`, said: 'Listing the pilots: no' });
      expect(fault?.doing).toMatch(/pilots are left as they are/);
      expect(fault?.cure).not.toBe('');
    },
  );

  it('tell of an engine that hangs: since when, and when it is tried next', () => {
    const hanging = { sinceMs: now.monoMs - 60_000, inVain: 3, nextTryMs: now.monoMs + 20_000 };
    expect(faults({ seen: seen({ hanging }) })).toMatchObject([
      {
        code: 'engine-effects',
        since: new Date(now.wallMs - 60_000).toISOString(),
        said: '3 times without an answer',
        doing: expect.stringContaining('in 20 s') as string,
      },
    ]);
  });

  it.each<[FailingPilots['kind'], StartTrouble | undefined, string, RegExp]>([
    ['host', 'not-as-asked', 'engine-starts', /more than the policy of this host allows/],
    ['host', undefined, 'engine-starts', /^the container engine cannot start pilots$/],
    ['host', 'addresses', 'engine-starts', /no address left/],
    ['host', 'control-groups', 'engine-starts', /no more control groups/],
    ['image', undefined, 'pilots-failing', /cannot be started with this configuration/],
    ['failing', undefined, 'pilots-failing', /fail soon after their start/],
    ['out-of-memory', undefined, 'pilots-failing', /for want of memory/],
  ])('tell of pilots that do not come to life (%s, %s)', (kind, start, code, what) => {
    const [fault, ...others] = faults({ seen: seen({ failing: { kind, start, soon: true, text: 'no' } }) });
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ code, said: 'no', what: expect.stringMatching(what) as string });
    expect(fault?.doing).toContain('in every loop');
    const [later] = faults({ seen: seen({ failing: { kind, start, soon: false, text: 'no' } }) });
    expect(later?.doing).toContain('after growing pauses');
    expect(fault?.cure).not.toBe('');
  });

  it('tell of each pilot that cannot be removed', () => {
    const trouble = { sinceMs: now.monoMs - 90_000, tries: 2, nextTryMs: now.monoMs + 60_000, said: 'busy' };
    const stuck = [
      { pilot: aPilot({ name: 'a' }), holdsSlot: true, ...trouble },
      { pilot: aPilot({ name: 'b', state: 'dead' as const }), holdsSlot: false, ...trouble },
    ];
    const found = faults({ seen: seen({ stuck }) });
    expect(found).toMatchObject([
      { code: 'pilot-stuck', subject: 'a', said: 'busy', since: new Date(now.wallMs - 90_000).toISOString() },
      { code: 'pilot-stuck', subject: 'b' },
    ]);
    expect(found[0]?.what).toBe('pilot a (running) could not be removed, tried 2 times');
    expect(found[0]?.doing).toMatch(/keeps its slot.* in 60 s/);
    expect(found[1]?.doing).toMatch(/holds no slot/);
  });

  it('tell of a pilot in a state that nobody knows', () => {
    const pilots = [aPilot({ name: 'a', state: 'unknown' }), aPilot({ name: 'b' })];
    expect(faults({ seen: seen({}, { pilots }) })).toMatchObject([{ code: 'pilot-unknown', subject: 'a' }]);
  });

  it('tell of an image that cannot be pulled, and what pilots come from meanwhile', () => {
    const pullFailure: EngineFailure = { kind: 'refused', message: 'no' };
    const [here] = faults({ pullFailure, seen: seen() });
    const [absent] = faults({ pullFailure, seen: seen({}, { image: null }) });
    expect(here).toMatchObject({ code: 'image', said: 'no', what: 'image busybox cannot be pulled' });
    expect(here?.doing).toContain('the one on this host');
    expect(absent?.doing).toContain('the image before');
  });

  it.each<[PullTrouble, RegExp]>([
    ['rate-limited', /limits how often/],
    ['denied', /does not let this host have image busybox/],
    ['absent', /has no image busybox/],
    ['untrusted', /does not trust/],
    ['unreachable', /cannot reach/],
    ['unwell', /errors of its own/],
    ['damaged', /damaged/],
    ['no-room', /no room/],
    ['silent', /hangs/],
  ])('tell what is wrong with a registry (%s)', (pull, what) => {
    const [fault] = faults({ pullFailure: { kind: 'refused', message: 'no', pull }, seen: seen() });
    expect(fault?.what).toMatch(what);
    expect(fault?.cure).not.toBe('');
  });

  it('tell when a registry that limits requests is asked again', () => {
    const pullFailure: EngineFailure = { kind: 'refused', message: 'no', pull: 'rate-limited' };
    expect(faults({ pullFailure })[0]?.doing).toContain('after half an hour, every hour in the end');
  });

  it('tell of a configuration that was refused, and which one stays', () => {
    const config = {
      revision: 'good',
      refused: { revision: 'bad', problems: ['1:1: no', '2:1: no'] },
      unreachable: 'away',
    };
    expect(faults({ config })).toMatchObject([
      { code: 'config-refused', said: '1:1: no\n2:1: no', doing: 'good stays in force' },
      { code: 'config-unreachable', said: 'away' },
    ]);
  });

  it.each([
    ['policy', 'policy'],
    ['stale-sample', 'host-unreadable'],
    ['memory', 'memory'],
    ['disk', 'disk'],
    ['pressure', 'pressure'],
    ['tasks', 'tasks'],
  ] as const)('tell of what holds starts back and should not: %s', (gate, code) => {
    const [fault] = faults({ seen: seen({ holds: [{ gate, text: 'the numbers' }] }) });
    expect(fault).toMatchObject({ code, said: 'the numbers' });
  });

  it('tell of a run directory that cannot be read', () => {
    expect(codes({ mode: 'unknown' })).toEqual(['run-directory']);
  });

  it('keep their first moment as long as they last, each pilot its own', () => {
    const later = { ...now, wallMs: now.wallMs + 60_000 };
    const strange = (...names: string[]) =>
      seen({}, { pilots: names.map((name) => aPilot({ name, state: 'unknown' })) });
    const before = faults({ seen: strange('a') });
    const after = faults({ seen: strange('a', 'b'), now: later }, before);
    expect(after.map(({ since }) => Date.parse(since) - now.wallMs)).toEqual([0, 60_000]);
  });

  it('name the engine first', () => {
    const failure = { kind: 'timeout', message: 'no' } as const;
    expect(codes({ failure, mode: 'unknown', pullFailure: { kind: 'refused', message: 'no' } })).toEqual([
      'engine-timeout',
      'image',
      'run-directory',
    ]);
  });
});
