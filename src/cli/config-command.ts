import type { Command } from 'commander';
import { join } from 'shlex';
import { loadConfig, type ConfigText, type LoadResult, type Origin } from '../config/load.js';
import { formatProblem, type ConfigProblem } from '../config/problem.js';
import { redactConfig } from '../config/redact.js';
import { renderJsonSchema, renderValue } from '../config/render.js';
import { keys, type Config, type Key, type KeyName } from '../config/schema.js';
import { withoutControls } from '../config/source-line.js';
import { tightenings, type Tightening } from '../config/tighten.js';
import type { HostFacts } from '../model.js';
import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { jsonText } from './json-text.js';

/** What the commands about the configuration need; they look at no engine and at no daemon. */
export interface ConfigCommandDeps {
  /** The folder of the configuration in use. */
  confDir(): string;
  host(): Promise<HostFacts>;
  /** The files that make up the configuration of this host, least specific first; with `file` only that one. */
  layers(file?: string): Promise<ConfigText[]>;
  /** Prints one line, or several. */
  out(text: string): void;
  err(text: string): void;
  /** Told the exit code of the command once it is done. */
  exit(code: number): void;
}

interface Loaded {
  readonly layers: readonly ConfigText[];
  readonly host: HostFacts;
  readonly result: LoadResult;
}

const apiVersion = 'plancton/v1';
const keyNames = Object.keys(keys) as KeyName[];

async function load(deps: ConfigCommandDeps, file?: string): Promise<Loaded> {
  const host = await deps.host();
  try {
    const layers = await deps.layers(file);
    return { layers, host, result: loadConfig(layers, host) };
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    const isForbidden = ['EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '');
    const message = `cannot read the configuration ${file ?? `in ${deps.confDir()}`}: ${error.message}`;
    throw new CliError(isForbidden ? exitCodes.noPermission : exitCodes.config, message, { cause: error });
  }
}

function problemsOf(result: LoadResult): readonly ConfigProblem[] {
  return result.ok ? result.warnings : result.problems;
}

function printProblems(deps: ConfigCommandDeps, { layers, result }: Loaded): void {
  for (const problem of problemsOf(result)) {
    deps.err(formatProblem(problem, layers.find(({ file }) => file === problem.file)?.text));
  }
}

function subjectOf(deps: ConfigCommandDeps, layers: readonly ConfigText[]): string {
  const files = layers.map(({ file }) => file).join(', ');
  return files === '' ? `no configuration in ${deps.confDir()}: the defaults` : withoutControls(files);
}

function tighteningText({ key, now, write, gain, price }: Tightening): string {
  return `  ${key}: ${write} instead of ${now}\n    gain: ${gain}\n    price: ${price}`;
}

/** The verdict over a configuration; 0 or 78. */
async function check(deps: ConfigCommandDeps, file: string | undefined, json: boolean): Promise<number> {
  const loaded = await load(deps, file);
  const { result, host, layers } = loaded;
  const exitCode = result.ok ? exitCodes.ok : exitCodes.config;
  if (json) {
    const effect = result.ok ? effectOf(result.config) : {};
    const files = layers.map((layer) => layer.file);
    deps.out(jsonText({ apiVersion, valid: result.ok, files, problems: problemsOf(result), ...effect }, 2));
    return exitCode;
  }
  printProblems(deps, loaded);
  const subject = subjectOf(deps, layers);
  if (!result.ok) {
    const errors = result.problems.filter(({ severity }) => severity === 'error').length;
    deps.err(`not valid (${errors === 1 ? 'one error' : `${errors} errors`}): ${subject}`);
    return exitCode;
  }
  const { max_docks: cap, docker_cmd: command } = result.config;
  deps.out(`valid: ${subject}`);
  deps.out(`max_docks on this host (${host.ncpus} CPUs): ${cap}`);
  deps.out(`docker_cmd: ${command.length === 0 ? 'the one of the image' : withoutControls(join(command))}`);
  const tighter = tightenings(result.config);
  if (tighter.length > 0) deps.out(['could be tighter:', ...tighter.map(tighteningText)].join('\n'));
  return exitCode;
}

/** What a configuration comes to on this host, for programs. */
function effectOf(config: Config): object {
  return { maxDocks: config.max_docks, command: config.docker_cmd, tightenings: tightenings(config) };
}

function originText(origin: Origin): string {
  return origin === 'default' ? 'default' : `${withoutControls(origin.file)}:${origin.line}`;
}

/** The values in force, each with its origin. */
async function show(deps: ConfigCommandDeps, json: boolean): Promise<number> {
  const loaded = await load(deps);
  printProblems(deps, loaded);
  const { result } = loaded;
  if (!result.ok) return exitCodes.config;
  const config = redactConfig(result.config);
  if (json) {
    deps.out(jsonText({ apiVersion, config, origins: result.origins }, 2));
    return exitCodes.ok;
  }
  const lines = keyNames.map((name) => {
    const { unit }: Key = keys[name];
    return { setting: `${name}: ${renderValue(config[name], unit)}`, origin: originText(result.origins[name]) };
  });
  const width = Math.min(60, Math.max(...lines.map(({ setting }) => setting.length)));
  deps.out(lines.map(({ setting, origin }) => `${setting.padEnd(width)}  # ${origin}`).join('\n'));
  return exitCodes.ok;
}

/** Adds `config check`, `config show` and `config schema`. */
export function addConfigCommands(program: Command, deps: ConfigCommandDeps): void {
  const config = program
    .command('config')
    .description('check or show the configuration; needs no engine and no daemon');
  config
    .command('check [file]')
    .description(
      'tell everything that is wrong with a file, or with the configuration in use, and what could be tighter',
    )
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: { json?: boolean }) => {
      deps.exit(await check(deps, file, options.json === true));
    });
  config
    .command('show')
    .description('print the values in force and where each comes from')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      deps.exit(await show(deps, options.json === true));
    });
  config
    .command('schema')
    .description('print the JSON Schema of configuration files, for editors')
    .action(() => {
      deps.out(renderJsonSchema().trimEnd());
      deps.exit(exitCodes.ok);
    });
}
