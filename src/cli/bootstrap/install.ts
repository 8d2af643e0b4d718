import type { ConfigRepo } from '../../config/git/git-url.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { checkHost, tellProblems, type Problem } from './checks.js';
import { placeConfiguration, removeConfiguration, type Wanted } from './configuration.js';
import type { BootstrapContext } from './context.js';
import { provideDemoImage } from './demo-image.js';
import { installCommands, readOsRelease } from './distribution.js';
import { placePolicy, type Consent } from './policy.js';
import { installService } from './service.js';
import { waitForPilots } from './wait-for-pilots.js';

const installDeadlineMs = 900_000;

export interface InstallOptions {
  /** Install what is missing with the distribution's package manager, and agree to the policy that the configuration needs. */
  readonly yes: boolean;
}

/** Sets this host up with the configuration of a repository and starts Plancton. Returns the exit code. */
export async function installRepository(
  context: BootstrapContext,
  repo: ConfigRepo,
  options: InstallOptions,
): Promise<number> {
  await prepareHost(context, { from: 'repository', repo }, options);
  await installService(context);
  tellNext(context);
  return exitCodes.ok;
}

/** Sets this host up with the default configuration for good, starts Plancton and waits for the first pilot. */
export async function installDryRun(context: BootstrapContext, options: InstallOptions): Promise<number> {
  await prepareHost(context, { from: 'dryrun' }, options);
  await provideDemoImage(context);
  await installService(context);
  const exitCode = await waitForPilots(context, context.places.runDir);
  tellNext(context);
  return exitCode;
}

/** Throws a CliError, with everything that is wrong already told, unless the host is fit and its configuration in place. */
async function prepareHost(context: BootstrapContext, wanted: Wanted, { yes }: InstallOptions): Promise<void> {
  const check = () => checkHost(context, wanted.from === 'repository');
  let problems = await check();
  if (yes && context.uid === 0 && (await installMissing(context, problems))) problems = await check();
  const exitCode = tellProblems(context, problems);
  if (exitCode !== exitCodes.ok) throw new CliError(exitCode, 'nothing was changed; mend this and run it again');
  const { confDir } = context.places;
  const came = await placeConfiguration(context, wanted);
  // Nobody else can change what the dry run does.
  const consent = yes || wanted.from === 'dryrun' ? 'given' : 'ask';
  try {
    await allow(context, consent);
  } catch (error) {
    if (came === 'made') await removeConfiguration(context);
    throw error;
  }
  context.out(came === 'made' ? `the configuration is in ${confDir}` : `${confDir} is as wanted already`);
}

async function allow(context: BootstrapContext, consent: Consent): Promise<void> {
  const verdict = await context.checkConfig(context.places.confDir);
  if (!verdict.ok) throw new CliError(exitCodes.config, verdict.problems.join('\n'));
  await placePolicy(context, verdict.config, consent);
}

/** Tells whether there was something to install. */
async function installMissing(context: BootstrapContext, problems: readonly Problem[]): Promise<boolean> {
  const osRelease = readOsRelease(context.places.osRelease);
  let installed = false;
  for (const { missing } of problems) {
    if (missing === undefined) continue;
    for (const [program = '', ...args] of installCommands(osRelease, missing)) {
      context.err(`installing: ${[program, ...args].join(' ')}`);
      const { exitCode, stderr } = await context.run(program, args, installDeadlineMs);
      if (exitCode !== 0) context.err(stderr.trim());
      installed = true;
    }
  }
  return installed;
}

function tellNext({ out }: BootstrapContext): void {
  out('look at it:  planctonctl status');
  out('see pilots:  watch docker ps -a');
  out('undo it:     plancton-bootstrap --remove');
}
