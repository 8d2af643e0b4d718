import type { ContainerSettings, PilotEnd, PilotSpec } from '../model.js';
import { EngineError, type ContainerEngine, type EngineInfo, type NamedPilot } from './container-engine.js';
import { statusOf } from './docker-call.js';
import { DockerConnection, type ConnectionOptions } from './docker-connection.js';
import { followEnds } from './docker-events.js';
import { dropImage, findImage, listImages, markImage, pullImage } from './docker-images.js';
import { createPilotList } from './docker-list.js';
import { followLog, logTail } from './docker-logs.js';
import { expectNothing, readContainerState, readCpuNs } from './docker-reply.js';
import { expectPilot, readContainerSettings } from './docker-settings.js';
import { startTroubleOf } from './start-trouble.js';
import { toCreateOptions } from './pilot-container.js';

const removalPollMs = 200;

export interface DockerEngineOptions extends ConnectionOptions {
  /** Docker `config.json` format, for private images; need not exist. */
  readonly registryAuthFile: string;
}

/** The port, spoken to a Docker Engine. No retries, no log, no decisions: those are the callers'. */
export function createDockerEngine(options: DockerEngineOptions): ContainerEngine {
  const { registryAuthFile } = options;
  const connection = new DockerConnection(options);
  return {
    info: () => connection.info(),
    listPilots: createPilotList(connection),
    createPilot: (spec, cgroupParent) => withStartTrouble(createPilot(connection, spec, cgroupParent)),
    settingsOf: (id, pilot) => settingsOf(connection, id, pilot),
    startPilot: (id) => withStartTrouble(startPilot(connection, id)),
    stopPilot: (id, stopSeconds) => stopPilot(connection, id, stopSeconds),
    pausePilot: (id) => pausePilot(connection, id),
    unpausePilot: (id) => unpausePilot(connection, id),
    removePilot: (id) => removePilot(connection, id),
    pilotEnd: (id) => pilotEnd(connection, id),
    logTail: (id, tail) => logTail(connection, id, tail),
    followLog: (id, listener) => followLog(connection, id, listener),
    followEnds: (listener) => followEnds(connection, listener),
    pilotCpuNs: (id) => pilotCpuNs(connection, id),
    findImage: (reference) => findImage(connection, reference),
    pullImage: (reference, onProgress, giveUp) =>
      pullImage(connection, { reference, registryAuthFile, onProgress, giveUp }),
    listImages: (instance) => listImages(connection, instance),
    markImage: (reference, instance, before) => markImage(connection, { reference, instance, before }),
    dropImage: (id, instance) => dropImage(connection, id, instance),
  };
}

async function createPilot(
  connection: DockerConnection,
  spec: PilotSpec,
  cgroupParent: string | undefined,
): Promise<string> {
  const _body = toCreateOptions(spec, cgroupParent, await connection.lastInfo());
  const call = {
    op: 'create',
    what: `Creating pilot ${spec.name}`,
    deadlineMs: connection.deadlines.createMs,
  } as const;
  return connection.call(call, async (docker, abortSignal) => {
    // Given as plain options everything would go into the URL as well, secrets in the environment too.
    const split: object = { _query: { name: spec.name }, _body, abortSignal };
    const { id }: { readonly id: unknown } = await docker.createContainer(split);
    if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id))
      throw new EngineError('malformed', `${call.what}: no id of a container came back`);
    return id;
  });
}

async function settingsOf(connection: DockerConnection, id: string, pilot: NamedPilot): Promise<ContainerSettings> {
  const settings = await inspect(connection, id, (reply) => {
    expectPilot(reply, id, pilot);
    return readContainerSettings(reply);
  });
  return (await isUsualRuntime(connection, settings.runtime)) ? { ...settings, runtime: '' } : settings;
}

/** Whether it is what the engine runs containers by that say nothing else. Where it does not tell, nobody knows better. */
async function isUsualRuntime(connection: DockerConnection, runtime: string): Promise<boolean> {
  // Podman calls all of them so.
  if (runtime === '' || runtime === 'oci') return true;
  const isUsual = ({ defaultRuntime }: EngineInfo) => defaultRuntime === '' || defaultRuntime === runtime;
  // An engine that reads its settings anew may have got another one.
  return isUsual(await connection.lastInfo()) || isUsual(await connection.info());
}

/** What it rejects with tells what the host lacks, if anything. */
async function withStartTrouble<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const start = error instanceof EngineError ? startTroubleOf(error) : undefined;
    if (start === undefined || !(error instanceof EngineError)) throw error;
    throw new EngineError(error.kind, error.message, { cause: error.cause, start });
  }
}

async function startPilot(connection: DockerConnection, id: string): Promise<void> {
  const what = `Starting pilot ${shortId(id)}`;
  await connection.call({ op: 'start', what, deadlineMs: connection.deadlines.startMs }, (docker, abortSignal) =>
    unlessRefused(docker.getContainer(id).start({ abortSignal }), [304]),
  );
  const { running, startedWallMs, status, error } = await inspect(connection, id, readContainerState);
  if (!running && startedWallMs === undefined) {
    throw new EngineError('refused', `${what}: it is still "${status}". ${error}`.trim());
  }
}

async function stopPilot(connection: DockerConnection, id: string, stopSeconds: number): Promise<void> {
  const t = Math.max(0, Math.ceil(stopSeconds));
  const what = `Stopping pilot ${shortId(id)}`;
  const call = { op: 'stop', what, deadlineMs: t * 1000 + connection.deadlines.stopMs } as const;
  await connection.call(call, (docker, abortSignal) =>
    unlessRefused(docker.getContainer(id).stop({ t, abortSignal }), [304, 404]),
  );
}

async function pausePilot(connection: DockerConnection, id: string): Promise<void> {
  const call = { op: 'pause', what: `Pausing pilot ${shortId(id)}`, deadlineMs: connection.deadlines.stopMs } as const;
  const paused = connection.call(call, (docker, abortSignal) =>
    unlessRefused(docker.getContainer(id).pause({ abortSignal }), []),
  );
  await unlessSo(paused, async () => (await inspect(connection, id, readContainerState)).status === 'paused');
}

async function unpausePilot(connection: DockerConnection, id: string): Promise<void> {
  const call = {
    op: 'unpause',
    what: `Unpausing pilot ${shortId(id)}`,
    deadlineMs: connection.deadlines.stopMs,
  } as const;
  const unpaused = connection.call(call, (docker, abortSignal) =>
    unlessRefused(docker.getContainer(id).unpause({ abortSignal }), []),
  );
  await unlessSo(unpaused, async () => (await inspect(connection, id, readContainerState)).status !== 'paused');
}

/** Waits for `reply`. A failure is none where what was asked for is so: versions refuse a second request with different statuses. */
async function unlessSo(reply: Promise<unknown>, isSo: () => Promise<boolean>): Promise<void> {
  try {
    await reply;
  } catch (error) {
    if (!(await isSo())) throw error;
  }
}

async function removePilot(connection: DockerConnection, id: string): Promise<void> {
  const { clock, deadlines } = connection;
  const call = { op: 'remove', what: `Removing pilot ${shortId(id)}`, deadlineMs: deadlines.removeMs } as const;
  // So that the engine's own answer is told, and not that there was none.
  const untilMs = clock.now().monoMs + deadlines.removeMs - 2 * removalPollMs;
  await connection.call(call, async (docker, abortSignal) => {
    const remove = () => docker.getContainer(id).remove({ force: true, v: true, abortSignal });
    // 409: somebody is removing it already. That may still fail; it is gone only when it is gone.
    const refusals = () => (clock.now().monoMs < untilMs ? [404, 409] : [404]);
    while ((await unlessRefused(remove(), refusals())) === 409) await clock.sleep(removalPollMs, abortSignal);
  });
}

async function pilotEnd(connection: DockerConnection, id: string): Promise<PilotEnd | undefined> {
  try {
    return (await inspect(connection, id, readContainerState)).end;
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

function inspect<T>(connection: DockerConnection, id: string, read: (reply: unknown) => T): Promise<T> {
  const what = `Inspecting pilot ${shortId(id)}`;
  const call = { op: 'inspect', what, deadlineMs: connection.deadlines.inspectMs } as const;
  return connection.call(call, async (docker, abortSignal) =>
    read(await docker.getContainer(id).inspect({ abortSignal })),
  );
}

function pilotCpuNs(connection: DockerConnection, id: string): Promise<number> {
  const what = `Reading the CPU time of pilot ${shortId(id)}`;
  const call = { op: 'stats', what, deadlineMs: connection.deadlines.inspectMs } as const;
  return connection.call(call, async (docker, abortSignal) => {
    const query = { stream: false, 'one-shot': true, abortSignal } as const;
    const cpuNs = readCpuNs(await docker.getContainer(id).stats(query));
    if (cpuNs === undefined) {
      throw new EngineError('refused', `${what}: it does not run, or the engine cannot read its cgroup`);
    }
    return cpuNs;
  });
}

/** Waits for a `reply` that says no more than "done". A refusal with one of these HTTP statuses is no failure, and is returned. */
async function unlessRefused(reply: Promise<unknown>, statuses: readonly number[]): Promise<number | undefined> {
  try {
    expectNothing(await reply);
    return undefined;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || !statuses.includes(status)) throw error;
    return status;
  }
}

function shortId(id: string): string {
  return id.slice(0, 12);
}
