import { copyFileSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '../../report/status.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { askEngine, checkApi, checkDisk, tellProblems } from './checks.js';
import type { BootstrapContext, Companion } from './context.js';
import { createDemoView } from './demo-view.js';
import { provideDemoImage } from './demo-image.js';
import { writeDemoPolicy } from './policy.js';

const pollMs = 500;
const quickMs = 10_000;
const removalMs = 90_000;
const cgroupRoot = '/sys/fs/cgroup';

/** The files of one demo, all below its folder. */
function demoFiles(dir: string): { readonly confDir: string; readonly runDir: string; readonly logDir: string } {
  return { confDir: join(dir, 'conf'), runDir: join(dir, 'run'), logDir: join(dir, 'log') };
}

/**
 * The dry run for as long as somebody looks: in folders of its own below `dir`, seen by no service and gone with the first
 * SIGINT or SIGTERM, pilots and all. Returns the exit code.
 */
export async function runPrivateDemo(context: BootstrapContext, dir: string): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    context.onSignal(signal, () => {
      stop.abort();
    });
  }
  const engine = await askEngine(context);
  const problems = 'what' in engine ? [engine] : [...checkApi(context, engine), ...(await checkDisk(context, engine))];
  const exitCode = tellProblems(context, problems);
  if (exitCode !== exitCodes.ok) return exitCode;
  await provideDemoImage(context);
  if (stop.signal.aborted) return exitCodes.ok;

  const { confDir, runDir, logDir } = demoFiles(dir);
  for (const folder of [confDir, runDir, logDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  copyFileSync(context.places.demoConfig, join(confDir, 'config.yaml'));
  const verdict = await context.checkConfig(confDir);
  if (!verdict.ok) throw new CliError(exitCodes.software, verdict.problems.join('\n'));
  const policyFile = join(dir, 'policy', 'policy.yaml');
  writeDemoPolicy(policyFile, verdict.config);
  const options = ['--confdir', confDir, '--rundir', runDir, '--logdir', logDir, '--policyfile', policyFile];
  const daemon = context.spawnPlanctonctl(...options, 'nodaemon', '--detached');
  const instances = new Set<string>();
  try {
    return await show(context, { daemon, runDir, stop: stop.signal, instances });
  } finally {
    context.err('removing all pilots of the demo');
    const forceStop = context.spawnPlanctonctl(...options, 'force-stop');
    await settle(context, [forceStop, daemon]);
    await removeGroups(context, instances);
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Show {
  readonly daemon: Companion;
  readonly runDir: string;
  readonly stop: AbortSignal;
  /** Told which names the daemon goes by. */
  readonly instances: Set<string>;
}

/** Shows how the daemon is until told to stop, or until it ends by itself; returns the exit code. */
async function show(context: BootstrapContext, { daemon, runDir, stop, instances }: Show): Promise<number> {
  const ended = new AbortController();
  const exit = { code: exitCodes.ok as number };
  void daemon.ended.then((code) => {
    exit.code = code;
    ended.abort();
  });
  const either = AbortSignal.any([stop, ended.signal]);
  const view = createDemoView(context);
  while (!either.aborted) {
    const status: Status | undefined = context.readStatus(runDir);
    if (status !== undefined) {
      instances.add(status.instance);
      view.show(status);
    }
    await context.clock.sleep(pollMs, either);
  }
  if (stop.aborted) return exitCodes.ok;
  context.err(`the daemon of the demo has ended by itself (exit code ${exit.code}), which it should not`);
  return exit.code === exitCodes.ok ? exitCodes.software : exit.code;
}

/** Waits until all have ended; kills them when that takes too long, as when somebody stopped the engine. */
async function settle({ clock, err }: BootstrapContext, companions: readonly Companion[]): Promise<void> {
  const done = new AbortController();
  void clock.sleep(removalMs, done.signal).then(() => {
    if (done.signal.aborted) return;
    err(`the pilots are not gone after ${removalMs / 1000} s, giving up; see what is left with: docker ps -a`);
    for (const companion of companions) companion.kill();
  });
  await Promise.all(companions.map(({ ended }) => ended));
  done.abort();
}

/** The daemon keeps its control group for its next start; the demo has none. */
async function removeGroups(context: BootstrapContext, instances: ReadonlySet<string>): Promise<void> {
  for (const instance of instances) {
    await context.run('systemctl', ['stop', `plancton-${instance}.slice`], quickMs);
    const hierarchies = [cgroupRoot, ...foldersIn(cgroupRoot)];
    for (const root of hierarchies) {
      removeIfEmpty(join(root, 'plancton', instance));
      removeIfEmpty(join(root, 'plancton'));
    }
  }
}

function foldersIn(dir: string): string[] {
  try {
    return readdirSync(dir).map((name) => join(dir, name));
  } catch {
    return [];
  }
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // Not there, or in use by another daemon.
  }
}
