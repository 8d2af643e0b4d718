import { randomUUID } from 'node:crypto';
import { simpleGit } from 'simple-git';
import type { Clock } from '../../clock.js';
import { fixedConfig, gitEnvironment, type Environment } from './git-environment.js';
import { endHelpers, RUN_MARK } from './git-helpers.js';
import { limitFile } from './git-limits.js';
import { redactUrl } from './git-url.js';

export interface GitClientOptions {
  /** The folder git runs in; must exist. */
  readonly dir: string;
  /** Holds what `writeGitSettings` wrote. */
  readonly settingsFolder: string;
  readonly env: Environment;
  /** The one protocol that may be spoken; undefined: none. Asked for each command. */
  readonly protocol: () => string | undefined;
  readonly clock: Clock;
  /** How long one command may take. */
  readonly deadlineMs: number;
}

/** A git command that failed; the message is git's own, without credentials. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure';
  readonly kind: 'failed' | 'timeout' | 'aborted' | 'flood';
  /** What git ended with, where it ended by itself. */
  readonly exitCode: number | undefined;

  constructor(kind: GitFailure['kind'], message: string, exitCode?: number) {
    super(message);
    this.kind = kind;
    this.exitCode = exitCode;
  }
}

/** What a git command that ended came to, whichever way. */
export interface GitReport {
  readonly exitCode: number;
  /** Its standard error. */
  readonly told: string;
}

/** Both methods reject with `GitFailure`, always within the deadline and a little. */
export interface GitClient {
  /** Resolves with the standard output. */
  run(args: readonly string[], signal?: AbortSignal): Promise<string>;
  /** For commands whose failure is an answer. */
  inspect(args: readonly string[], signal?: AbortSignal): Promise<GitReport>;
}

/** More than any listing of a sane repository. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;
/** How long a git that was told to stop may take. */
const STOP_GRACE_MS = 3_000;

/** The lines that say what went wrong, on one line and of bounded length. */
function gitMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/spawn \S+ ENOENT|git: not found/.test(text))
    return 'the command git was not found: install git, or add it to PATH';
  const lines = text.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) =>
    /^(fatal|error|remote|ssh|git):|errno=|Permission denied|Host key/i.test(line),
  );
  const chosen = telling.length > 0 ? telling : lines.filter((line) => line !== '').slice(-3);
  return redactUrl(chosen.join('; ').slice(0, 600)) || 'git failed without saying why';
}

interface GitEvents {
  readonly onFlood: () => void;
  readonly onExit: (report: GitReport) => void;
}

/** A git that stops when `abort` says so; it and all that it starts carry the mark. */
function prepareGit(options: GitClientOptions, mark: string, abort: AbortSignal, { onFlood, onExit }: GitEvents) {
  const { dir, settingsFolder, protocol } = options;
  const env = { ...gitEnvironment(settingsFolder, options.env, protocol()), [RUN_MARK]: mark };
  let bytes = 0;
  return simpleGit({
    baseDir: dir,
    abort,
    binary: ['/bin/sh', limitFile(settingsFolder)],
    config: fixedConfig(settingsFolder),
    allowEnvironment: Object.keys(env).filter((name) => name.startsWith('GIT_')),
    // These guard against arguments from strangers; all of ours are fixed or checked.
    unsafe: {
      allowUnsafeConfigPaths: true,
      allowUnsafeSshCommand: true,
      allowUnsafeHooksPath: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeFilter: true,
      allowUnsafeCustomBinary: true,
      allowUnsafeGitProxy: true,
      allowUnsafeGpgProgram: true,
      allowUnsafePack: true,
    },
    // The short cut "a moment after exit" would cut output short on a busy host.
    completion: { onClose: true, onExit: false },
    // By itself a failure that prints nothing would pass for a success.
    errors: (error, { exitCode, stdErr }) => {
      onExit({ exitCode, told: Buffer.concat(stdErr).toString() });
      return error ?? (exitCode === 0 ? undefined : Buffer.concat(stdErr));
    },
  })
    .env(env)
    .outputHandler((_command, stdout) => {
      stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_OUTPUT_BYTES) onFlood();
      });
    });
}

/** One command; `onExit` is told of it if it ended by itself. */
async function start(
  options: GitClientOptions,
  args: readonly string[],
  signal: AbortSignal | undefined,
  onExit?: (report: GitReport) => void,
): Promise<string> {
  const { clock, deadlineMs } = options;
  const stop = new AbortController();
  const done = new AbortController();
  let cause: GitFailure | undefined;
  let exitCode: number | undefined;
  let ending: Promise<void> | undefined;
  const mark = randomUUID();
  const giveUp = (failure: GitFailure) => {
    if (done.signal.aborted) return;
    cause ??= failure;
    stop.abort();
    ending ??= endHelpers(mark);
  };
  const onAbort = () => {
    giveUp(new GitFailure('aborted', 'git was told to stop'));
  };
  const events: GitEvents = {
    onFlood: () => {
      giveUp(new GitFailure('flood', `git printed more than ${MAX_OUTPUT_BYTES / 1024 / 1024} MiB`));
    },
    onExit: (report) => {
      exitCode = report.exitCode;
      if (!stop.signal.aborted) onExit?.(report);
    },
  };
  const overdue = async () => {
    await clock.sleep(deadlineMs, done.signal);
    const failure = new GitFailure('timeout', `git ${args[0] ?? ''} did not end within ${deadlineMs / 1000} s`);
    giveUp(failure);
    // Normally git is gone long before, and the race below is over.
    await clock.sleep(STOP_GRACE_MS, done.signal);
    throw failure;
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([prepareGit(options, mark, stop.signal, events).raw([...args]), overdue()]);
  } catch (error) {
    throw cause ?? new GitFailure('failed', gitMessage(error), exitCode);
  } finally {
    done.abort();
    await ending;
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Runs git with fixed settings and a deadline; arguments are ours or checked, never words of a configuration. */
export function createGitClient(options: GitClientOptions): GitClient {
  return {
    run: (args, signal) => start(options, args, signal),
    async inspect(args, signal) {
      let report: GitReport | undefined;
      try {
        await start(options, args, signal, (ended) => {
          report = ended;
        });
      } catch (error) {
        if (!(error instanceof GitFailure) || error.kind !== 'failed' || report === undefined) throw error;
      }
      if (report === undefined) throw new GitFailure('failed', `git ${args[0] ?? ''} ended without an exit code`);
      return report;
    },
  };
}
