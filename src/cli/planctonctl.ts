import { existsSync, fstatSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock.js';
import type { CliContext } from './context.js';
import { endProcess } from './end-process.js';
import { exitCodes, systemErrorCode } from './exit-codes.js';
import { runProgram } from './program.js';
import { runCommand } from './run-command.js';
import { openTerminal } from './terminal.js';

const stdoutFd = 1;

const readerGone = new AbortController();
/** Why what was printed did not get out; undefined also where its reader has had enough. */
let lost: Error | undefined;

/** The first error counts: afterwards the stream only says that it is closed. */
function loseOutput(error: Error): void {
  if (!readerGone.signal.aborted && systemErrorCode(error) !== 'EPIPE') lost = error;
  readerGone.abort();
}

/** The commit that this was built from; undefined where it was not built in a clone. */
function readRevision(): string | undefined {
  const file = new URL('../revision', import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** `VERSION+REVISION`, as semver.org has it, or `VERSION`. */
function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version: unknown =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  const revision = readRevision();
  return revision === undefined ? String(version) : `${String(version)}+${revision}`;
}

/** The variable alone proves nothing: every program started below a service inherits it. */
function stdoutIsJournal(): boolean {
  const stat = fstatSync(stdoutFd, { bigint: true });
  return process.env['JOURNAL_STREAM'] === `${stat.dev}:${stat.ino}`;
}

function createContext(): CliContext {
  return {
    version: readVersion(),
    pid: process.pid,
    clock: systemClock,
    env: process.env,
    uid: process.getuid?.() ?? 0,
    home: homedir(),
    cliFile: fileURLToPath(new URL('../../bin/planctonctl.js', import.meta.url)),
    stdoutIsJournal: stdoutIsJournal(),
    readerGone: readerGone.signal,
    openTerminal,
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    loadDaemon: async () => (await import('../daemon/daemon.js')).createDaemon,
    readHost: async () =>
      (await import('../observe/host-facts.js')).readHostFacts({ clock: systemClock, procRoot: '/proc' }),
    run: runCommand,
    onSignal: (signal, listener) => process.on(signal, listener),
    onCrash: (listener) => process.on('uncaughtException', listener),
    kill: (pid, signal) => process.kill(pid, signal),
    exit: (code) => process.exit(code),
    tellParent: (message) => {
      // The parent may have stopped waiting.
      if (process.connected) process.send?.(message, () => undefined);
    },
  };
}

/** For a reader of our output that has stopped reading, as a journal that hangs. */
const outputDeadlineMs = 2000;

/** Ends the process when everything printed so far is out; what a library still holds open must not keep it. */
function exitAfterOutput(exitCode: number): void {
  void systemClock.sleep(outputDeadlineMs).then(() => endProcess(exitCode));
  process.stdout.write('', (error) => {
    if (error) loseOutput(error);
    const code = lost !== undefined && exitCode === exitCodes.ok ? exitCodes.cannotCreate : exitCode;
    const why = lost === undefined ? '' : `planctonctl: not all could be printed (${lost.message}); make room for it\n`;
    process.stderr.write(why, () => void endProcess(code));
  });
}

process.stdout.on('error', loseOutput);
process.stderr.on('error', () => undefined);
exitAfterOutput(await runProgram(createContext(), process.argv.slice(2)).catch(() => exitCodes.software));
