import { EngineError, type EngineInfo } from './container-engine.js';
import type { ImageSummary } from './image-mark.js';
import { fromEngineTime, pilotLabels, type ContainerSummary, type Labels } from './pilot-container.js';
import type { LocalImage, PilotEnd } from '../model.js';

/** An object of a reply, not looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** What an inspection tells about one container. */
export interface ContainerState {
  readonly status: string;
  readonly running: boolean;
  readonly startedWallMs: number | undefined;
  /** Why the engine could not start it; empty when it could. */
  readonly error: string;
  /** undefined: it has not ended. */
  readonly end: PilotEnd | undefined;
}

// A reply is whatever came over the wire: nothing is taken for granted, least of all that a strange reply means "nothing there".

export function readSummaries(reply: unknown): readonly ContainerSummary[] {
  if (!Array.isArray(reply)) throw malformed('a list of containers');
  return reply.map((entry) => {
    const fields = asFields(entry, 'container in the list');
    return {
      Id: text(fields, 'Id'),
      Names: texts(fields['Names'] ?? [], 'Names'),
      Image: text(fields, 'Image'),
      ImageID: typeof fields['ImageID'] === 'string' ? fields['ImageID'] : '',
      Created: number(fields, 'Created'),
      State: text(fields, 'State'),
      Status: text(fields, 'Status'),
      Labels: textRecord(fields['Labels'] ?? {}, 'Labels'),
      ...readNetwork(fields['NetworkSettings']),
    };
  });
}

/** Nice to know, and no reason to do without the list where it looks different. */
function readNetwork(settings: unknown): Pick<ContainerSummary, 'Address' | 'Mac'> {
  if (!isFields(settings) || !isFields(settings['Networks'])) return {};
  const networks = Object.values(settings['Networks']).filter(isFields);
  const having = (name: string) => networks.find((network) => textOrNothing(network[name]) !== undefined);
  // One of IPv6 alone has no such address, and a card all the same.
  const { IPAddress, MacAddress } = having('IPAddress') ?? having('MacAddress') ?? {};
  return { Address: textOrNothing(IPAddress), Mac: textOrNothing(MacAddress)?.toLowerCase() };
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readContainerState(reply: unknown): ContainerState {
  const state = asFields(asFields(reply, 'container')['State'], 'state of a container');
  const status = text(state, 'Status');
  const startedWallMs = fromEngineTime(text(state, 'StartedAt'));
  const ended = status === 'exited' || status === 'dead';
  return {
    status,
    running: number(state, 'Pid') > 0,
    startedWallMs,
    error: typeof state['Error'] === 'string' ? state['Error'] : '',
    end: ended
      ? {
          exitCode: number(state, 'ExitCode'),
          oomKilled: state['OOMKilled'] === true,
          startedWallMs,
          finishedWallMs: fromEngineTime(text(state, 'FinishedAt')),
        }
      : undefined,
  };
}

/** The end of a pilot of `instance`, out of one message of the stream of events; undefined when it tells something else. */
export function readEnd(
  reply: unknown,
  instance: string,
): { readonly id: string; readonly atWallMs: number } | undefined {
  const event = asFields(reply, 'event');
  if (event['Type'] !== 'container' || event['Action'] !== 'die') return undefined;
  const actor = asFields(event['Actor'], 'container of an event');
  const id = text(actor, 'ID');
  // It will be part of an address.
  if (!/^[0-9a-f]{64}$/.test(id)) throw malformed('id of a container');
  const labels = textRecord(actor['Attributes'] ?? {}, 'Attributes');
  const ours = labels[pilotLabels.managed] === 'true' && labels[pilotLabels.instance] === instance;
  return ours ? { id, atWallMs: number(event, 'timeNano') / 1e6 } : undefined;
}

/** CPU time in ns; undefined when the engine does not know: it then answers with zeroes and the zero date. */
export function readCpuNs(reply: unknown): number | undefined {
  const stats = asFields(reply, 'statistics');
  if (fromEngineTime(text(stats, 'read')) === undefined) return undefined;
  const cpu = asFields(stats['cpu_stats'], 'CPU statistics');
  return number(asFields(cpu['cpu_usage'], 'CPU usage'), 'total_usage');
}

const DAY_MS = 86_400_000;

export function readImage(reply: unknown): Pick<LocalImage, 'id' | 'createdWallMs'> {
  const fields = asFields(reply, 'image');
  const created = typeof fields['Created'] === 'string' ? fromEngineTime(fields['Created']) : undefined;
  // Builds that are to be the same each time say 1970.
  const isDated = created !== undefined && created > DAY_MS;
  return { id: text(fields, 'Id'), createdWallMs: isDated ? created : undefined };
}

export function readImageLabels(reply: unknown): Labels {
  const config = asFields(asFields(reply, 'image')['Config'] ?? {}, 'settings of an image');
  return textRecord(config['Labels'] ?? {}, 'Labels');
}

export function readImageSummaries(reply: unknown): readonly ImageSummary[] {
  if (!Array.isArray(reply)) throw malformed('a list of images');
  return reply.map((entry) => {
    const fields = asFields(entry, 'image in the list');
    return {
      Id: text(fields, 'Id'),
      ParentId: typeof fields['ParentId'] === 'string' ? fields['ParentId'] : '',
      // Null where an image has none.
      RepoTags: texts(fields['RepoTags'] ?? [], 'RepoTags'),
      RepoDigests: texts(fields['RepoDigests'] ?? [], 'RepoDigests'),
      Size: number(fields, 'Size'),
    };
  });
}

/** The ids of the images that a list of containers names. */
export function readUsedImageIds(reply: unknown): ReadonlySet<string> {
  if (!Array.isArray(reply)) throw malformed('a list of containers');
  return new Set(reply.map((entry) => text(asFields(entry, 'container in the list'), 'ImageID')));
}

/** The API versions the engine speaks. */
export function readApiRange(reply: unknown): { readonly newest: string; readonly oldest: string } {
  const fields = asFields(reply, 'version');
  return {
    newest: text(fields, 'ApiVersion'),
    oldest: typeof fields['MinAPIVersion'] === 'string' ? fields['MinAPIVersion'] : '1.0',
  };
}

export function readInfo(reply: unknown, apiVersion: string): EngineInfo {
  const fields = asFields(reply, 'engine info');
  const security = texts(fields['SecurityOptions'] ?? [], 'SecurityOptions');
  const has = (name: string) => security.some((option) => option.split(',').includes(`name=${name}`));
  const driver = fields['CgroupDriver'];
  return {
    version: text(fields, 'ServerVersion'),
    apiVersion,
    cgroupDriver: driver === 'systemd' || driver === 'cgroupfs' ? driver : 'none',
    cgroupVersion: fields['CgroupVersion'] === '2' ? 2 : 1,
    rootless: has('rootless'),
    appArmor: has('apparmor'),
    logDriver: textOrNothing(fields['LoggingDriver']) ?? '',
    defaultRuntime: textOrNothing(fields['DefaultRuntime']) ?? '',
    dataRoot: text(fields, 'DockerRootDir'),
  };
}

/** "Done" has no body; what has one is something else, such as the log-in page of a proxy. Throws an EngineError (malformed). */
export function expectNothing(reply: unknown): void {
  if (!Buffer.isBuffer(reply) || reply.length > 0) throw malformed('no more than a status');
}

/** What was untagged and deleted of an image, which is not looked at. Throws an EngineError (malformed). */
export function expectRemovals(reply: unknown): void {
  const isRemoval = (entry: unknown) => {
    const { Untagged, Deleted } = asFields(entry, 'what was removed');
    return typeof Untagged === 'string' || typeof Deleted === 'string';
  };
  if (!Array.isArray(reply) || reply.length === 0 || !reply.every(isRemoval))
    throw malformed('a list of what was removed');
}

/** Throws an EngineError (malformed) that names `what`. */
export function asFields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Buffer.isBuffer(value))
    throw malformed(what);
  return value as Fields;
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw malformed(name);
  return value;
}

export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw malformed(name);
  return value;
}

export function texts(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) throw malformed(what);
  return value;
}

function textRecord(value: unknown, what: string): Labels {
  const fields = asFields(value, what);
  texts(Object.values(fields), what);
  return fields as Labels;
}

function malformed(what: string): EngineError {
  return new EngineError('malformed', `The container engine sent something strange where ${what} was expected`);
}
