import { withoutUserinfo } from '../config/source-line.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import { toPilotStatus, type PilotStatus } from '../report/status.js';
import { engineHost, type CliContext, type CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { cycleMarginMs, isOverdue } from '../report/overdue.js';
import { resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { NO_STATUS, readStatusFile } from './status-file.js';

export interface KnownPilots {
  /** The newest first. */
  readonly pilots: readonly PilotStatus[];
  /** `daemon`: as it saw them in its last cycle; `engine`: as it lists them now. */
  readonly source: 'daemon' | 'engine';
  /** Why the daemon was not asked; undefined: it was. */
  readonly why: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/** A connection to the engine, which says nothing that `hide` takes out; loaded only where it is needed: that takes longer than all the rest of a short command. */
export async function openEngine(
  context: CliContext,
  options: CliOptions,
  hide: (text: string) => string = withoutUserinfo,
): Promise<ContainerEngine> {
  const { createDockerEngine } = await import('../engine/docker-engine.js');
  const { discreet } = await import('../engine/discreet-engine.js');
  const { registryAuthFile } = resolvePaths(options, context);
  const engine = createDockerEngine({ host: engineHost(options, context), clock: context.clock, registryAuthFile });
  return discreet(engine, hide);
}

/** What an engine says that does not do what a command wants, as the end of that command. Rethrows what is none of that. */
export async function engineTrouble(error: unknown): Promise<CliError> {
  const { EngineError } = await import('../engine/container-engine.js');
  if (!(error instanceof EngineError)) throw error;
  const code = error.kind === 'forbidden' ? exitCodes.noPermission : exitCodes.unavailable;
  return new CliError(code, error.message, { cause: error });
}

function newestFirst(pilots: readonly PilotStatus[]): readonly PilotStatus[] {
  return [...pilots].sort((a, b) => a.ageSeconds - b.ageSeconds || (a.name < b.name ? -1 : 1));
}

/** The pilots of this host. Throws a CliError for an engine that does not answer (69, 77) where no daemon is at work. */
export async function knownPilots(context: CliContext, options: CliOptions): Promise<KnownPilots> {
  const { runDir } = resolvePaths(options, context);
  const { wallMs, bootMs, monoMs } = context.clock.now();
  const isThere = lockHolder(runDir) !== undefined;
  const status = isThere ? readStatusFile(runDir) : undefined;
  const hangs = status !== undefined && isOverdue(status, bootMs - status.atBootMs, cycleMarginMs);
  if (status !== undefined && !hangs) {
    return { pilots: newestFirst(status.pilots), source: 'daemon', at: status.at, why: undefined };
  }
  const why = hangs ? 'the daemon hangs' : isThere ? `the daemon ${NO_STATUS}` : 'no daemon runs';
  const [engine, host, { readInstance, MACHINE_ID_FILE }] = await Promise.all([
    openEngine(context, options),
    context.readHost(),
    import('../observe/instance.js'),
  ]);
  const instance = await readInstance(runDir, MACHINE_ID_FILE, host.hostname);
  const listed = await engine.listPilots({ instance, adoptOriginal: false }).catch(async (error: unknown) => {
    throw await engineTrouble(error);
  });
  const pilots = listed.map((pilot) => toPilotStatus(pilot, { wallMs, monoMs, bootMs }, host));
  return { pilots: newestFirst(pilots), source: 'engine', at: new Date(wallMs).toISOString(), why };
}
