import { spawn, type ChildProcess } from 'node:child_process';
import type { CliContext, CliOptions, DaemonMessage } from './context.js';
import { exitCodes } from './exit-codes.js';

const readyDeadlineMs = 60_000;
/** As in the systemd unit: room in MB for what is short-lived. */
const NODE_FLAGS = ['--max-semi-space-size=4'];

/** The options of this command, to be given to another one. Values go with their name, so that none is taken for an option. */
function optionArguments(options: CliOptions): string[] {
  const valued = {
    logdir: options.logdir,
    rundir: options.rundir,
    pidfile: options.pidfile,
    confdir: options.confdir,
    policyfile: options.policyfile,
    engine: options.engine,
    'log-format': options.logFormat,
  };
  const given = Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return options.user === true ? ['--user', ...given] : given;
}

/** Resolves when the daemon has said how it is, or has ended without a word. */
function firstWord(child: ChildProcess): Promise<DaemonMessage> {
  return new Promise((resolve) => {
    child.once('message', (message) => {
      // Nobody else writes to this channel.
      resolve(message as DaemonMessage);
    });
    child.once('error', (error) => {
      resolve({ type: 'ended', exitCode: exitCodes.software, text: `cannot start the daemon: ${error.message}` });
    });
    child.once('exit', (code, signal) => {
      const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by ${signal}`;
      resolve({
        type: 'ended',
        exitCode: code === null || code === 0 ? exitCodes.software : code,
        text: `the daemon ended ${how} before it was ready`,
      });
    });
  });
}

/**
 * Starts the daemon in the background and waits until it is really up. Returns the exit code: 0, the daemon's own when it
 * ended, 75 when it has not said anything within a minute.
 */
export async function startDetached(context: CliContext, options: CliOptions, logFile: string): Promise<number> {
  const daemon = [context.cliFile, 'nodaemon', '--detached', ...optionArguments(options)];
  const child = spawn(process.execPath, [...NODE_FLAGS, ...daemon], {
    detached: true,
    cwd: '/',
    env: context.env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const deadline = new AbortController();
  const word = await Promise.race([
    firstWord(child),
    context.clock.sleep(readyDeadlineMs, deadline.signal).then(() => undefined),
  ]);
  deadline.abort();
  if (child.connected) child.disconnect();
  child.unref();
  if (word === undefined) {
    context.err(
      `plancton (pid ${child.pid ?? 'unknown'}) is not ready after ${readyDeadlineMs / 1000} s and goes on trying; see ${logFile}`,
    );
    return exitCodes.tryLater;
  }
  if (word.type === 'ended') {
    context.err(`planctonctl: ${word.text}\nits log is ${logFile}`);
    return word.exitCode;
  }
  context.out(`plancton is running (pid ${child.pid ?? 'unknown'}), its log is ${logFile}`);
  if (word.trouble !== undefined) context.err(`but: ${word.trouble}`);
  return exitCodes.ok;
}
