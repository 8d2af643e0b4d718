import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.js';
import { parseMoment } from '../../../src/cli/moment.js';
import { createJournal } from '../../../src/journal/journal.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { aPilot, aSample, anObservation } from '../../support/builders.js';
import { recordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { aConfig, aStory } from '../../support/plan-builders.js';
import { tempDirectory } from '../../support/temp-directory.js';

const clock = createFakeClock();
const limits = { journal_size: 1_000_000, journal_age: 86_400 };

function cycle(): DaemonEvent {
  const observation = anObservation({ sample: aSample({ seq: 1 }), revision: 'feedc0de', pilots: [aPilot()] });
  const decision = aStory(aConfig({ max_docks: 3 }), { pilots: [aPilot()] }).look();
  return { type: 'cycle', number: 7, uptimeMs: 1000, observation, plan: decision };
}

const evicted: DaemonEvent = {
  type: 'action-ended',
  outcome: {
    action: {
      type: 'remove',
      pilot: aPilot({ name: 'plancton-worker-gone' }),
      reason: 'evicted',
      stopSeconds: 0,
      ageMs: 5,
    },
    ...{ result: 'done', error: undefined, ended: undefined },
  },
  atWallMs: 1,
};

/** A run directory whose journal has these events, the last one a minute ago. */
async function aRunDir(events: readonly DaemonEvent[]): Promise<string> {
  const runDir = tempDirectory();
  mkdirSync(join(runDir, 'state'));
  const folder = join(runDir, 'state', 'journal');
  const journal = createJournal({ folder, clock, limits: () => limits, onTrouble: (message) => expect.fail(message) });
  for (const event of events) journal.sink(event);
  await journal.close(10_000);
  await clock.advance(60_000);
  return runDir;
}

async function ctl(runDir: string, ...args: readonly string[]) {
  const context = recordingContext({ clock });
  const exitCode = await runProgram(context, [...args, '--rundir', runDir]);
  return { exitCode, out: context.stdout.join('\n'), err: context.stderr.join('\n') };
}

describe('explain', () => {
  it('tells each gate in order at an earlier moment, and what limited', async () => {
    const { exitCode, out } = await ctl(await aRunDir([cycle()]), 'explain', '--at', '30s');
    expect(exitCode).toBe(0);
    expect(out.split('\n').map((line) => line.trim().split(/  +/).slice(0, 2).join(': '))).toMatchInlineSnapshot(`
      [
        "2026-01-01T00:00:00.000Z, 1 min ago: 1 pilots, 3 fit in all (mode active, configuration feedc0de)",
        "mode: passes",
        "policy: passes",
        "load: passes",
        "image: passes",
        "engine: passes",
        "cap: 2 more",
        "CPUs: 7 more",
        "memory: 498 more",
        "disk: passes",
        "pressure: passes",
        "processes: passes",
        "experience: passes",
        "eviction: passes",
        "pace: 4 more",
        "limited by cap: 1 pilots and 2 being started, max_docks 3",
      ]
    `);
    expect(out).toContain('1 min ago: 1 pilots, 3 fit in all (mode active, configuration feedc0de)');
    expect(out).toMatch(/^ {2}cap +2 more +1 pilots hold a slot, max_docks 3$/m);
    expect(out).toMatch(/^limited by cap: 1 pilots and 2 being started, max_docks 3$/m);
  });

  it('is data for programs', async () => {
    const { out } = await ctl(await aRunDir([cycle()]), 'explain', '--at', '30s', '--json');
    const explanation = JSON.parse(out) as { readonly gates: readonly unknown[] };
    expect(explanation).toMatchObject({ apiVersion: 'plancton/v1', kind: 'Explanation', mode: 'active' });
    expect(explanation.gates).toContainEqual({ gate: 'cap', most: 2, text: '1 pilots hold a slot, max_docks 3' });
  });

  it('says where nothing is known of a moment', async () => {
    const { exitCode, err } = await ctl(await aRunDir([cycle()]), 'explain', '--at', '3h');
    expect(exitCode).toBe(66);
    expect(err).toMatch(/no cycle in the hour before .* is in the journal .*planctonctl history/);
  });

  it('says that no daemon runs', async () => {
    const { exitCode, err } = await ctl(await aRunDir([]), 'explain');
    expect([exitCode, err]).toEqual([69, expect.stringContaining('plancton is not running')]);
  });

  it('refuses a moment that is none', async () => {
    expect(await ctl(await aRunDir([]), 'explain', '--at', 'noon')).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('14:30') as string,
    });
  });
});

describe('history', () => {
  it('tells what happened in the words of the log, cycles aside', async () => {
    const { out } = await ctl(await aRunDir([cycle(), { type: 'events-followed' }, evicted]), 'history');
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/ plancton INFO the container engine tells again when pilots end$/),
      expect.stringMatching(
        / plancton WARNING pilot evicted to make room for the owner pilot=plancton-worker-gone reason=evicted$/,
      ),
    ]);
  });

  it('begins where it is told to', async () => {
    expect((await ctl(await aRunDir([evicted]), 'history', '--since', '30s')).out).toContain('nothing happened');
  });

  it('is an object a line for programs', async () => {
    const { out } = await ctl(await aRunDir([evicted]), 'history', '--json');
    expect(JSON.parse(out)).toMatchObject({ type: 'action-ended', outcome: { action: { reason: 'evicted' } } });
  });

  it('says that some of it is damaged, and tells what another version wrote as it is', async () => {
    const runDir = await aRunDir([evicted]);
    const future = JSON.stringify({ at: clock.now().wallMs, type: 'of-tomorrow', what: 1 });
    writeFileSync(join(runDir, 'state', 'journal', '00000001.jsonl'), `noise\n${future}\n`);
    const { out, err, exitCode } = await ctl(runDir, 'history');
    expect(exitCode).toBe(0);
    expect(err).toBe('planctonctl: 1 damaged lines of the journal were skipped');
    expect(out.split('\n')[1]).toContain('of-tomorrow (of another version)');
  });
});

describe('a moment', () => {
  const now = new Date(2026, 10, 27, 14, 30, 0).getTime();

  it.each([
    ['2h', new Date(2026, 10, 27, 12, 30).getTime()],
    ['90', now - 90_000],
    ['14:29', new Date(2026, 10, 27, 14, 29).getTime()],
    ['14:31', new Date(2026, 10, 26, 14, 31).getTime()],
    ['9:05:10', new Date(2026, 10, 27, 9, 5, 10).getTime()],
    ['2026-11-01T10:00', new Date(2026, 10, 1, 10).getTime()],
    ['2026-11-01 10:00', new Date(2026, 10, 1, 10).getTime()],
    ['2026-11-01', new Date(2026, 10, 1).getTime()],
    ['2026-11-01T10:00:00Z', Date.UTC(2026, 10, 1, 10)],
  ])('may be written as %s', (text, ms) => {
    expect(parseMoment(text, now)).toBe(ms);
  });

  it.each(['', 'noon', '25:00', '-5', '2026-13-01', 'yesterday', '1e999'])('may not be written as "%s"', (text) => {
    expect(() => parseMoment(text, now)).toThrow(/14:30/);
  });
});
