import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { examples } from './pilot-image.js';
import type { PrivateEngine } from './private-engine.js';

const catalog = '127.0.0.1:9097';
const managerPort = 9123;
/** The first of the two consecutive ports of the foremen. */
export const foremanPort = 9080;
const workDeadlineMs = 600_000;

/** Debian's makeflow is built with MPI, which wants a launcher that is not there. */
const mpiSettings = [
  'OMPI_MCA_ess_singleton_isolated=1',
  'OMPI_MCA_btl=self',
  'OMPI_ALLOW_RUN_AS_ROOT=1',
  'OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1',
];

/** Fixed work for one CPU; the same busybox does it on the host and in a pilot. Tells what it took. */
const jobText = `BEGIN {
  getline begin < "/proc/uptime"; close("/proc/uptime")
  sum = 0
  for (i = 0; i < size; i++) sum = (sum * 31 + i + rule) % 1000003
  getline end < "/proc/uptime"
  getline stat < "/proc/self/stat"; split(stat, field)
  image = ENVIRON["PILOT_IMAGE"] ? ENVIRON["PILOT_IMAGE"] : "none"
  print rule, sum, image, begin + 0, end + 0, field[14] + field[15]
}
`;

export interface Work {
  readonly rules: number;
  /** Rounds of arithmetic per rule; a million is a third of a CPU second or so. */
  readonly size: number;
  /** What one rule asks for, MB; more than any worker has keeps them all waiting. 16 unless told otherwise. */
  readonly memoryMb?: number;
}

/** What one rule says about itself. */
export interface RuleResult {
  readonly rule: number;
  readonly sum: number;
  /** The image of the pilot that ran it; `none` on a bare worker. */
  readonly image: string;
  readonly wallMs: number;
  readonly cpuMs: number;
}

export interface WorkDone {
  readonly results: readonly RuleResult[];
  /** Rules that makeflow counted as failed or aborted. */
  readonly failures: number;
  readonly exitCode: number;
}

export interface RunningWork {
  readonly done: Promise<WorkDone>;
  /** Rules done so far. */
  completed(): Promise<number>;
}

/** A Work Queue site in the network of a private engine: one manager at a time, two foremen, a catalog of its own. */
export interface WorkQueue {
  /** Has rules computed by whoever connects to the foremen. Work must be done before more is begun. */
  begin(work: Work): Promise<RunningWork>;
  /** Workers without containers, each started again when it ends, for as long as `until` is pending. */
  runBareWorkers(count: number, command: string, until: Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** The right result of a rule. */
export function expectedSum(rule: number, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i += 1) sum = (sum * 31 + i + rule) % 1000003;
  return sum;
}

export async function startWorkQueue(engine: PrivateEngine): Promise<WorkQueue> {
  const dir = await mkdtemp(join(engine.dir, 'work-queue-'));
  const children = new Set<ChildProcess>();

  function spawnIn(cwd: string, log: string, argv: readonly string[]): ChildProcess {
    const child = engine.spawnInNetwork('env', ['-C', cwd, ...argv]);
    // Nobody may wait for a full pipe.
    const file = createWriteStream(join(cwd, log));
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    child.once('close', () => file.end());
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  // Without its own address in -u it would report to one on the internet.
  const catalogOptions = ['-p', '9097', '-I', '127.0.0.1', '-u', catalog, '-n', 'localhost', '-H', 'history'];
  spawnIn(dir, 'catalog.log', ['catalog_server', ...catalogOptions, '-L', 'updates']);

  function startForemen(cwd: string): readonly ChildProcess[] {
    return [0, 1].map((index) => {
      const name = ['--foreman-name', `foreman-${index}`, '--foreman-port', String(foremanPort + index)];
      const argv = ['work_queue_worker', ...name, '-C', catalog, '-b', '2', '127.0.0.1', String(managerPort)];
      return spawnIn(cwd, `foreman-${index}.log`, argv);
    });
  }

  async function begin(work: Work): Promise<RunningWork> {
    const cwd = await mkdtemp(join(dir, 'flow-'));
    await writeFile(join(cwd, 'job.awk'), jobText);
    await writeFile(join(cwd, 'Makeflow'), makeflowText(work));
    const options = ['-T', 'wq', '-p', String(managerPort), '-N', 'plancton-test', '-C', catalog];
    const makeflow = spawnIn(cwd, 'makeflow.log', [...mpiSettings, 'makeflow', ...options, 'Makeflow']);
    const foremen = startForemen(cwd);
    return { done: finish(cwd, makeflow, foremen), completed: async () => (await resultFiles(cwd)).length };
  }

  async function runBareWorkers(count: number, command: string, until: Promise<unknown>): Promise<void> {
    const cwd = await mkdtemp(join(dir, 'bare-'));
    await mkdir(join(cwd, 'bin'));
    await copyFile(join(examples, 'work-queue-worker.sh'), join(cwd, 'bin', 'work_queue_worker'));
    const environment = [`PATH=${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}`, `TMPDIR=${cwd}`];
    const loop = `while [ ! -e ended ]; do ${command}; done`;
    const workers = Array.from({ length: count }, (_, index) =>
      spawnIn(cwd, `worker-${index}.log`, [...environment, 'busybox', 'sh', '-c', loop]),
    );
    await until.catch(() => undefined);
    await writeFile(join(cwd, 'ended'), '');
    await Promise.all(workers.map(ended));
  }

  async function stop(): Promise<void> {
    await Promise.all([...children].map(end));
  }
  return { begin, runBareWorkers, stop };
}

function makeflowText({ rules, size, memoryMb = 16 }: Work): string {
  const rule = (index: number) =>
    `result.${index}: job.awk\n\tbusybox awk -v rule=${index} -v size=${size} -f job.awk > result.${index}\n`;
  const needs = `CORES=1\nMEMORY=${memoryMb}\nDISK=16\n`;
  return [needs, ...Array.from({ length: rules }, (_, index) => rule(index + 1))].join('\n');
}

async function finish(cwd: string, makeflow: ChildProcess, foremen: readonly ChildProcess[]): Promise<WorkDone> {
  const deadline = new AbortController();
  void systemClock.sleep(workDeadlineMs, deadline.signal).then(() => {
    if (!deadline.signal.aborted) makeflow.kill('SIGKILL');
  });
  await ended(makeflow);
  deadline.abort();
  await Promise.all(foremen.map(end));
  const texts = (await resultFiles(cwd)).map((name) => readFile(join(cwd, name), 'utf8'));
  // Lines are: time, rule, new state, ...; 3 is failed, 4 aborted.
  const log = await readFile(join(cwd, 'Makeflow.makeflowlog'), 'utf8');
  return {
    results: (await Promise.all(texts)).map(readResult),
    failures: log.split('\n').filter((line) => /^\d+ \d+ [34] /.test(line)).length,
    exitCode: makeflow.exitCode ?? -1,
  };
}

async function resultFiles(cwd: string): Promise<string[]> {
  return (await readdir(cwd)).filter((name) => name.startsWith('result.'));
}

function readResult(text: string): RuleResult {
  const [rule, sum, image = '', begin, end, ticks] = text.trim().split(' ');
  return {
    rule: Number(rule),
    sum: Number(sum),
    image,
    wallMs: Math.round((Number(end) - Number(begin)) * 1000),
    cpuMs: Number(ticks) * 10,
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await ended(child);
}
