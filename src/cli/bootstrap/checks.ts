import { isAbsolute } from 'node:path';
import { accessSync, constants, existsSync } from 'node:fs';
import { EngineError, type EngineInfo } from '../../engine/container-engine.js';
import { exitCodes } from '../exit-codes.js';
import type { BootstrapContext, Places } from './context.js';
import { installHint, readOsRelease, type Package } from './distribution.js';

/** What the checks need of the world. */
export interface CheckContext extends Pick<BootstrapContext, 'uid' | 'clock' | 'run' | 'engineHost' | 'freeBytes'> {
  readonly places: Pick<Places, 'systemdRunDir' | 'osRelease' | 'nodeFile' | 'planctonctlFile'>;
  readonly engine: Pick<BootstrapContext['engine'], 'info'>;
}

/** Something that is not as it must be (or, a warning, should be), and what to do about it. */
export interface Problem {
  readonly what: string;
  readonly cure: string;
  readonly exitCode: number;
  /** What the distribution's package manager could mend. */
  readonly missing?: Package;
  readonly warning?: boolean;
}

const askDeadlineMs = 10_000;
const oldestApi = '1.41';
const tightBytes = 200 * 1024 ** 2;
const comfortableBytes = 2 * 1024 ** 3;
/** Before this nothing that we need was written. */
const earliestWallMs = Date.UTC(2025, 0, 1);

function hint(context: CheckContext, wanted: Package): string {
  return installHint(readOsRelease(context.places.osRelease), wanted);
}

export function checkRoot({ uid }: Pick<CheckContext, 'uid'>): Problem[] {
  if (uid === 0) return [];
  const cure = 'run it with sudo; without root use `planctonctl start`, which keeps everything below your home';
  return [{ what: 'setting up a host takes root', cure, exitCode: exitCodes.noPermission }];
}

export async function checkGit(context: CheckContext): Promise<Problem[]> {
  const { exitCode } = await context.run('git', ['--version'], askDeadlineMs);
  if (exitCode === 0) return [];
  return [
    { what: 'git is not installed', cure: hint(context, 'git'), exitCode: exitCodes.unavailable, missing: 'git' },
  ];
}

/** Where there is no systemd, cron has to start Plancton with the host. */
export async function checkCron(context: CheckContext): Promise<Problem[]> {
  if (existsSync(context.places.systemdRunDir)) return [];
  const { exitCode } = await context.run('crontab', ['-l'], askDeadlineMs);
  if (exitCode !== 127) return [];
  const what = 'there is neither systemd nor cron to start Plancton when the host boots';
  return [{ what, cure: hint(context, 'cron'), exitCode: exitCodes.unavailable, missing: 'cron' }];
}

export function checkPrograms({ places }: Pick<CheckContext, 'places'>): Problem[] {
  const problems: Problem[] = [];
  for (const file of [places.nodeFile, places.planctonctlFile]) {
    if (isAbsolute(file) && isReadable(file)) continue;
    const cure = 'install Plancton and Node where they stay, e.g. with npm install -g';
    problems.push({ what: `${file} cannot be read by the service`, cure, exitCode: exitCodes.unavailable });
  }
  return problems;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with the engine, or what it is. */
export async function askEngine(context: CheckContext): Promise<EngineInfo | Problem> {
  try {
    return await context.engine.info();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return engineProblem(context, error);
  }
}

function engineProblem(context: CheckContext, error: EngineError): Problem {
  const what = `no container engine at ${context.engineHost}: ${error.message}`;
  const exitCode = exitCodes.unavailable;
  if (error.kind === 'forbidden') {
    return { what, cure: 'run this as root, or as a member of the group docker', exitCode: exitCodes.noPermission };
  }
  if (error.kind === 'timeout') return { what, cure: 'it hangs: look at `journalctl -u docker`, restart it', exitCode };
  if (error.kind !== 'unreachable') return { what, cure: hint(context, 'engine'), exitCode };
  const elsewhere = 'start it (systemctl start docker), say where it is with DOCKER_HOST=unix:///path, or ';
  return { what, cure: elsewhere + hint(context, 'engine'), exitCode, missing: 'engine' };
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

export function checkApi(context: CheckContext, { version, apiVersion }: EngineInfo): Problem[] {
  if (!isOlder(apiVersion, oldestApi)) return [];
  const what = `the engine (${version}) speaks API ${apiVersion}; Plancton needs ${oldestApi} or newer`;
  return [{ what, cure: hint(context, 'engine'), exitCode: exitCodes.unavailable }];
}

export function checkCgroup({ cgroupDriver, rootless }: EngineInfo): Problem[] {
  if (cgroupDriver !== 'none' && !rootless) return [];
  const what = 'the engine runs without cgroups of ours: pilots share the CPUs with the owner instead of giving way';
  return [{ what, cure: 'use an engine that runs as root', exitCode: exitCodes.ok, warning: true }];
}

export async function checkDisk(
  context: Pick<CheckContext, 'freeBytes'>,
  { dataRoot }: EngineInfo,
): Promise<Problem[]> {
  const free = await context.freeBytes(dataRoot);
  if (free === undefined || free >= comfortableBytes) return [];
  const what = `only ${Math.floor(free / 1024 ** 2)} MiB are free in ${dataRoot}, where images and pilots live`;
  return [
    { what, cure: 'make room: docker system prune', exitCode: exitCodes.cannotCreate, warning: free >= tightBytes },
  ];
}

export async function checkClock(context: CheckContext): Promise<Problem[]> {
  const cure = 'set the clock and keep it right: timedatectl set-ntp true';
  const { wallMs } = context.clock.now();
  if (wallMs < earliestWallMs) {
    const what = `the clock says ${new Date(wallMs).toISOString()}, which cannot be`;
    return [{ what, cure, exitCode: exitCodes.unavailable }];
  }
  if (!existsSync(context.places.systemdRunDir)) return [];
  const { stdout } = await context.run('timedatectl', ['show', '--property=NTPSynchronized', '--value'], askDeadlineMs);
  if (stdout.trim() !== 'no') return [];
  return [{ what: 'nothing keeps the clock of this host right', cure, exitCode: exitCodes.ok, warning: true }];
}

/** Everything there is to complain about, at once. `forRepo`: a repository will be cloned. */
export async function checkHost(context: CheckContext, forRepo: boolean): Promise<readonly Problem[]> {
  const engine = await askEngine(context);
  const ofEngine =
    'what' in engine
      ? [engine]
      : [...checkApi(context, engine), ...checkCgroup(engine), ...(await checkDisk(context, engine))];
  return [
    ...checkRoot(context),
    ...(forRepo ? await checkGit(context) : []),
    ...(await checkCron(context)),
    ...checkPrograms(context),
    ...ofEngine,
    ...(await checkClock(context)),
  ];
}

/** Prints problems with their cures; returns the exit code of the first that is more than a warning. */
export function tellProblems(context: Pick<BootstrapContext, 'err'>, problems: readonly Problem[]): number {
  for (const { what, cure, warning } of problems) context.err(`${warning ? 'warning' : 'problem'}: ${what}; ${cure}`);
  return problems.find(({ warning }) => warning !== true)?.exitCode ?? exitCodes.ok;
}
