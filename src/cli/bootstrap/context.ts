import type { ConfigRepo } from '../../config/git/git-url.js';
import type { Verdict } from '../../config/keeper.js';
import type { Config } from '../../config/schema.js';
import type { ContainerEngine } from '../../engine/container-engine.js';
import type { OwnPlaces } from '../../policy/match-bind.js';
import type { Status } from '../../report/status.js';
import type { CliContext } from '../context.js';

/** Where things are on the host. All absolute. */
export interface Places {
  readonly confDir: string;
  /** Holds the note on what bootstrap made. */
  readonly stateDir: string;
  /** What pilots may have on this host. */
  readonly policyFile: string;
  readonly runDir: string;
  readonly unitDir: string;
  /** Exists where systemd is PID 1; units in it are gone with the next boot. */
  readonly systemdRunDir: string;
  readonly osRelease: string;
  readonly nodeFile: string;
  readonly planctonctlFile: string;
  /** The folder of the unit templates in the package. */
  readonly templates: string;
  /** The configuration for `--dryrun` in the package. */
  readonly demoConfig: string;
}

/** A program that runs beside us. */
export interface Companion {
  /** Resolves to its exit code. */
  readonly ended: Promise<number>;
  /** Kills it, if it still runs. */
  kill(): void;
}

/** The world as bootstrap sees it, so that tests can hand in another one. */
export interface BootstrapContext extends Pick<CliContext, 'uid' | 'env' | 'clock' | 'out' | 'err' | 'run'> {
  readonly places: Places;
  /** Our own files and folders. */
  readonly own: OwnPlaces;
  /** `unix:///path` or `tcp://host:port`. */
  readonly engineHost: string;
  readonly engine: Pick<ContainerEngine, 'info' | 'findImage' | 'pullImage'>;
  /** Makes an image of one layer from a tar file. Rejects with a sentence. */
  importImage(tarFile: string, reference: string): Promise<void>;
  /** Free space of the file system that holds `path`, in bytes; undefined when that cannot be told. */
  freeBytes(path: string): Promise<number | undefined>;
  /** Runs one command line of planctonctl; returns its exit code. What it says goes to stderr. */
  planctonctl(...args: string[]): Promise<number>;
  /** Starts planctonctl with one command line, safe from the Ctrl-C that is meant for us. */
  spawnPlanctonctl(...args: string[]): Companion;
  onSignal(signal: NodeJS.Signals, listener: () => void): void;
  /** Somebody looks at stdout on a terminal that can be drawn on. */
  readonly stdoutIsTerminal: boolean;
  /** What the daemon of a run directory left last; undefined before its first cycle. */
  readStatus(runDir: string): Status | undefined;
  /** Clones into a folder that does not exist yet. Rejects with a sentence. */
  cloneConfig(repo: ConfigRepo, into: string): Promise<void>;
  /** The configuration in a folder, or what is wrong with it. */
  checkConfig(dir: string): Promise<Verdict<Config>>;
  /** Whether somebody at the terminal says yes; undefined: nobody is there. */
  ask(question: string): Promise<boolean | undefined>;
}
