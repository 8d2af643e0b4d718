import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/decision.js';
import type { EngineFailure, Observation, Outcome, Pilot, PilotEnd, RemovalReason } from '../../../src/model.js';
import type { State } from '../../../src/plan/state.js';
import { settingsText } from '../../../src/plan/pilot-spec.js';
import { anInstant, aPilot, aSpec } from '../../support/builders.js';
import { aConfig, aStory, spawnsOf, type Look, type Story } from '../../support/plan-builders.js';

const START = anInstant();
const BORN = START.bootMs + 1000;
const CONFIG = aConfig({ main_sleep: 30, fizzle_seconds: 10 });
const NEW: Partial<Observation> = { revision: 'r2', proof: 'on-probation' };

/** A daemon that has just put revision r2 in force. */
function aTrial(config = CONFIG, base = NEW): Story {
  const story = aStory(config, base);
  story.look();
  return story;
}

interface Ending extends Partial<PilotEnd> {
  /** Seconds; 1 unless given. */
  readonly ran?: number;
  readonly reason?: RemovalReason;
  readonly pilot?: Partial<Pilot>;
  readonly result?: Outcome['result'];
}

let names = 0;

/** A pilot of r2 that was started after the first look and is gone. */
function ended({ ran = 1, reason = 'exited', pilot = {}, result = 'done', ...end }: Ending): Outcome {
  names += 1;
  const name = `e${names}`;
  const gone = aPilot({ name, revision: 'r2', spawnedBootMs: BORN, state: 'exited', ...pilot });
  return {
    action: { type: 'remove', pilot: gone, reason, stopSeconds: 0, ageMs: ran * 1000 },
    result,
    error: undefined,
    ended: {
      exitCode: 0,
      oomKilled: false,
      startedWallMs: START.wallMs,
      finishedWallMs: START.wallMs + ran * 1000,
      ...end,
    },
  };
}

function unstarted(kind: EngineFailure['kind'], message = 'no such network'): Outcome {
  const spec = aSpec({ revision: 'r2', spawnedBootMs: BORN });
  const action = { type: 'spawn', spec, reason: 'growth' } as const;
  return { action, result: 'failed', error: { kind, message }, ended: undefined };
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function failures(count: number, ending: Ending = {}): Outcome[] {
  return times(count, () => ended({ exitCode: 1, ...ending }));
}

function verdictOf({ probation }: Plan<State>): string {
  return probation?.verdict ?? 'none';
}

function seen(story: Story, outcomes: readonly Outcome[], look: Look = {}): Plan<State> {
  return story.look({ outcomes, ...look });
}

describe('the first pilots of a configuration', () => {
  test('condemn it when five have failed, and not before', () => {
    const story = aTrial();

    expect(verdictOf(seen(story, failures(4)))).toBe('none');
    const decision = seen(story, failures(1));

    expect(decision.probation).toMatchObject({
      verdict: 'condemned',
      failed: 5,
      judged: 5,
      text: '5 of 5 pilots failed: 5 x exit code 1',
    });
  });

  test('condemn it only when more than half of them failed', () => {
    const story = aTrial(aConfig({ ...CONFIG, max_docks: 8, fizzle_seconds: 5 }));
    const idle = times(6, () => ended({}));

    expect(verdictOf(seen(story, [...idle, ...failures(6)]))).toBe('none');
    const decision = seen(story, failures(1));

    expect(decision.probation).toMatchObject({ verdict: 'condemned', failed: 7, judged: 13 });
  });

  test('roll nothing back where there is no work: exit code 0 is no failure, whatever else is said of it', () => {
    const decision = seen(
      aTrial(),
      times(100, () => ended({ exitCode: 0, oomKilled: true })),
    );

    expect(decision.probation).toMatchObject({
      verdict: undefined,
      worked: 0,
      failed: 0,
      text: '0 of 20 pilots failed',
    });
  });

  test('are judged by the latest twenty ends: a night without work does not hide what the morning brings', () => {
    const story = aTrial();
    seen(
      story,
      times(60, () => ended({})),
    );

    expect(verdictOf(seen(story, failures(10)))).toBe('none');
    expect(verdictOf(seen(story, failures(1)))).toBe('condemned');
  });

  test.each([
    ['an exit code', ended({ exitCode: 3, ran: 5000 }), 'exit code 3'],
    ['want of memory', ended({ exitCode: 137, oomKilled: true }), 'killed for want of memory'],
    ['a start that cannot work', unstarted('invalid'), 'could not be started (no such network)'],
    ['something that is not there', unstarted('not-found'), 'could not be started (no such network)'],
  ])('fail by %s', (_, outcome, how) => {
    const decision = seen(aTrial(), Array<Outcome>(5).fill(outcome));

    expect(decision.probation).toMatchObject({ verdict: 'condemned', text: `5 of 5 pilots failed: 5 x ${how}` });
  });

  test('are told by how they failed, the most frequent first', () => {
    const decision = seen(aTrial(), [unstarted('invalid', 'one'), unstarted('invalid', 'two'), ...failures(4)]);

    expect(decision.probation?.text).toBe('6 of 6 pilots failed: 4 x exit code 1, 2 x could not be started (two)');
  });

  test.each<[string, Outcome]>([
    ['an engine that cannot start any', unstarted('refused')],
    ['an engine that does not answer', unstarted('timeout')],
    ['an engine that is away', unstarted('unreachable')],
    ['a kill from outside', ended({ exitCode: 137 })],
    ['a SIGTERM from outside', ended({ exitCode: 143 })],
    ['an eviction', ended({ exitCode: 1, reason: 'evicted' })],
    ['a force-stop', ended({ exitCode: 1, reason: 'force-stop' })],
    ['a start that was counted already', ended({ exitCode: 127, startedWallMs: undefined })],
    ['a removal that has to be tried again', ended({ exitCode: 1, result: 'failed' })],
    ['a pilot of another revision', ended({ exitCode: 1, pilot: { revision: 'r1' } })],
    ['a pilot from before', ended({ exitCode: 1, pilot: { spawnedBootMs: START.bootMs - 1 } })],
    ['a pilot of an earlier boot', ended({ exitCode: 255, pilot: { bootId: 'another' } })],
    ['a pilot without labels', ended({ exitCode: 1, pilot: { spawnedBootMs: undefined } })],
  ])('show nothing by %s', (_, outcome) => {
    const decision = seen(aTrial(), Array<Outcome>(9).fill(outcome));

    expect(decision.probation).toMatchObject({ verdict: undefined, judged: 0, text: 'no pilot has ended yet' });
  });

  test('show nothing when they go because they were evicted, but are reaped as ended', () => {
    const story = aTrial(aConfig({ ...CONFIG, grace_kill: 0, evict_margin: 0, cpu_slack: 0, stop_timeout: 0 }));
    const pilots = times(8, () => undefined).map((_, index) =>
      aPilot({ name: `p${index}`, revision: 'r2', spawnedBootMs: BORN + index }),
    );
    story.look({ pilots, load: { busy: 8, own: 8 } });
    story.look({ pilots, load: { busy: 8, own: 2 } });
    const { actions } = story.look({ pilots, load: { busy: 8, own: 2 } });
    const evicted = actions.flatMap((action) => (action.type === 'remove' ? [action.pilot] : []));
    expect(evicted.length).toBeGreaterThanOrEqual(5);
    const outcomes = evicted.map((pilot) => ended({ exitCode: 1, pilot }));

    expect(seen(story, outcomes, { pilots }).probation?.judged).toBe(0);
  });
});

describe('a configuration is proven', () => {
  test('by five pilots that ended well after they had worked', () => {
    const story = aTrial();

    expect(
      verdictOf(
        seen(
          story,
          times(4, () => ended({ ran: 10 })),
        ),
      ),
    ).toBe('none');
    expect(verdictOf(seen(story, [ended({ ran: 9.9 })]))).toBe('none');
    expect(verdictOf(seen(story, [ended({ ran: 10 })]))).toBe('proven');
  });

  test('by as many as may run at a time, where that is fewer', () => {
    const story = aTrial(aConfig({ ...CONFIG, max_docks: 2 }));

    expect(verdictOf(seen(story, [ended({ ran: 60 })]))).toBe('none');
    expect(verdictOf(seen(story, [ended({ ran: 60 })]))).toBe('proven');
    expect(verdictOf(aTrial(aConfig({ ...CONFIG, max_docks: 0 })).look())).toBe('none');
  });

  test('by pilots that have run for ten minutes, and one that then fails after all is one less', () => {
    const story = aTrial();
    const pilots = times(5, () => undefined).map((_, index) =>
      aPilot({ name: `p${index}`, revision: 'r2', spawnedBootMs: BORN }),
    );
    story.look({ pilots, after: 30 });
    expect(story.look({ pilots, after: 599 }).probation).toMatchObject({ verdict: undefined, worked: 0 });
    const four = pilots.slice(1);
    const failed = seen(story, failures(1, { ran: 600 }), { pilots: four, after: 1 });
    expect(failed.probation).toMatchObject({ verdict: undefined, worked: 4, failed: 1, judged: 5 });

    expect(verdictOf(seen(story, [ended({ ran: 60 })], { pilots: four }))).toBe('proven');
  });

  test('not by pilots of other revisions, from before, or that stand still', () => {
    const story = aTrial();
    const pilots = [
      aPilot({ name: 'a', revision: 'r1', spawnedBootMs: BORN }),
      aPilot({ name: 'b', revision: 'r2', spawnedBootMs: START.bootMs - 1 }),
      aPilot({ name: 'c', revision: 'r2', spawnedBootMs: BORN }),
    ];
    story.look({ pilots });
    const later = pilots.map((pilot) => (pilot.name === 'c' ? { ...pilot, state: 'paused' as const } : pilot));

    expect(story.look({ pilots: later, after: 1000 }).probation?.worked).toBe(0);
  });

  test.each<[string, Ending]>([
    ['whose time to live was over', { reason: 'expired', exitCode: 143, ran: 30 }],
    ['that made room for the owner after ten minutes', { reason: 'evicted', exitCode: 143, ran: 600 }],
  ])('by pilots %s', (_, ending) => {
    expect(
      verdictOf(
        seen(
          aTrial(),
          times(5, () => ended(ending)),
        ),
      ),
    ).toBe('proven');
  });

  test('not while most fail', () => {
    const works = times(5, () => ended({ ran: 60 }));

    expect(verdictOf(seen(aTrial(), [...works, ...failures(6)]))).toBe('condemned');
    expect(verdictOf(seen(aTrial(), [...works, ...failures(5)]))).toBe('proven');
  });
});

describe('what is watched', () => {
  test('nothing, once a configuration is proven', () => {
    const decision = seen(aTrial(CONFIG, { revision: 'r2', proof: 'proven' }), failures(9));

    expect(decision.probation).toBeUndefined();
  });

  test('the first configuration ever, too', () => {
    expect(verdictOf(seen(aTrial(CONFIG, { revision: 'r2', proof: 'first' }), failures(5)))).toBe('condemned');
  });

  test('also under the formulas of the original: they say how many pilots run, and not what they are', () => {
    expect(verdictOf(seen(aTrial(aConfig({ ...CONFIG, policy: 'legacy' })), failures(5)))).toBe('condemned');
  });

  test('each revision by itself, and each edit by hand that goes by the same name', () => {
    const story = aTrial();
    seen(story, failures(4));
    const other = seen(story, failures(1, { pilot: { revision: 'r3', spawnedBootMs: BORN + 60_000 } }), {
      revision: 'r3',
    });
    expect(other.probation?.failed).toBe(1);

    const edited = seen(story, failures(1, { pilot: { revision: 'r3', spawnedBootMs: BORN + 100_000 } }), {
      revision: 'r3',
      config: aConfig({ ...CONFIG, docker_cmd: ['/other'] }),
    });
    expect(edited.probation?.failed).toBe(1);
  });
});

describe('a condemned configuration', () => {
  test('is not what pilots are started from while the image of the next one is pulled', () => {
    const story = aTrial();
    const first = story.look();
    expect(spawnsOf(first).length).toBeGreaterThan(0);
    expect(story.state.image.lastUsed?.revision).toBe('r2');
    seen(story, failures(5));
    expect(story.state.image.lastUsed).toBeUndefined();

    const next = story.look({ revision: 'r1', config: aConfig({ ...CONFIG, docker_image: 'another' }), image: null });
    expect(spawnsOf(next)).toHaveLength(0);
  });
});

describe('pilots are the same', () => {
  test.each([
    [{ influxdb_url: ['http://localhost:8086#x'] }, true],
    [{ max_docks: 3, max_ttl: 60 }, true],
    [{ docker_cmd: ['/other'] }, false],
    [{ docker_env: { A: '1' } }, false],
    [{ binds: ['/cvmfs:/cvmfs'] }, false],
    [{ capabilities: ['-NET_RAW'] }, false],
    [{ max_dock_mem: 1 }, false],
  ])('under configurations that differ in %j: %s', (changes, same) => {
    expect(settingsText(aConfig(changes as object)) === settingsText(aConfig())).toBe(same);
  });
});
