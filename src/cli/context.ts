import type { Clock } from '../clock.js';
import type { Daemon, DaemonOptions } from '../daemon/options.js';
import type { HostFacts } from '../model.js';
import { engineForms, isEngineAddress } from './engine-address.js';
import { CliError, exitCodes } from './exit-codes.js';
import type { Account, PathOptions } from './paths.js';
import type { LogFormat } from './log-output.js';
import type { Terminal } from './terminal.js';

/** The options that every verb takes. */
export interface CliOptions extends PathOptions {
  /** Address of the container engine. */
  readonly engine?: string;
  readonly logFormat?: LogFormat;
}

/** What came of another program. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a daemon in the background tells the `start` that waits for it. */
export type DaemonMessage =
  | { readonly type: 'ready'; readonly trouble?: string }
  | { readonly type: 'ended'; readonly exitCode: number; readonly text: string };

/** The world as the verbs see it: all they are and may do, so that tests can hand in another one. */
export interface CliContext extends Account {
  /** `VERSION+REVISION` or `VERSION`. */
  readonly version: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that runs this command; started again for the background. */
  readonly cliFile: string;
  /** Stdout goes to the journal, which has times of its own. */
  readonly stdoutIsJournal: boolean;
  /** Aborted when nobody reads what is printed any more (`| head`): no reason to end for a daemon, but for who only prints. */
  readonly readerGone: AbortSignal;
  /** Takes the terminal over, if there is one that can be drawn on. */
  openTerminal(onKey: (key: string) => void): Terminal | undefined;
  /** Prints one line, or several. */
  out(text: string): void;
  err(text: string): void;
  /** Loads what a daemon is made of (engine, git ...), which takes time that most verbs need not spend. */
  loadDaemon(): Promise<(options: DaemonOptions) => Daemon>;
  readHost(): Promise<HostFacts>;
  /** Runs a program with a deadline; a missing program has exit code 127. Never rejects. */
  run(file: string, args: readonly string[], deadlineMs: number): Promise<CommandResult>;
  onSignal(signal: NodeJS.Signals, listener: () => void): void;
  /** Told of an error that nobody caught; the process must end then. */
  onCrash(listener: (error: unknown) => void): void;
  /** Sends a signal to another process; throws what the system says. */
  kill(pid: number, signal: NodeJS.Signals): void;
  /** Ends this process at once. */
  exit(code: number): never;
  /** Tells the `start` that waits for us, if one does. */
  tellParent(message: DaemonMessage): void;
}

/** The engine to talk to: `--engine`, then `DOCKER_HOST`, then the usual socket. Throws a CliError (64) for what is no address. */
export function engineHost(options: CliOptions, context: Pick<CliContext, 'env'>): string {
  const address = options.engine ?? setting(context, 'DOCKER_HOST') ?? 'unix:///var/run/docker.sock';
  if (isEngineAddress(address)) return address;
  const origin = options.engine === undefined ? 'DOCKER_HOST' : '--engine';
  throw new CliError(exitCodes.usage, `${origin} is "${address}"; the address of a container engine is ${engineForms}`);
}

/** A variable of the environment; set to nothing counts as not set. */
export function setting(context: Pick<CliContext, 'env'>, name: string): string | undefined {
  const value = context.env[name];
  return value === '' ? undefined : value;
}
