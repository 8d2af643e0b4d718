import { systemClock } from '../../src/clock.js';
import type { CliContext, DaemonMessage } from '../../src/cli/context.js';
import type { Daemon, DaemonOptions } from '../../src/daemon/options.js';
import { aHost } from './builders.js';

/** A context for verbs that records what they print and do. Signals come through `signal`. */
export interface RecordingContext extends CliContext {
  readonly stdout: string[];
  readonly stderr: string[];
  readonly messages: DaemonMessage[];
  /** Other programs that were run, as words joined by blanks. */
  readonly commands: string[];
  /** As if this process had got a signal. */
  signal(name: NodeJS.Signals): void;
}

/** A daemon that runs until it is told to stop, with nothing inside. */
export function idleDaemon(options: DaemonOptions): Daemon {
  return {
    run: async () => {
      options.onReady();
      await new Promise((resolve) => {
        options.signal.addEventListener('abort', resolve, { once: true });
        if (options.signal.aborted) resolve(undefined);
      });
      return { why: 'stopped' };
    },
    reload: () => undefined,
    wake: () => undefined,
  };
}

/** What a test may put in the place of the real thing. */
export interface ContextOverrides extends Partial<CliContext> {
  readonly createDaemon?: (options: DaemonOptions) => Daemon;
}

export function recordingContext(overrides: ContextOverrides = {}): RecordingContext {
  const { createDaemon = idleDaemon, ...others } = overrides;
  const listeners = new Map<string, () => void>();
  const stdout: string[] = [];
  const stderr: string[] = [];
  const messages: DaemonMessage[] = [];
  const commands: string[] = [];
  return {
    stdout,
    stderr,
    messages,
    commands,
    signal: (name) => listeners.get(name)?.(),
    version: '1.2.3',
    pid: process.pid,
    uid: 0,
    home: '/root',
    clock: systemClock,
    env: {},
    cliFile: '/nowhere/planctonctl.js',
    stdoutIsJournal: false,
    readerGone: new AbortController().signal,
    openTerminal: () => undefined,
    out: (text) => stdout.push(text),
    err: (text) => stderr.push(text),
    loadDaemon: () => Promise.resolve(createDaemon),
    readHost: () => Promise.resolve(aHost()),
    run: (file, args) => {
      commands.push([file, ...args].join(' '));
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    },
    onSignal: (name, listener) => listeners.set(name, listener),
    onCrash: () => undefined,
    kill: () => undefined,
    exit: (code) => {
      throw new Error(`the process would end with ${code}`);
    },
    tellParent: (message) => messages.push(message),
    ...others,
  };
}
