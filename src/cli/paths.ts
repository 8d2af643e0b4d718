import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OwnPlaces } from '../policy/match-bind.js';
import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { unsafeFolder } from './own-files.js';

/** Where the files of one daemon are. All absolute. */
export interface Paths {
  readonly pidFile: string;
  readonly logDir: string;
  readonly logFile: string;
  /** Lock, status and the files that ask for a mode. */
  readonly runDir: string;
  readonly confDir: string;
  /** What may be deleted at any time. */
  readonly stateDir: string;
  readonly registryAuthFile: string;
  /** What the owner of the host allows pilots. */
  readonly policyFile: string;
}

/** The options that move files; absolute paths. */
export interface PathOptions {
  readonly user?: boolean;
  readonly logdir?: string;
  readonly rundir?: string;
  readonly pidfile?: string;
  readonly confdir?: string;
  readonly policyfile?: string;
}

/** Who runs the command. */
export interface Account {
  readonly uid: number;
  readonly home: string;
}

const rootPlaces = {
  pidFile: '/var/run/plancton.pid',
  logDir: '/var/log/plancton',
  runDir: '/var/run/plancton',
  confDir: '/etc/plancton',
  stateDir: '/var/lib/plancton',
  registryAuthFile: '/etc/plancton-registry.json',
  policyFile: '/etc/plancton-policy.yaml',
};

function placesBelow(home: string): typeof rootPlaces {
  const base = join(home, '.plancton');
  return {
    pidFile: join(base, 'run', 'plancton.pid'),
    logDir: join(base, 'log'),
    runDir: join(base, 'run'),
    confDir: join(base, 'conf'),
    stateDir: join(base, 'state'),
    registryAuthFile: join(base, 'registry.json'),
    policyFile: join(base, 'policy.yaml'),
  };
}

/**
 * Root keeps its files where the system does, everybody else (and root with `--user`) below the home directory. With a run
 * directory of its own a daemon also has its own pid file and state, apart from those of the one at the usual places.
 */
export function resolvePaths(options: PathOptions, account: Account): Paths {
  const usual = options.user === true || account.uid !== 0 ? placesBelow(account.home) : rootPlaces;
  const { rundir } = options;
  const near =
    rundir === undefined ? usual : { pidFile: join(rundir, 'plancton.pid'), stateDir: join(rundir, 'state') };
  const logDir = options.logdir ?? usual.logDir;
  return {
    runDir: rundir ?? usual.runDir,
    logDir,
    logFile: join(logDir, 'plancton.log'),
    pidFile: options.pidfile ?? near.pidFile,
    confDir: options.confdir ?? usual.confDir,
    stateDir: near.stateDir,
    registryAuthFile: usual.registryAuthFile,
    policyFile: options.policyfile ?? usual.policyFile,
  };
}

/** A path and what it leads to. */
function withTarget(path: string): readonly string[] {
  try {
    return [...new Set([path, realpathSync(path)])];
  } catch {
    return [path];
  }
}

/**
 * What is our own, and the engine's socket: who can write there is root, who can read some of it knows secrets. `cliFile`: of the installed program.
 * `engineHost`: its address, where it is known.
 */
export function ownPlaces(paths: Paths, cliFile: string, engineHost = ''): OwnPlaces {
  const { policyFile, registryAuthFile, runDir, stateDir, logDir, pidFile, confDir } = paths;
  const socket = engineHost.startsWith('unix://') ? [engineHost.slice('unix://'.length)] : [];
  const hidden = [policyFile, registryAuthFile, runDir, stateDir, logDir, pidFile, join(confDir, '.git'), ...socket];
  return {
    hidden: hidden.flatMap(withTarget),
    readOnly: [confDir, dirname(dirname(cliFile)), dirname(process.execPath)].flatMap(withTarget),
  };
}

/** Makes what is missing, for its owner only; leaves alone what is there. Throws a CliError (73) naming the directory. */
export function createDirectories(directories: readonly string[]): void {
  for (const directory of directories) {
    try {
      makeDirectory(directory);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CliError(
        exitCodes.cannotCreate,
        `cannot create the directory ${directory} (${reason}); make it, or choose another place with --rundir, --logdir, --pidfile or --confdir`,
        { cause: error },
      );
    }
  }
}

/**
 * Makes what is missing and takes the folders for ours. Throws a CliError (73) naming the one that cannot be made, or where others could
 * plant files and links in the place of ours.
 */
export function claimDirectories(directories: readonly string[]): void {
  createDirectories(directories);
  for (const directory of directories) {
    const why = unsafeFolder(directory);
    if (why === undefined) continue;
    throw new CliError(
      exitCodes.cannotCreate,
      `${directory} is not safe: ${why}; mend that, or choose another place with --rundir, --logdir or --pidfile`,
    );
  }
}

/**
 * Throws what the file system says. Not Node's recursive mkdir: that one never returns where the kernel says "no such file" below a
 * directory that is there, as in /proc.
 */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST' && statSync(directory).isDirectory()) return;
    const parent = dirname(directory);
    if (code !== 'ENOENT' || isThere(parent)) throw error;
    makeDirectory(parent);
    makeDirectory(directory);
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
