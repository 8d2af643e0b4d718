import { loadConfig } from '../config/load.js';
import { keys, type Config } from '../config/schema.js';
import { ConfigSourceError } from '../config/source.js';
import { EngineError } from '../engine/container-engine.js';
import { discreet } from '../engine/discreet-engine.js';
import { createDockerEngine } from '../engine/docker-engine.js';
import { KnownSecrets } from '../daemon/known-secrets.js';
import { reapExpired, reapTrials } from '../daemon/reap-expired.js';
import type { HostFacts } from '../model.js';
import { MACHINE_ID_FILE, readInstance } from '../observe/instance.js';
import { narrow } from '../policy/narrow.js';
import { readPolicyFile } from '../policy/policy-file.js';
import { readConfigFolder } from './config-files.js';
import { engineHost, type CliContext, type CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { cycleMarginMs, isOverdue } from '../report/overdue.js';
import { ownPlaces, resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { readStatusFile } from './status-file.js';
import { formatAge } from '../report/status-words.js';

/**
 * Removes pilots past their time to live where no daemon does. Returns the exit code: 75 when some are still there. Throws a CliError
 * for an engine that does not answer (69, 77).
 */
export async function reap(context: CliContext, options: CliOptions): Promise<number> {
  const paths = resolvePaths(options, context);
  const { runDir, confDir, registryAuthFile, policyFile } = paths;
  const host = await context.readHost();
  const isWatched = isAtWork(context, runDir);
  // A daemon says itself what is wrong with it.
  const tell = isWatched
    ? () => undefined
    : (text: string) => {
        context.err(text);
      };
  const wanted = await readWanted(tell, confDir, host);
  const secrets = new KnownSecrets();
  secrets.know(wanted);
  const engine = discreet(
    createDockerEngine({ host: engineHost(options, context), clock: context.clock, registryAuthFile }),
    (text) => secrets.hide(text),
  );
  const instance = await readInstance(runDir, MACHINE_ID_FILE, host.hostname);
  const policy = await readPolicyFile(policyFile, context.uid);
  const own = ownPlaces(paths, context.cliFile);
  const config = policy.ok ? narrow(wanted, policy.policy, own).config : wanted;
  const around = { clock: context.clock, engine, host, instance, config };
  const remove = async () => {
    // A daemon says itself that its engine is away.
    const trials = await reapTrials(around).catch((error: unknown) => {
      if (isWatched && error instanceof EngineError) return [];
      throw error;
    });
    return [...trials, ...(isWatched ? [] : await reapExpired(around))];
  };
  const reaped = await remove().catch((error: unknown) => {
    if (!(error instanceof EngineError)) throw error;
    const code = error.kind === 'forbidden' ? exitCodes.noPermission : exitCodes.unavailable;
    throw new CliError(code, error.message, { cause: error });
  });
  for (const { name, ageMs, failure } of reaped) {
    if (failure === undefined) context.out(`${name}, ${formatAge(ageMs / 1000)} old, was removed`);
    else context.err(`${name}, ${formatAge(ageMs / 1000)} old, is still there: ${failure}`);
  }
  if (isWatched) context.out('the daemon runs, and does this itself');
  else if (reaped.length === 0) context.out('no pilot is past its time to live');
  return reaped.some(({ failure }) => failure !== undefined) ? exitCodes.tryLater : exitCodes.ok;
}

/** Whether a daemon ends its cycles. One that waits for its first configuration, or hangs, holds the lock and reaps nobody. */
function isAtWork({ clock }: CliContext, runDir: string): boolean {
  const status = lockHolder(runDir) === undefined ? undefined : readStatusFile(runDir);
  return status !== undefined && !isOverdue(status, clock.now().bootMs - status.atBootMs, cycleMarginMs);
}

/**
 * The configuration. Where there is none to be had nobody knows for how long pilots may live, and only what the policy of this host grants at
 * most ends them: a daemon that does not start for a slip in a file is no reason to end what may be in its right.
 */
async function readWanted(tell: (text: string) => void, confDir: string, host: HostFacts): Promise<Config> {
  const said =
    'the configuration is not valid (planctonctl config check): pilots may live as long as most_ttl of the policy says';
  const layers = await readConfigFolder(confDir, host.hostname).catch((error: unknown) => {
    if (error instanceof ConfigSourceError) return undefined;
    throw error;
  });
  const result = layers && loadConfig(layers, host);
  if (result?.ok === true) return result.config;
  tell(said);
  const defaults = loadConfig([], host);
  if (!defaults.ok) throw new Error('the defaults are no configuration');
  return { ...defaults.config, max_ttl: keys.max_ttl.schema.parse('365d') };
}
