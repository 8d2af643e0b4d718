import { clearForceStop, readRunMode, requestMode } from '../observe/run-mode.js';
import type { Status } from '../report/status.js';
import { engineHost, type CliContext, type CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { engineTrouble, openEngine } from './known-pilots.js';
import { claimDirectories, resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { runDaemon } from './run-daemon.js';
import { waitUntilGone } from './start-stop.js';
import { readStatusFile } from './status-file.js';

const deadlineMs = 600_000;
const reportEveryMs = 5000;

/**
 * Removes all pilots and ends the daemon; does the daemon's part itself when none runs. Returns the exit code. Throws a CliError where
 * neither a daemon nor an engine is there (69), or the engine lets nobody in (77).
 */
export async function forceStop(context: CliContext, options: CliOptions): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  // Before the request is made: what cannot be carried out here must not wait for the next daemon.
  if (lockHolder(runDir) === undefined) engineHost(options, context);
  claimDirectories([runDir]);
  const isRepeated = (await readRunMode(runDir)) === 'force-stop';
  await requestMode(runDir, 'force-stop');
  await removeTrials(context, options);
  if (lockHolder(runDir) !== undefined) {
    context.err('the daemon removes all pilots and then ends; Ctrl-C stops only the waiting');
    if (!(await waitForDaemon(context, runDir))) return unfinished(context);
  }
  // A daemon takes the request away when it is carried out, however quickly; one that was killed half-way left it to us.
  const left = (await readRunMode(runDir)) === 'force-stop';
  return left ? removeAlone(context, options, isRepeated) : finished(context);
}

/** A daemon knows nothing of trials. Where they cannot be removed pilots cannot either, and that is told. */
async function removeTrials(context: CliContext, options: CliOptions): Promise<void> {
  const { runDir } = resolvePaths(options, context);
  const [{ trialInstance }, { MACHINE_ID_FILE, readInstance }] = await Promise.all([
    import('../daemon/try-pilot.js'),
    import('../observe/instance.js'),
  ]);
  const { hostname } = await context.readHost();
  const instance = trialInstance(await readInstance(runDir, MACHINE_ID_FILE, hostname));
  try {
    const engine = await openEngine(context, options);
    const trials = await engine.listPilots({ instance, adoptOriginal: false });
    await Promise.all(trials.map(({ id }) => engine.removePilot(id)));
  } catch (error) {
    if (!(error instanceof CliError)) await engineTrouble(error);
  }
}

/** Whether the daemon was gone in time; tells how far it is. */
async function waitForDaemon(context: CliContext, runDir: string): Promise<boolean> {
  const report = createReporter(context);
  for (let waitedMs = 0; waitedMs < deadlineMs; waitedMs += reportEveryMs) {
    if (await waitUntilGone(context, runDir, reportEveryMs)) return true;
    report(readStatusFile(runDir));
  }
  return false;
}

/** `isRepeated`: somebody has asked before us, and that request is not ours to take back. */
async function removeAlone(context: CliContext, options: CliOptions, isRepeated: boolean): Promise<number> {
  const { logFile, runDir } = resolvePaths(options, context);
  context.err(`no daemon is running, removing all pilots; the log is ${logFile}`);
  const giveUp = new AbortController();
  const finish = new AbortController();
  const report = createReporter(context);
  let absent: CliError | undefined;
  void context.clock.sleep(deadlineMs, finish.signal).then(() => {
    giveUp.abort();
  });
  let exitCode: number;
  try {
    exitCode = await runDaemon(context, options, {
      quiet: true,
      signal: giveUp.signal,
      onCycle: (status) => {
        absent ??= engineAbsence(status);
        if (absent === undefined) report(status);
        else giveUp.abort();
      },
    });
    if (absent !== undefined) throw absent;
  } catch (error) {
    // Where another daemon was quicker, it is the one to carry it out.
    const isHandedOver = !(error instanceof CliError) || error.exitCode === exitCodes.tryLater;
    if (!isRepeated && !isHandedOver) await clearForceStop(runDir);
    throw error;
  } finally {
    finish.abort();
  }
  if (exitCode !== exitCodes.ok) return exitCode;
  // Still there when it was given up, or interrupted.
  return (await readRunMode(runDir)) === 'force-stop' ? unfinished(context) : finished(context);
}

/** Why there is nothing to begin with: an engine that is lost later, or slow, is waited for. */
function engineAbsence({ cycles, engine, trouble }: Status): CliError | undefined {
  if (cycles > 1 || (engine.failure !== 'unreachable' && engine.failure !== 'forbidden')) return undefined;
  const exitCode = engine.failure === 'forbidden' ? exitCodes.noPermission : exitCodes.unavailable;
  return new CliError(exitCode, `no pilot was removed: ${trouble ?? `no engine at ${engine.host}`}`);
}

/** Says how far the work is, each time that there is something new to say. */
function createReporter(context: CliContext): (status: Status | undefined) => void {
  let said: string | undefined;
  return (status) => {
    if (status === undefined) return;
    const stuck = status.faults
      .filter(({ code }) => code === 'pilot-stuck')
      .map(({ what, said }) => `${what}: ${said ?? ''}`);
    const text = status.trouble ?? [`${status.pilots.length} pilots left`, ...stuck].join('; ');
    if (text !== said) context.err(text);
    said = text;
  };
}

function finished(context: CliContext): number {
  context.out('plancton has stopped and its pilots are gone');
  return exitCodes.ok;
}

function unfinished(context: CliContext): number {
  context.err(
    'not all pilots are gone yet; the request stays, and `planctonctl force-stop` or the next daemon goes on with it',
  );
  return exitCodes.tryLater;
}
