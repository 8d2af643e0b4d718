import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { it, onTestFinished } from 'vitest';
import { acquireProcessLock } from '../../src/cli/process-lock.js';
import { writeStatusFile } from '../../src/cli/status-file.js';
import { systemClock } from '../../src/clock.js';
import type { PilotStatus } from '../../src/report/status.js';
import { aStatus } from '../support/a-status.js';
import { quick } from './measure.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { median } from './statistics.js';

const rounds = quick ? 5 : 30;
const pilots = 200;
const cli = join(import.meta.dirname, '..', '..', 'bin', 'planctonctl.js');
const run = promisify(execFile);

function aPilot(number: number): PilotStatus {
  const suffix = String(number).padStart(6, '0');
  const rest = { image: 'busybox:latest', revision: 'feedc0de', cpus: 1, ageSeconds: number } as const;
  return { name: `plancton-worker-${suffix}`, id: suffix.repeat(2), state: 'running', ...rest };
}

/** What a daemon with so many pilots leaves behind, held by this process. */
async function aRunDir(): Promise<string> {
  const base = mkdtempSync(join(tmpdir(), 'plancton-bench-'));
  const runDir = join(base, 'run');
  mkdirSync(runDir, { mode: 0o700 });
  const attempt = await acquireProcessLock(runDir, process.pid, systemClock);
  if (!attempt.held) throw new Error('the lock is taken');
  onTestFinished(() => {
    attempt.lock.release();
    rmSync(base, { recursive: true });
  });
  const { wallMs, bootMs } = systemClock.now();
  const when = { at: new Date(wallMs).toISOString(), atBootMs: bootMs, nextCycleInSeconds: 3600 };
  writeStatusFile(runDir, aStatus({ ...when, pilots: Array.from({ length: pilots }, (_, number) => aPilot(number)) }));
  return runDir;
}

async function millisecondsOf(args: readonly string[]): Promise<number> {
  const { monoMs } = systemClock.now();
  await run(process.execPath, args);
  return systemClock.now().monoMs - monoMs;
}

it('answers people at once', async () => {
  const runDir = await aRunDir();
  const commands: Readonly<Record<string, readonly string[]>> = {
    'node -e 0': ['-e', '0'],
    ...Object.fromEntries(['status', 'explain', 'ps'].map((verb) => [verb, [cli, verb, `--rundir=${runDir}`]])),
  };
  const samples = Object.fromEntries(Object.keys(commands).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // In turn: what else the machine does is the same for all.
    for (const [name, args] of Object.entries(commands)) samples[name]?.push(await millisecondsOf(args));
  }
  const medianOf = (name: string) => median(samples[name] ?? []);
  const ratio = (name: string) => medianOf(name) / medianOf('node -e 0');
  report('commands', {
    head: [`${pilots} pilots, ${rounds} times in turn`, 'median, ms', 'of node -e 0'],
    rows: Object.keys(commands).map((name) => [name, Math.round(medianOf(name)), ratio(name)]),
    verdicts: ['status', 'explain', 'ps'].map((name) =>
      atMost(`${name} with ${pilots} pilots, of node -e 0`, 5, ratio(name)),
    ),
    raw: samples,
  });
});
