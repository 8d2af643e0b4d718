import { dirname } from 'node:path';
import type { DaemonEnd, DaemonOptions } from '../daemon/options.js';
import { readEarly } from '../observe/early-reading.js';
import { createLogSink } from '../report/log-sink.js';
import { createLogger } from '../report/logger.js';
import type { Status } from '../report/status.js';
import { engineHost, type CliContext, type CliOptions } from './context.js';
import { DaemonFiles } from './daemon-files.js';
import { CliError, exitCodes, explainError } from './exit-codes.js';
import { handleSignals } from './handle-signals.js';
import { openLogOutput, type LogOutput } from './log-output.js';
import { planLog, wantedLogLevel } from './log-settings.js';
import { claimDirectories, createDirectories, ownPlaces, resolvePaths, type Paths } from './paths.js';
import { createServiceNotifier, type ServiceNotifier } from './service-notifier.js';
import { watchRunDirectory } from './watch-run-directory.js';

/** How a daemon is run. */
export interface RunManner {
  /** Nothing is said on stdout. */
  readonly quiet: boolean;
  /** Told after every cycle. */
  readonly onCycle?: (status: Status) => void;
  /** Ends the daemon like SIGTERM does. */
  readonly signal?: AbortSignal;
}

/** What the parts of one running daemon share. */
interface Run {
  readonly context: CliContext;
  readonly paths: Paths;
  /** Address of the container engine. */
  readonly engine: string;
  readonly manner: RunManner;
  readonly files: DaemonFiles;
  readonly logger: ReturnType<typeof createLogger>;
  readonly output: LogOutput;
  readonly notifier: ServiceNotifier;
  /** Aborted with a CliError as the reason where the daemon may not go on. */
  readonly stop: AbortController;
}

/**
 * Runs the daemon in this process until it ends; returns the exit code. Throws a CliError when it may not begin: another
 * one holds the run directory (75), a directory or file cannot be written (73).
 */
export async function runDaemon(context: CliContext, options: CliOptions, manner: RunManner): Promise<number> {
  const paths = resolvePaths(options, context);
  const level = wantedLogLevel(context);
  const engine = engineHost(options, context);
  const log = planLog(context, options, paths.logFile, manner.quiet);
  const logDirs = log.target === 'journal' ? [] : [paths.logDir];
  createDirectories([paths.confDir]);
  claimDirectories([paths.runDir, paths.stateDir, dirname(paths.pidFile), ...logDirs]);
  const files = await DaemonFiles.take(context, paths);
  try {
    const output = openLogOutput(log);
    const stop = new AbortController();
    const notifier = createServiceNotifier(context, stop.signal);
    const logger = createLogger(level, output);
    return await runLocked({ context, paths, engine, manner, files, logger, output, notifier, stop });
  } finally {
    files.release();
  }
}

async function runLocked(run: Run): Promise<number> {
  const { context, paths, files, logger, output, notifier, stop } = run;
  const early = readEarly(context.clock, '/proc');
  const createDaemon = await context.loadDaemon();
  files.announce();
  const daemon = createDaemon({ ...daemonOptions(run), early });
  function endNow(exitCode: number): void {
    files.remove();
    files.release();
    context.exit(exitCode);
  }
  handleSignals(context, { daemon, runDir: paths.runDir, logger, output, notifier, stop, endNow });
  context.onCrash((error) => {
    // In an unknown state nothing goes on; the service manager starts us afresh.
    context.exit(concludeBug(run, error));
  });
  const watching = watchRunDirectory(paths.runDir, context.clock, stop.signal, () => {
    daemon.wake();
  });
  try {
    return conclude(run, await daemon.run());
  } catch (error) {
    return concludeBug(run, error);
  } finally {
    stop.abort();
    await watching;
    await notifier.flush();
    await files.leave();
    output.close();
  }
}

function daemonOptions(run: Run): DaemonOptions {
  const { context, paths, engine, manner, notifier, logger, stop } = run;
  let trouble: string | undefined;
  return {
    clock: context.clock,
    version: context.version,
    confDir: paths.confDir,
    runDir: paths.runDir,
    stateDir: paths.stateDir,
    engineHost: engine,
    registryAuthFile: paths.registryAuthFile,
    policyFile: paths.policyFile,
    ownPlaces: ownPlaces(paths, context.cliFile, engine),
    uid: context.uid,
    env: context.env,
    signal: manner.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, manner.signal]),
    onEvent: createLogSink(logger),
    onReady: () => {
      notifier.ready();
      context.tellParent({ type: 'ready', ...(trouble === undefined ? {} : { trouble }) });
    },
    onCycle: (status) => {
      trouble = status.trouble;
      notifier.cycle(status);
      manner.onCycle?.(status);
      void keepStatus(run, status);
    },
  };
}

/** Ends the daemon, not its pilots, where the run directory has become somebody else's: two would start twice the pilots. */
async function keepStatus({ files, logger, stop }: Run, status: Status): Promise<void> {
  try {
    await files.keepStatus(status, logger);
  } catch (error) {
    logger.error(
      { reason: explainError(error).text },
      'the run directory was moved away or removed and cannot be had again: this daemon ends, pilots stay',
    );
    stop.abort(error);
  }
}

function conclude({ context, paths, stop }: Run, end: DaemonEnd): number {
  if (stop.signal.reason instanceof CliError) {
    const { exitCode, message } = stop.signal.reason;
    context.err(message);
    context.tellParent({ type: 'ended', exitCode, text: message });
    return exitCode;
  }
  if (end.why !== 'bad-config' && end.why !== 'no-config') {
    context.tellParent({ type: 'ended', exitCode: exitCodes.ok, text: `plancton has ended already: ${end.why}` });
    return exitCodes.ok;
  }
  const text = [`no valid configuration in ${paths.confDir}:`, ...end.problems].join('\n');
  context.err(text);
  const exitCode = end.why === 'no-config' ? exitCodes.tryLater : exitCodes.config;
  context.tellParent({ type: 'ended', exitCode, text });
  return exitCode;
}

function concludeBug({ context, logger }: Run, error: unknown): number {
  const { exitCode, text } = explainError(error);
  logger.fatal({ err: error }, 'daemon failed');
  context.err(text);
  context.tellParent({ type: 'ended', exitCode, text });
  return exitCode;
}
