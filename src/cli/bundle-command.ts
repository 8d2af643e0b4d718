import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config/load.js';
import { secretsOf } from '../daemon/known-secrets.js';
import type { HostFacts } from '../model.js';
import { readConfigInUse } from './config-files.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { resolvePaths } from './paths.js';
import { redactText } from './redact-text.js';
import { formatAge } from '../report/status-words.js';

export interface BundleOptions extends CliOptions {
  /** Undefined: a name made of host and date, in the current folder. */
  readonly file: string | undefined;
}

/** Runs one command line of planctonctl; what it says goes to the context. Never rejects. */
export type RunCommand = (context: CliContext, args: readonly string[]) => Promise<number>;

/** What goes into the bundle, by file. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'version.txt': ['version'],
  'doctor.txt': ['doctor'],
  'status.json': ['status', '--json'],
  'ps.json': ['ps', '--json'],
  'explain.txt': ['explain'],
  'history.txt': ['history', '--since', '3d'],
  'config.json': ['config', 'show', '--json'],
  'config-check.txt': ['config', 'check'],
  'policy.txt': ['policy', 'show'],
  'post-mortems.txt': ['post-mortem'],
};
const LOG_BYTES = 1_000_000;
/** What other programs say is taken up to 1 MiB, from its beginning. */
const LOG_LINES = '2000';
const DEADLINE_MS = 60_000;

/** The options that say which daemon is meant, as words. */
function words(options: CliOptions): readonly string[] {
  const { user, rundir, logdir, pidfile, confdir, policyfile, engine } = options;
  const given = Object.entries({ rundir, logdir, pidfile, confdir, policyfile, engine });
  const named = given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  return user === true ? ['--user', ...named] : named;
}

/** Everything a command says, and how it ended. */
async function capture(context: CliContext, run: RunCommand, args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const out = (text: string) => {
    said.push(text);
  };
  const exitCode = await run({ ...context, out, err: out }, args);
  return `${said.join('\n')}\n${exitCode === 0 ? '' : `(exit code ${exitCode})\n`}`;
}

/** The end of the log: of the file, or of the journal where there is none. */
async function readLog(context: CliContext, logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  // Half a secret would not be known for one.
  if (text !== '') return text.length > LOG_BYTES ? text.slice(text.indexOf('\n', text.length - LOG_BYTES) + 1) : text;
  const args = ['-u', 'plancton', '-n', LOG_LINES, '--no-pager'];
  const { exitCode, stdout, stderr } = await context.run('journalctl', args, DEADLINE_MS);
  return exitCode === 0 ? stdout : `${stdout}\n(journalctl ended with ${exitCode}: ${stderr.trim()})\n`;
}

/** Undefined: nobody can tell. */
async function knownSecrets(confDir: string, host: HostFacts): Promise<readonly string[] | undefined> {
  const layers = await readConfigInUse(confDir, host.hostname).catch(() => undefined);
  const result = layers && loadConfig(layers, host);
  return result?.ok === true ? secretsOf(result.config) : undefined;
}

function factsText(
  { hostname, ncpus, ramBytes }: HostFacts,
  { wallMs, bootMs }: ReturnType<CliContext['clock']['now']>,
): string {
  const lines = [
    `host ${hostname}, ${ncpus} CPUs, ${Math.round(ramBytes / 1e6)} MB of memory, up ${formatAge(bootMs / 1000)}`,
    `node ${process.version}, ${process.platform} ${process.arch}`,
    `written ${new Date(wallMs).toISOString()}`,
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Writes what a bug report needs into one file, without secrets, for its owner's eyes only. Returns the exit code; throws a CliError (73) where that
 * cannot be written, or is there already.
 */
export async function writeBundle(context: CliContext, options: BundleOptions, run: RunCommand): Promise<number> {
  const { logFile, confDir } = resolvePaths(options, context);
  const host = await context.readHost();
  const secrets = await knownSecrets(confDir, host);
  const now = context.clock.now();
  const stamp = new Date(now.wallMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const name = `plancton-${host.hostname.split('.')[0] ?? ''}-${stamp}`;
  const target = resolve(options.file ?? `${name}.tar.gz`);
  const base = await mkdtemp(join(tmpdir(), 'plancton-bundle-'));
  try {
    const folder = join(base, name);
    await mkdir(folder);
    const keep = (file: string, text: string) => writeFile(join(folder, file), redactText(text, secrets ?? []));
    await keep('host.txt', factsText(host, now));
    await keep('log.txt', await readLog(context, logFile));
    for (const [file, args] of Object.entries(COMMANDS)) {
      context.err(`planctonctl ${args.join(' ')}`);
      await keep(file, await capture(context, run, [...args, ...words(options)]));
    }
    const packed = join(base, 'bundle.tar.gz');
    const { exitCode, stderr } = await context.run('tar', ['-czf', packed, '-C', base, name], DEADLINE_MS);
    if (exitCode !== 0) throw new CliError(exitCodes.cannotCreate, `tar: ${stderr.trim()}`);
    await chmod(packed, 0o600);
    // Never over what is there, nor through a link that somebody has put there.
    await copyFile(packed, target, constants.COPYFILE_EXCL).catch((error: unknown) => {
      const code = systemErrorCode(error);
      const why = code === 'EEXIST' ? 'there is something of this name' : (code ?? String(error));
      throw new CliError(exitCodes.cannotCreate, `cannot write ${target}: ${why}; name another file`, { cause: error });
    });
    context.out(
      `${target} (${Math.ceil((await stat(target)).size / 1000)} kB): look through it before you send it to anybody`,
    );
    if (secrets === undefined)
      context.err(
        'the configuration cannot be read: values of docker_env and passwords of influxdb_url may be in there',
      );
    return exitCodes.ok;
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
