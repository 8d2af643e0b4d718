import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPolicyFile } from '../policy/policy-file.js';
import { clearStop, readRunMode, requestMode } from '../observe/run-mode.js';
import { engineHost, type CliContext, type CliOptions } from './context.js';
import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { claimDirectories, resolvePaths } from './paths.js';
import { removePidFile } from './pid-file.js';
import { lockHolder } from './process-lock.js';
import { startDetached } from './start-detached.js';
import { removeStatusFile } from './status-file.js';
import { changeUnit, concernsUnit, unitIsUp } from './systemd-unit.js';

const pollMs = 200;
const stopDeadlineMs = 120_000;
const stopReportMs = 10_000;
const killDeadlineMs = 10_000;

/** Starts the daemon in the background, unless it runs already. Returns the exit code. */
export async function start(context: CliContext, options: CliOptions): Promise<number> {
  const { runDir, logFile, confDir, policyFile } = resolvePaths(options, context);
  const holder = lockHolder(runDir);
  if (holder !== undefined) return alreadyRunning(context, runDir, holder.pid);
  const byUnit = await isLeftToUnit(context, options);
  claimDirectories([runDir]);
  const mode = await readRunMode(runDir);
  if (mode === 'force-stop') return unfinishedForceStop(context);
  // Asked for earlier than this start; a drain however lasts until `resume`.
  await clearStop(runDir);
  const exitCode = byUnit ? await changeUnit(context, 'start') : await startDetached(context, options, logFile);
  if (exitCode !== exitCodes.ok) return exitCode;
  if (!existsSync(join(confDir, 'config.yaml')))
    context.out(`there is no config.yaml in ${confDir}: all is at its default`);
  const policy = await readPolicyFile(policyFile, context.uid);
  if (!policy.ok) context.out(policy.why);
  if (mode !== 'active') context.out('it is drained and starts no pilots until `planctonctl resume`');
  return exitCode;
}

/** A daemon started now would only remove pilots; a request to do so is taken back by nothing but another one. */
function unfinishedForceStop(context: CliContext): number {
  context.err(
    'a force-stop is not finished: `planctonctl force-stop` goes on with it, `planctonctl resume` calls it off; ' +
      'then start again',
  );
  return exitCodes.tryLater;
}

/** Whether systemd is to start the daemon. Throws a CliError (64) where we are and the engine's address is none. */
async function isLeftToUnit(context: CliContext, options: CliOptions): Promise<boolean> {
  if (await concernsUnit(context, options)) return true;
  engineHost(options, context);
  return false;
}

async function alreadyRunning(context: CliContext, runDir: string, pid: number | undefined): Promise<number> {
  if ((await readRunMode(runDir)) === 'force-stop') {
    context.err(`plancton (pid ${pid ?? 'unknown'}) is carrying out a force-stop; start it again when it is done`);
    return exitCodes.tryLater;
  }
  context.out(`plancton is already running (pid ${pid ?? 'unknown'})`);
  return exitCodes.ok;
}

/** Ends every drain, then starts. */
export async function forceStart(context: CliContext, options: CliOptions): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  await isLeftToUnit(context, options);
  claimDirectories([runDir]);
  await requestMode(runDir, 'active');
  return start(context, options);
}

/** Ends the daemon and leaves its pilots alone. Returns the exit code; not running is success. */
export async function stop(context: CliContext, options: CliOptions): Promise<number> {
  const paths = resolvePaths(options, context);
  if ((await concernsUnit(context, options)) && (await unitIsUp(context))) return changeUnit(context, 'stop');
  if (lockHolder(paths.runDir) === undefined) {
    removePidFile(paths.pidFile);
    context.out('plancton is not running');
    return exitCodes.ok;
  }
  sendSignal(context, paths.runDir, 'SIGTERM');
  if (!(await waitForStop(context, paths.runDir))) {
    context.err(`plancton has not stopped within ${stopDeadlineMs / 1000} s, killing it`);
    sendSignal(context, paths.runDir, 'SIGKILL');
    if (!(await waitUntilGone(context, paths.runDir, killDeadlineMs))) {
      throw new CliError(
        exitCodes.tryLater,
        'plancton could not be killed: it is stuck in the kernel; try again later',
      );
    }
    removePidFile(paths.pidFile);
    removeStatusFile(paths.runDir);
  }
  context.out('plancton has stopped; its pilots go on');
  return exitCodes.ok;
}

/** Whether the daemon was gone in time; says what is waited for, as a daemon that hangs takes all of that time. */
async function waitForStop(context: CliContext, runDir: string): Promise<boolean> {
  for (let waitedMs = stopReportMs; ; waitedMs += stopReportMs) {
    if (await waitUntilGone(context, runDir, stopReportMs)) return true;
    if (waitedMs >= stopDeadlineMs) return false;
    const pid = lockHolder(runDir)?.pid ?? 'unknown';
    context.err(
      `waiting for plancton (pid ${pid}) to end, for ${waitedMs / 1000} s now; ` +
        `after ${stopDeadlineMs / 1000} s it is killed (SIGKILL), and its pilots go on`,
    );
  }
}

/** Has the daemon read its configuration again. Throws a CliError (69) when there is none. */
export function reload(context: CliContext, options: CliOptions): number {
  const { runDir } = resolvePaths(options, context);
  if (lockHolder(runDir) === undefined)
    throw new CliError(exitCodes.unavailable, 'plancton is not running, there is nothing to reload');
  sendSignal(context, runDir, 'SIGHUP');
  context.out('plancton reads its configuration again; `planctonctl status` tells what came of it');
  return exitCodes.ok;
}

/** Whether the daemon of a run directory was gone within `deadlineMs`. */
export async function waitUntilGone(context: CliContext, runDir: string, deadlineMs: number): Promise<boolean> {
  const endMs = context.clock.now().monoMs + deadlineMs;
  while (lockHolder(runDir) !== undefined) {
    if (context.clock.now().monoMs >= endMs) return false;
    await context.clock.sleep(pollMs);
  }
  return true;
}

function sendSignal(context: CliContext, runDir: string, signal: NodeJS.Signals): void {
  const pid = lockHolder(runDir)?.pid;
  if (pid === undefined) return;
  try {
    context.kill(pid, signal);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ESRCH') return;
    throw new CliError(
      exitCodes.noPermission,
      `cannot signal plancton (pid ${pid}): ${code ?? String(error)}; run this as the user who started it`,
      { cause: error },
    );
  }
}
