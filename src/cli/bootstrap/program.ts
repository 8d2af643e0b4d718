import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import { parseConfigRepo } from '../../config/git/git-url.js';
import { ConfigSourceError } from '../../config/source.js';
import { CliError, exitCodes, explainError } from '../exit-codes.js';
import { runCommandLine } from '../run-program.js';
import type { BootstrapContext } from './context.js';
import { installDryRun, installRepository } from './install.js';
import { runPrivateDemo } from './private-demo.js';
import { removeInstallation } from './remove.js';

interface Options {
  readonly dryrun?: boolean;
  readonly yes?: boolean;
  readonly remove?: boolean;
  readonly forceStop?: boolean;
  readonly private?: string;
}

/** What stands below the help of plancton-bootstrap. */
export const epilogue = `
Examples:
  plancton-bootstrap --dryrun                       try it with the default configuration
  plancton-bootstrap mysite/plancton-conf:prod      branch prod of a repository on GitHub
  plancton-bootstrap git@git.example.org:conf.git   any other repository
  plancton-bootstrap --remove                       take it off this host again
A token in the URL (https://USER:TOKEN@...) shows in the process list until this has begun, and for as long as sudo runs: use a
deploy key (git@...), or a file of credentials and a clone of your own in /etc/plancton, as the README says under "Install it".
Files: the configuration goes to /etc/plancton, the service to /etc/systemd/system (root's crontab without systemd).
Exit codes: 0 done, 64 usage, 69 something is missing, 73 configured otherwise already, 75 no pilot yet,
77 not root, 78 configuration.`;

function usage(message: string): CliError {
  return new CliError(exitCodes.usage, `${message}; see plancton-bootstrap --help`);
}

/** Does what one command line asks for. Throws a CliError. */
async function carryOut(context: BootstrapContext, repo: string | undefined, options: Options): Promise<number> {
  const { dryrun = false, remove = false, forceStop = false, yes = false } = options;
  if ([repo !== undefined, dryrun, remove].filter(Boolean).length !== 1) {
    throw usage('say one of: a repository, --dryrun, --remove');
  }
  if (forceStop && !remove) throw usage('--force-stop goes with --remove only');
  if (options.private !== undefined) return runPrivateDemo(context, resolve(options.private));
  if (remove) return removeInstallation(context, { forceStop });
  if (repo === undefined) return installDryRun(context, { yes });
  const parsed = parseConfigRepo(repo);
  if (typeof parsed === 'string') throw new CliError(exitCodes.usage, parsed);
  return installRepository(context, parsed, { yes });
}

/** Says to `program` all that plancton-bootstrap understands; `finish` is told the exit code of what ran. */
export function describe(program: Command, context: BootstrapContext, finish: (exitCode: number) => void): void {
  program
    .description('Sets up this host: puts a configuration in place, starts Plancton now and at every boot.')
    .argument('[repo]', 'user/repo[:branch] on GitHub, or any git URL or path, with #branch')
    .option('--dryrun', 'use the default configuration instead of a repository')
    .option('--yes', 'install what is missing (git, Docker Engine), and agree to what pilots get')
    .option('--remove', 'undo it; running pilots finish')
    .option('--force-stop', 'with --remove: remove running pilots as well')
    .addOption(new Option('--private <dir>', 'with --dryrun: run in this folder until Ctrl-C').hideHelp())
    .addHelpText('after', epilogue)
    .showHelpAfterError('(see plancton-bootstrap --help)')
    .action(async (repo: string | undefined, options: Options) => {
      finish(await carryOut(context, repo, options));
    });
}

/** Runs one command line (without the program's name); returns the exit code and tells on stderr what went wrong. */
export async function runBootstrap(context: BootstrapContext, args: readonly string[]): Promise<number> {
  return runCommandLine(
    context,
    {
      name: 'plancton-bootstrap',
      describe: (program, finish) => {
        describe(program, context, finish);
      },
      explain,
    },
    args,
  );
}

/** A repository that cannot be had is nobody's bug. */
function explain(error: unknown): { readonly exitCode: number; readonly text: string } {
  if (!(error instanceof ConfigSourceError)) return explainError(error);
  const codes = { unreachable: exitCodes.unavailable, rejected: exitCodes.config, broken: exitCodes.cannotCreate };
  return { exitCode: codes[error.kind], text: error.message };
}
