import type { Daemon } from '../daemon/options.js';
import { requestMode } from '../observe/run-mode.js';
import type { createLogger } from '../report/logger.js';
import type { CliContext } from './context.js';
import type { LogOutput } from './log-output.js';
import type { ServiceNotifier } from './service-notifier.js';

/** What signals work on. */
export interface SignalTargets {
  readonly daemon: Daemon;
  readonly runDir: string;
  readonly logger: ReturnType<typeof createLogger>;
  readonly output: LogOutput;
  readonly notifier: ServiceNotifier;
  readonly stop: AbortController;
  /** Leaves nothing behind and ends the process. */
  endNow(exitCode: number): void;
}

/** First TERM or INT: an orderly end; second: at once. HUP reloads, QUIT drains and stops, USR2 opens the log again. */
export function handleSignals(context: Pick<CliContext, 'onSignal'>, targets: SignalTargets): void {
  const { daemon, logger, output, notifier, stop } = targets;
  const endings = [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const;
  for (const [signal, exitCode] of endings) {
    context.onSignal(signal, () => {
      if (stop.signal.aborted) {
        logger.warn({ signal }, 'asked to stop again, ending at once');
        targets.endNow(exitCode);
        return;
      }
      logger.info({ signal }, 'asked to stop');
      notifier.stopping();
      stop.abort();
    });
  }
  context.onSignal('SIGHUP', () => {
    logger.info('asked to reload');
    notifier.reloading();
    daemon.reload();
  });
  context.onSignal('SIGQUIT', () => {
    void drainAndStop(targets);
  });
  context.onSignal('SIGUSR1', () => {
    // Without a listener Node would open its inspector.
  });
  context.onSignal('SIGUSR2', () => {
    output.reopen();
    logger.info('log opened again');
  });
}

async function drainAndStop({ runDir, daemon, logger }: SignalTargets): Promise<void> {
  try {
    await requestMode(runDir, 'drain-stop');
    daemon.wake();
  } catch (error) {
    logger.error({ err: error }, 'cannot ask for a drain-stop');
  }
}
