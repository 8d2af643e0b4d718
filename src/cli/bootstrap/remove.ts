import { CliError, exitCodes } from '../exit-codes.js';
import { checkRoot, tellProblems } from './checks.js';
import { removeConfiguration } from './configuration.js';
import type { BootstrapContext } from './context.js';
import { removePolicy } from './policy.js';
import { removeService } from './service.js';

export interface RemoveOptions {
  /** Remove running pilots as well. */
  readonly forceStop: boolean;
}

/** Undoes what bootstrap did; running pilots finish unless told otherwise. Returns the exit code. Can be repeated. */
export async function removeInstallation(context: BootstrapContext, { forceStop }: RemoveOptions): Promise<number> {
  const problems = tellProblems(context, checkRoot(context));
  if (problems !== exitCodes.ok) return problems;
  if (forceStop) {
    // Before anything else, as it takes the configuration and the daemon that know the pilots.
    const exitCode = await context.planctonctl('force-stop');
    if (exitCode !== exitCodes.ok) {
      throw new CliError(exitCode, 'nothing was removed, since pilots may still run; try again without --force-stop');
    }
  }
  await removeService(context);
  context.out(removePolicy(context));
  context.out(await removeConfiguration(context));
  context.out(forceStop ? 'plancton is off this host' : 'plancton is off this host; pilots that still run will finish');
  return exitCodes.ok;
}
