import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { KnownSecrets } from '../daemon/known-secrets.js';
import { createPolicyGate, type PolicyGate } from '../daemon/policy-gate.js';
import { tryPilot } from '../daemon/try-pilot.js';
import type { HostFacts, PilotEnd } from '../model.js';
import { MACHINE_ID_FILE, readInstance } from '../observe/instance.js';
import { createHostPolicy } from '../policy/policy-file.js';
import { readConfigInUse } from './config-files.js';
import { engineHost, type CliContext, type CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { engineTrouble, openEngine } from './known-pilots.js';
import { createLineWriter } from './line-writer.js';
import { ownPlaces, resolvePaths, type Paths } from './paths.js';
import { formatAge } from '../report/status-words.js';

export interface TryOptions extends CliOptions {
  /** In place of `docker_cmd`; empty: that. */
  readonly command: readonly string[];
}

/** As shells tell of a process that was killed. */
const KILLED = 137;
const INTERRUPTED = 130;

/** What stands between the configuration and pilots, as in the daemon. */
function openGate(context: CliContext, paths: Paths, { host, dataRoot }: { host: string; dataRoot: string }) {
  const remote = !host.startsWith('unix:');
  const own = ownPlaces(paths, context.cliFile, host);
  const hidden = remote ? [] : [dataRoot];
  return createPolicyGate({
    hostPolicy: createHostPolicy(paths.policyFile, context.uid),
    ...{ clock: context.clock, uid: context.uid, remote },
    own: () => ({ ...own, hidden: [...own.hidden, ...hidden] }),
  });
}

/** The configuration in use, as the policy of this host leaves it. Throws a CliError (78) where no pilot may be started from it. */
async function allowedConfig(context: CliContext, paths: Paths, host: HostFacts, gate: PolicyGate): Promise<Config> {
  const result = loadConfig(await readConfigInUse(paths.confDir, host.hostname), host);
  if (!result.ok) {
    throw new CliError(exitCodes.config, 'the configuration in use is not valid: planctonctl config check');
  }
  const { config, clamps, refusals } = await gate.narrow(result.config);
  if (refusals.length > 0) throw new CliError(exitCodes.config, refusals.join('\n'));
  for (const clamp of clamps) context.err(clamp);
  return config;
}

/** Aborted when the pilot is to stop. Who asks again ends at once, and leaves it to `reap`. */
function stopSignal(context: CliContext): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    context.onSignal(signal, () => {
      if (stop.signal.aborted) context.exit(KILLED);
      stop.abort();
    });
  }
  context.readerGone.addEventListener('abort', () => {
    stop.abort();
  });
  return stop.signal;
}

function endText(
  { exitCode, oomKilled, startedWallMs, finishedWallMs }: PilotEnd,
  { fizzle_seconds: fizzle }: Config,
): string {
  const why = oomKilled ? 'was killed for want of memory' : `ended with exit code ${exitCode}`;
  if (startedWallMs === undefined || finishedWallMs === undefined) return `it ${why}`;
  const seconds = (finishedWallMs - startedWallMs) / 1000;
  const short =
    seconds < fizzle
      ? `, sooner than fizzle_seconds (${formatAge(fizzle)}): of several like this no more would be started for a while`
      : '';
  return `it ${why} after ${formatAge(seconds)}${short}`;
}

/**
 * Runs one pilot just as the daemon would start it, prints what it writes, and removes it; it counts for no cap. Returns its exit code;
 * throws a CliError where there is none to be had (69, 77, 78).
 */
export async function tryOut(context: CliContext, options: TryOptions): Promise<number> {
  const paths = resolvePaths(options, context);
  const host = await context.readHost();
  const address = engineHost(options, context);
  const secrets = new KnownSecrets();
  const engine = await openEngine(context, options, (text) => secrets.hide(text));
  const { dataRoot } = await engine.info().catch(async (error: unknown) => {
    throw await engineTrouble(error);
  });
  const gate = openGate(context, paths, { host: address, dataRoot });
  const config = await allowedConfig(context, paths, host, gate);
  secrets.know(config);
  const signal = stopSignal(context);
  const writer = createLineWriter((line) => {
    context.out(line);
  });
  const ended = await tryPilot({
    ...{ clock: context.clock, engine, host, config, signal },
    remote: !address.startsWith('unix:'),
    instance: await readInstance(paths.runDir, MACHINE_ID_FILE, host.hostname),
    command: options.command.length === 0 ? undefined : options.command,
    seed: Math.floor(Math.random() * 2 ** 31),
    violations: (settings, asked) => gate.violations(settings, asked),
    onText: (text) => {
      writer.write(text);
    },
    tell: (text) => {
      context.err(text);
    },
  }).catch(async (error: unknown) => {
    const trouble = await engineTrouble(error);
    throw signal.aborted ? new CliError(INTERRUPTED, `interrupted: ${trouble.message}`) : trouble;
  });
  writer.end();
  context.err(ended === undefined ? 'it is gone, and nobody knows how it ended' : endText(ended, config));
  return ended?.exitCode ?? KILLED;
}
