import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { runProgram } from '../../../src/cli/program.js';
import { writeStatusFile } from '../../../src/cli/status-file.js';
import type { Terminal } from '../../../src/cli/terminal.js';
import { cpuBar, formatTop, type TopView } from '../../../src/cli/top-text.js';
import type { PilotStatus } from '../../../src/report/status.js';
import { aStatus } from '../../support/a-status.js';
import { recordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

function pilot(name: string, ageSeconds: number): PilotStatus {
  return { name, id: name.repeat(12), state: 'running', image: 'busybox', revision: 'r', cpus: 1, ageSeconds };
}

function view(overrides: Partial<TopView> = {}): TopView {
  const status = aStatus({
    pilots: [pilot('b', 5), pilot('c', 90), pilot('a', 60)],
    holds: [{ gate: 'cap', text: '3 of 3' }],
  });
  return { columns: 100, rows: 24, color: false, order: 'newest', status, agoSeconds: 2, ...overrides };
}

const names = (lines: readonly string[]) => lines.map((line) => line[0]).filter((letter) => /[abc]/.test(letter ?? ''));

describe('a frame of top', () => {
  it('tells how the daemon is, whose the CPUs are, what limits it, and its pilots', () => {
    expect(formatTop(view())).toEqual([
      'wn042: 1/4 pilots, active; looked 2 s ago',
      '[#####+..................................] 8 CPUs: # 1.0 promised to pilots, + 0.3 used by others',
      'limited by 3 of 3',
      '',
      'NAME  STATE    AGE         CPUS  IMAGE',
      'b     running  7 s         1     busybox',
      'a     running  1 min 2 s   1     busybox',
      'c     running  1 min 32 s  1     busybox',
      '',
      'q quit   n newest first   o oldest first   a by name',
    ]);
  });

  it('has the pilots in the order that is asked for', () => {
    expect(names(formatTop(view({ order: 'oldest' })))).toEqual(['c', 'a', 'b']);
    expect(names(formatTop(view({ order: 'name' })))).toEqual(['a', 'b', 'c']);
  });

  it('is no larger than the terminal', () => {
    const pilots = Array.from({ length: 200 }, (_, index) => pilot(`p${index}`, index));
    const lines = formatTop(view({ columns: 30, rows: 12, status: aStatus({ pilots }) }));
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(30);
    expect(lines.join('\n')).toMatch(/\.\.\. and 196 more/);
  });

  it('has colours only where they are wanted', () => {
    const escapes = (lines: readonly string[]) => lines.join('').includes('\u001b[');
    expect([escapes(formatTop(view())), escapes(formatTop(view({ color: true })))]).toEqual([false, true]);
  });

  it('says that no daemon runs', () => {
    expect(formatTop(view({ status: 'plancton does not run' }))[0]).toBe('plancton does not run');
  });

  it('never draws more than there is', () => {
    const { capacity } = aStatus();
    if (capacity === undefined) throw new Error('no capacity');
    const crowded = cpuBar({ capacity: { ...capacity, promised: 7, foreign: 8 } });
    expect(crowded).toMatch(/^\[#{35}\+{5}\] 8 CPUs/);
    expect(cpuBar({ capacity: undefined })).toBe('not known yet');
  });
});

describe('planctonctl top', () => {
  async function aRunDir(): Promise<string> {
    const runDir = join(tempDirectory(), 'run');
    mkdirSync(runDir, { mode: 0o700 });
    const attempt = await acquireProcessLock(runDir, 4711, systemClock);
    if (!attempt.held) throw new Error('the lock is taken');
    onTestFinished(() => {
      attempt.lock.release();
    });
    writeStatusFile(runDir, aStatus({ atBootMs: systemClock.now().bootMs }));
    return runDir;
  }

  it('prints a line for each cycle where there is no terminal, until nobody reads', async () => {
    const runDir = await aRunDir();
    const gone = new AbortController();
    const context = recordingContext({ readerGone: gone.signal });
    const running = runProgram(context, ['top', `--rundir=${runDir}`]);
    await expect.poll(() => context.stdout.length).toBe(1);
    writeStatusFile(runDir, aStatus({ at: '2026-01-01T02:00:30.000Z', mode: 'drain' }));
    await expect.poll(() => context.stdout.length).toBe(2);
    writeFileSync(join(runDir, 'status.json'), '{"of":"another version"}');
    await expect.poll(() => context.stdout.length).toBe(3);
    gone.abort();
    expect(await running).toBe(0);
    expect(context.stdout[2]).toMatch(/ plancton is starting, or of another version$/);
    expect(context.stdout[0]).toMatch(/1\/4 pilots, active$/);
    expect(context.stdout[1]).toMatch(/1\/4 pilots, drain$/);
  });

  it('draws on a terminal, heeds keys, and gives it back', async () => {
    const runDir = await aRunDir();
    const written: string[] = [];
    let press: (key: string) => void = () => undefined;
    let isClosed = false;
    const terminal: Terminal = {
      write: (text) => written.push(text),
      size: () => ({ columns: 80, rows: 24 }),
      close: () => {
        isClosed = true;
      },
    };
    const context = recordingContext({
      env: { NO_COLOR: '1' },
      openTerminal: (onKey) => {
        press = onKey;
        return terminal;
      },
    });
    const running = runProgram(context, ['top', `--rundir=${runDir}`]);
    await expect.poll(() => written.length).toBeGreaterThan(1);
    const before = written.length;
    press('o');
    await expect.poll(() => written.length).toBeGreaterThan(before);
    press('q');
    expect(await running).toBe(0);
    expect(written[1]).toContain('wn042: 1/4 pilots, active');
    expect(written.at(-1)).toContain('\u001b[?1049l');
    expect(isClosed).toBe(true);
  });
});
