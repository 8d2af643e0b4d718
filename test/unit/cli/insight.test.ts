import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readKept } from '../../../src/cli/own-journal.js';
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
  return { type: 'cycle', number: 7, uptimeMs: 1000, tookMs: 3, observation, plan: decision };
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

describe('the journal of a daemon', () => {
  it.each(['explain --at 30s', 'history', 'report', 'trace x', 'simulate --journal'])(
    'is read by %s, which says what is damaged, a folder in the place of a part too',
    async (command) => {
      const runDir = await aRunDir([cycle()]);
      const folder = join(runDir, 'state', 'journal');
      writeFileSync(join(folder, '00000002.jsonl'), 'torn\n');
      mkdirSync(join(folder, '00000003.jsonl'));
      const { err } = await ctl(runDir, ...command.split(' '));
      expect(err).toContain('planctonctl: 2 damaged lines of the journal were skipped');
    },
  );

  it.each(['explain --at 30s', 'history', 'report', 'trace x', 'simulate --journal', 'post-mortem'])(
    'that cannot be read by %s is told with a cure',
    async (command) => {
      const runDir = tempDirectory();
      mkdirSync(join(runDir, 'state'));
      for (const name of ['journal', 'post-mortems']) writeFileSync(join(runDir, 'state', name), '');
      expect(await ctl(runDir, ...command.split(' '))).toMatchObject({
        exitCode: 66,
        err: expect.stringMatching(/^planctonctl: cannot read \/.* \(ENOTDIR\); see to that folder/) as string,
      });
    },
  );

  it('that may not be read ends with 77', async () => {
    const denied = Object.assign(new Error('EACCES: permission denied, scandir'), { code: 'EACCES' });
    await expect(readKept('/x/journal', Promise.reject(denied))).rejects.toMatchObject({
      ...{ exitCode: 77, message: 'cannot read /x/journal (EACCES); run this as the owner of the daemon' },
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
    ['2024-02-29', new Date(2024, 1, 29).getTime()],
    ['2026-11-01T10:00:00Z', Date.UTC(2026, 10, 1, 10)],
  ])('may be written as %s', (text, ms) => {
    expect(parseMoment(text, now)).toBe(ms);
  });

  it.each([
    ...['', 'noon', '25:00', '-5', '2026-13-01', 'yesterday', '1e999'],
    ...['2026-02-31T10:00', '2025-02-29', '99999999999d', '999999999999d', '1969-12-01'],
  ])('may not be written as "%s"', (text) => {
    expect(() => parseMoment(text, now)).toThrow(/14:30/);
  });
});

describe('simulate --journal', () => {
  /** The journal of a host, and a configuration in use. */
  async function aHostWithPast(): Promise<string> {
    const samples = Array.from({ length: 120 }, (_, index) => {
      const sample = aSample({ seq: index, monoMs: 30_000 * index, busy: 2, own: 1 });
      const { capacity, holds, gates } = aStory(aConfig()).look();
      const plan = { actions: [], capacity: { ...capacity, promised: 1, admissible: 4 }, holds, gates };
      return {
        type: 'cycle',
        number: index,
        uptimeMs: 0,
        tookMs: 3,
        observation: anObservation({ sample }),
        plan,
      } as const;
    });
    const runDir = await aRunDir([...samples, evicted]);
    mkdirSync(join(runDir, 'conf'));
    writeFileSync(join(runDir, 'conf', 'config.yaml'), 'max_docks: 2\n');
    writeFileSync(join(runDir, 'other.yaml'), 'max_docks: 6\ndocker_env: { PASS: hunter2 }\n');
    return runDir;
  }

  async function replay(runDir: string, ...args: readonly string[]) {
    return ctl(runDir, 'simulate', '--confdir', join(runDir, 'conf'), ...args);
  }

  it('compares what was with what would have been', async () => {
    const runDir = await aHostWithPast();
    const { exitCode, out, err } = await replay(runDir, '--journal', '--config', join(runDir, 'other.yaml'));
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toMatch(/^8 CPUs, 1\.0 h of samples; simulated pilots live 1h/);
    expect(out).toMatch(/^ +as it was +in use +\/.*other\.yaml$/m);
    expect(out).toMatch(/^evicted +1 +0 +0$/m);
    expect(out).toMatch(/^pilots at a time +0\.0 +[12]\.\d +[3-6]\.\d$/m);
    expect(out).toMatch(/^owner slowed by +- +0\.0 % +0\.0 %$/m);
  });

  it('is data for programs, without secrets', async () => {
    const runDir = await aHostWithPast();
    const { out } = await replay(runDir, '--since', '2h', '--config', join(runDir, 'other.yaml'), '--json');
    expect(JSON.parse(out)).toMatchObject({
      ...{ apiVersion: 'plancton/v1', kind: 'Replay', ncpus: 8 },
      results: [
        { title: 'as it was', evicted: 1, config: null },
        { title: 'in use', config: { max_docks: 2 } },
        { config: { max_docks: 6, docker_env: { PASS: '…' } } },
      ],
    });
  });

  it('says where there is nothing to compare, or no way to', async () => {
    expect(await replay(await aRunDir([]), '--journal')).toMatchObject({
      exitCode: 66,
      err: expect.stringContaining('no sample of this host since') as string,
    });
    const runDir = await aHostWithPast();
    writeFileSync(join(runDir, 'conf', 'config.yaml'), 'max_docks: many\n');
    expect(await replay(runDir, '--journal')).toMatchObject({
      exitCode: 78,
      err: expect.stringContaining('max_docks') as string,
    });
    for (const args of [[], ['day.yaml', '--journal'], ['day.yaml', '--since', '2h']]) {
      expect((await replay(runDir, ...args)).exitCode).toBe(64);
    }
  });
});

describe('report', () => {
  it('tells what the host has given, and to whom', async () => {
    const { exitCode, out } = await ctl(await aRunDir([cycle(), evicted]), 'report');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^since 2026-01-01T00:\d\d:00.000Z: 0\.0 h of samples\nCPU hours: 0\.0 given to pilots, /);
    expect(out).toMatch(/^default +evicted +1 +0\.0 +0\.0 +- +- +-$/m);
  });

  it('is data for programs, and for spreadsheets', async () => {
    const runDir = await aRunDir([evicted]);
    expect(JSON.parse((await ctl(runDir, 'report', '--json')).out)).toMatchObject({
      ...{ kind: 'Report', rows: [{ end: 'evicted', pilots: 1 }] },
      pilots: [{ name: 'plancton-worker-gone', end: 'evicted' }],
    });
    const { out } = await ctl(runDir, 'report', '--csv');
    const [head = '', line = ''] = out.split('\n');
    expect(head.split(',')).toHaveLength(line.split(',').length);
    expect(line).toMatch(/^2026-01-01T00:\d\d:00\.000Z,plancton-worker-gone,default,/);
    expect((await ctl(runDir, 'report', '--csv', '--json')).exitCode).toBe(64);
  });

  it('says that nothing has ended', async () => {
    expect((await ctl(await aRunDir([]), 'report')).out).toContain('no pilot has ended');
  });
});

describe('trace', () => {
  const behind = { image: 'site/pilot:1', imageId: 'sha256:feed', revision: 'cafe', flavour: 'default' };
  const seen = {
    type: 'pilot-seen',
    pilot: { name: 'plancton-worker-gone', id: 'id-of-plancton-worker-gone', address: '172.17.0.2', ...behind },
  } as const;

  it('names the pilot behind an address, a host name, a name or an id', async () => {
    const runDir = await aRunDir([seen, evicted]);
    for (const what of ['172.17.0.2', 'plancton-worker-gone', 'gone', 'id-of-plancton']) {
      const { exitCode, out } = await ctl(runDir, 'trace', what);
      expect(exitCode).toBe(0);
      expect(out).toMatch(/^plancton-worker-gone\n {2}from +2026/);
      expect(out).toMatch(/^ {2}image id +sha256:feed$/m);
      expect(out).toMatch(/^ {2}revision +cafe of the configuration$/m);
    }
  });

  it.each(['2001:db8::1', '2001:DB8:0:0:0:0:0:1'])('knows an address however it is spelled: %s', async (address) => {
    const runDir = await aRunDir([{ type: 'pilot-seen', pilot: { ...seen.pilot, address } }, evicted]);
    for (const what of ['2001:db8::1', '2001:0DB8::0001']) expect((await ctl(runDir, 'trace', what)).exitCode).toBe(0);
    expect((await ctl(runDir, 'trace', '2001:db8::2')).exitCode).toBe(66);
  });

  it('is data for programs', async () => {
    const { out } = await ctl(await aRunDir([seen]), 'trace', '172.17.0.2', '--json');
    expect(JSON.parse(out)).toMatchObject({
      kind: 'Trace',
      pilots: [{ address: '172.17.0.2', imageId: 'sha256:feed' }],
    });
  });

  it('goes by when it was', async () => {
    const runDir = await aRunDir([seen, evicted]);
    expect((await ctl(runDir, 'trace', '172.17.0.2', '--at', '30s')).exitCode).toBe(0);
    expect((await ctl(runDir, 'trace', '172.17.0.2', '--at', '3h')).exitCode).toBe(66);
  });

  it('says whom it does not know', async () => {
    const runDir = await aRunDir([seen]);
    const said = async (what: string) => (await ctl(runDir, 'trace', what)).err;
    expect(await said('10.0.0.1')).toContain('no pilot was behind 10.0.0.1 then, as far as is known');
    expect(await said(String(process.pid))).toContain('is in no container');
    expect(await said('999999999')).toContain('no process 999999999 runs here now');
  });
});
