import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { redactUrl, type ConfigRepo } from '../../config/git/git-url.js';
import { CliError, exitCodes } from '../exit-codes.js';
import type { BootstrapContext } from './context.js';
import { readMarker, removeMarker, writeMarker, type Marker } from './marker.js';

const gitDeadlineMs = 10_000;

/** Where the configuration shall come from. */
export type Wanted = { readonly from: 'repository'; readonly repo: ConfigRepo } | { readonly from: 'dryrun' };

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function isEmpty(dir: string): boolean {
  return !existsSync(dir) || (statSync(dir).isDirectory() && readdirSync(dir).length === 0);
}

/** The marker, if it is about the folder that is there now. */
export function ownMarker({ places }: Pick<BootstrapContext, 'places'>): Marker | undefined {
  const marker = readMarker(places.stateDir);
  if (marker?.confDir !== places.confDir || !existsSync(places.confDir)) return undefined;
  return statSync(places.confDir).ino === marker.inode ? marker : undefined;
}

/** What a clone was made from, without credentials; undefined where the folder is none. */
async function originOf(context: BootstrapContext): Promise<string | undefined> {
  const file = join(context.places.confDir, '.git', 'config');
  if (!existsSync(file)) return undefined;
  // The file is read as data: git would refuse, or obey, the repository of somebody else.
  const ask = ['config', '--file', file, '--get', 'remote.origin.url'];
  const { stdout } = await context.run('git', ask, gitDeadlineMs);
  return redactUrl(stdout.trim());
}

/** Whether what is in the folder already is what is wanted. */
async function isSame(context: BootstrapContext, wanted: Wanted): Promise<boolean> {
  const { confDir, demoConfig } = context.places;
  const made = ownMarker(context)?.made;
  if (wanted.from === 'dryrun') {
    const file = join(confDir, 'config.yaml');
    return made?.from === 'dryrun' || (existsSync(file) && digest(file) === digest(demoConfig));
  }
  if (made?.from === 'repository') {
    return made.url === redactUrl(wanted.repo.url) && made.branch === wanted.repo.branch;
  }
  const origin = await originOf(context);
  if (origin === undefined) return false;
  // Credentials are kept apart from the clone, so that they may be missing on either side.
  return origin.replace('***@', '') === redactUrl(wanted.repo.url).replace('***@', '');
}

async function refusal(context: BootstrapContext): Promise<CliError> {
  const { confDir } = context.places;
  const origin = await originOf(context);
  const what = origin === undefined ? 'a configuration that bootstrap did not make' : `a clone of ${origin}`;
  const known = ownMarker(context) === undefined ? what : describe(ownMarker(context)?.made);
  return new CliError(
    exitCodes.cannotCreate,
    `${confDir} holds ${known} and is left alone; to keep it run \`planctonctl start\`, ` +
      `to replace it move it away first: mv ${confDir} ${confDir}.old`,
  );
}

function describe(made: Marker['made'] | undefined): string {
  if (made?.from === 'repository') return `the configuration from ${made.url}${made.branch ? `#${made.branch}` : ''}`;
  return 'the configuration of an earlier --dryrun';
}

/**
 * Puts the wanted configuration in its place, whole and checked, or throws a CliError (73, 78) and changes nothing. What is there
 * already stays if it is the same, and is refused if it is not.
 */
export async function placeConfiguration(context: BootstrapContext, wanted: Wanted): Promise<'made' | 'kept'> {
  const { confDir } = context.places;
  if (!isEmpty(confDir)) {
    if (!(await isSame(context, wanted))) throw await refusal(context);
    await refuseInvalid(context, confDir, confDir);
    return 'kept';
  }
  try {
    if (wanted.from === 'repository') await context.cloneConfig(wanted.repo, confDir);
    else copyDemo(context.places.demoConfig, confDir);
    await refuseInvalid(context, confDir, describeSource(wanted));
  } catch (error) {
    // It was empty before.
    rmSync(confDir, { recursive: true, force: true });
    throw error;
  }
  // Pilots that do not run as root may be given files of it.
  chmodSync(confDir, 0o755);
  const inode = statSync(confDir).ino;
  writeMarker(context.places.stateDir, { confDir, inode, made: noteOf(wanted, context.places.demoConfig) });
  return 'made';
}

function describeSource(wanted: Wanted): string {
  return wanted.from === 'repository' ? redactUrl(wanted.repo.url) : 'the demo configuration';
}

function noteOf(wanted: Wanted, demoConfig: string): Marker['made'] {
  if (wanted.from === 'dryrun') return { from: 'dryrun', sha256: digest(demoConfig) };
  const { url, branch } = wanted.repo;
  return { from: 'repository', url: redactUrl(url), ...(branch === undefined ? {} : { branch }) };
}

function copyDemo(demoConfig: string, confDir: string): void {
  mkdirSync(confDir, { recursive: true });
  copyFileSync(demoConfig, join(confDir, 'config.yaml'));
  chmodSync(join(confDir, 'config.yaml'), 0o644);
}

async function refuseInvalid(context: BootstrapContext, dir: string, name: string): Promise<void> {
  const verdict = await context.checkConfig(dir);
  if (verdict.ok) return;
  const text = [`the configuration in ${name} is not valid; mend it and run this again:`, ...verdict.problems].join(
    '\n',
  );
  throw new CliError(exitCodes.config, text);
}

/**
 * Removes the configuration if bootstrap made it and nobody changed it since. Returns a sentence on what came of it.
 */
export async function removeConfiguration(context: BootstrapContext): Promise<string> {
  const { confDir } = context.places;
  if (isEmpty(confDir)) return `there is no configuration in ${confDir}`;
  const made = ownMarker(context)?.made;
  if (made === undefined) return `${confDir} stays, as bootstrap did not make it`;
  const changed = made.from === 'dryrun' ? isDemoChanged(confDir, made.sha256) : await isCloneChanged(context);
  if (changed) return `${confDir} stays, as it holds changes that are nowhere else; remove it by hand`;
  rmSync(confDir, { recursive: true, force: true });
  removeMarker(context.places.stateDir);
  return `${confDir} was removed`;
}

function isDemoChanged(confDir: string, sha256: string): boolean {
  const names = readdirSync(confDir);
  return names.some((name) => name !== 'config.yaml') || digest(join(confDir, 'config.yaml')) !== sha256;
}

/** Edited or added files, or commits that no branch of the server has. Unknown counts as changed. */
async function isCloneChanged({ places, run }: BootstrapContext): Promise<boolean> {
  const git = ['-C', places.confDir, '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];
  const files = await run('git', [...git, 'status', '--porcelain', '--ignored'], gitDeadlineMs);
  // Only these of the daemon's refs are sure to have come from the server; a proven commit may have been made here.
  const fromServer = ['--remotes', '--glob=refs/plancton/accepted*', '--glob=refs/plancton/candidate*'];
  const commits = await run(
    'git',
    [...git, 'rev-list', '--max-count=1', 'HEAD', '--not', ...fromServer],
    gitDeadlineMs,
  );
  return [files, commits].some(({ exitCode, stdout }) => exitCode !== 0 || stdout.trim() !== '');
}
