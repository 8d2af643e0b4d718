import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { addConfigCommands } from './config-command.js';
import { readConfigFile, readConfigFolder } from './config-files.js';
import type { CliContext, CliOptions } from './context.js';
import { engineForms, isEngineAddress } from './engine-address.js';
import { exitCodes, explainError } from './exit-codes.js';
import { forceStop } from './force-stop.js';
import { addHelpCommand } from './help-command.js';
import { logFormats } from './log-output.js';
import { changeMode } from './mode-commands.js';
import { addInsight } from './insight-commands.js';
import { ownPlaces, resolvePaths } from './paths.js';
import { addPolicyCommands } from './policy-command.js';
import { runDaemon } from './run-daemon.js';
import { runCommandLine } from './run-program.js';
import { forceStart, reload, start, stop } from './start-stop.js';
import { showStatus } from './status-command.js';

/** What stands below the help of planctonctl. */
export const epilogue = `
Files: root uses /etc/plancton, /var/log/plancton, /var/run/plancton; other users, and root with --user, use
~/.plancton/{conf,log,run}. Creating \`drain\` or \`force-stop\` in the run directory by hand works as well;
\`stop\` there counts only together with \`drain\` and makes it a drain-stop.
Environment: DOCKER_HOST (the engine), PLANCTON_LOG_LEVEL (debug, info, warn, error).
Signals: TERM and INT stop (pilots stay), HUP reloads, QUIT drains and stops, USR2 opens the log again.
Exit codes: 0 done, 64 usage, 66 no such file, 69 not running, 70 bug, 73 cannot write, 75 try later,
77 no permission, 78 configuration; \`status\`: 0 running, 1 dead, 3 stopped, 4 unknown.`;

type Verb = (options: CliOptions) => Promise<number> | number;

/** All verbs with what they do and how they are described. */
function verbsOf(context: CliContext): readonly (readonly [string, string, Verb])[] {
  return [
    ['start', 'start the daemon in the background', (options) => start(context, options)],
    [
      'force-start',
      'end every drain and call off every force-stop, then start',
      (options) => forceStart(context, options),
    ],
    ['stop', 'stop the daemon; pilots go on', (options) => stop(context, options)],
    ['force-stop', 'remove all pilots and stop the daemon', (options) => forceStop(context, options)],
    ['drain', 'start no new pilots until resume', (options) => changeMode(context, options, 'drain')],
    [
      'drain-stop',
      'start no new pilots, stop the daemon after the last',
      (options) => changeMode(context, options, 'drain-stop'),
    ],
    ['resume', 'end a drain', (options) => changeMode(context, options, 'active')],
    ['reload', 'have the daemon read its configuration now', (options) => reload(context, options)],
  ];
}

/** An absolute path; an empty one would mean the directory where one happens to be. */
function toPath(path: string): string {
  if (path === '') throw new InvalidArgumentError('It is empty; give a path.');
  return resolve(path);
}

function toEngine(address: string): string {
  if (!isEngineAddress(address)) throw new InvalidArgumentError(`It must be ${engineForms}.`);
  return address;
}

function addGlobalOptions(program: Command): void {
  program
    .option('--user', 'use the files below the home directory, also as root')
    .option('--confdir <dir>', 'where config.yaml is', toPath)
    .option('--rundir <dir>', 'for the lock, the status and the requests', toPath)
    .option('--logdir <dir>', 'for plancton.log', toPath)
    .option('--pidfile <file>', 'for the pid of the daemon', toPath)
    .option('--policyfile <file>', 'what pilots may have on this host', toPath)
    .option(
      '--engine <host>',
      `container engine, ${engineForms} (default: DOCKER_HOST, then the usual socket)`,
      toEngine,
    )
    .addOption(new Option('--log-format <format>', 'how log lines look').choices(logFormats));
}

function optionsOf(command: Command): CliOptions & { readonly json?: boolean; readonly detached?: boolean } {
  return command.optsWithGlobals();
}

function addVerbs(program: Command, context: CliContext, finish: (exitCode: number) => void): void {
  for (const [name, description, verb] of verbsOf(context)) {
    program
      .command(name)
      .description(description)
      .action(async (_own: unknown, command: Command) => {
        finish(await verb(optionsOf(command)));
      });
  }
  program
    .command('status')
    .description('tell whether the daemon runs, and how it is')
    .option('--json', 'as JSON')
    .action(async (_own: unknown, command: Command) => {
      finish(await showStatus(context, optionsOf(command)));
    });
  program
    .command('nodaemon')
    .description('run the daemon in the foreground')
    .addOption(new Option('--detached', 'say nothing on stdout').hideHelp())
    .action(async (_own: unknown, command: Command) => {
      const { detached, ...options } = optionsOf(command);
      finish(await runDaemon(context, options, { quiet: detached === true }));
    });
  program
    .command('reap')
    .description('remove pilots that are over, where no daemon does')
    .requiredOption('--expired', 'those past their time to live')
    .action(async (_own: unknown, command: Command) => {
      const { reap } = await import('./reap-command.js');
      finish(await reap(context, optionsOf(command)));
    });
  program
    .command('version')
    .description('print the version')
    .action(() => {
      context.out(context.version);
      finish(exitCodes.ok);
    });
}

function addConfig(program: Command, context: CliContext, finish: (exitCode: number) => void): void {
  const paths = () => resolvePaths(program.opts<CliOptions>(), context);
  const shared = {
    host: () => context.readHost(),
    layers: async (file?: string) => {
      const { hostname } = await context.readHost();
      return file === undefined ? readConfigFolder(paths().confDir, hostname) : [await readConfigFile(file)];
    },
    out: (text: string) => {
      context.out(text);
    },
    err: (text: string) => {
      context.err(text);
    },
    exit: finish,
  };
  addConfigCommands(program, { ...shared, confDir: () => paths().confDir });
  addPolicyCommands(program, {
    ...shared,
    uid: context.uid,
    policyFile: () => paths().policyFile,
    readFile: readConfigFile,
    own: () => ownPlaces(paths(), context.cliFile),
  });
}

/** Says to `program` all that planctonctl understands; `finish` is told the exit code of what ran. */
export function describe(program: Command, context: CliContext, finish: (exitCode: number) => void): void {
  program
    .description('Keeps every idle core of this host busy with pilot containers, and gets out of the way at once.')
    .version(context.version)
    .showHelpAfterError('(see planctonctl --help)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', epilogue);
  addGlobalOptions(program);
  addVerbs(program, context, finish);
  addConfig(program, context, finish);
  addInsight(program, context, finish, runProgram);
  for (const parent of [program, ...program.commands]) if (parent.commands.length > 0) addHelpCommand(parent);
}

/** Runs one command line (without the program's name); returns the exit code. Never rejects: what goes wrong is told on stderr. */
export async function runProgram(context: CliContext, args: readonly string[]): Promise<number> {
  return runCommandLine(
    context,
    {
      name: 'planctonctl',
      describe: (program, finish) => {
        describe(program, context, finish);
      },
      explain: (error) => {
        const explained = explainError(error);
        context.tellParent({ type: 'ended', ...explained });
        return explained;
      },
    },
    args,
  );
}
