import type { Ownership } from './container-engine.js';
import type { DeviceSpec, Pilot, PilotSpec, PilotState } from '../model.js';

const labelPrefix = 'io.github.mconcas.plancton.';

/** The labels that make a container a pilot and carry what must survive the daemon. */
export const pilotLabels = {
  managed: `${labelPrefix}managed`,
  /** The container's name: tells a pilot from a container made of an image that was committed from one. */
  name: `${labelPrefix}name`,
  instance: `${labelPrefix}instance`,
  flavour: `${labelPrefix}flavour`,
  revision: `${labelPrefix}revision`,
  cpus: `${labelPrefix}cpus`,
  memoryBytes: `${labelPrefix}memory-bytes`,
  bootId: `${labelPrefix}boot-id`,
  spawnedBootMs: `${labelPrefix}spawned-boot-ms`,
  image: `${labelPrefix}image`,
} as const;

/** Where the host runs out of memory the kernel takes pilots before whatever its owner runs, which is at 0. */
const oomScoreAdjustment = 500;
/** A pilot that talks without end must not fill the host's disk. */
const logLimits = { 'max-size': '10m', 'max-file': '2' };
const cpuPeriodMicros = 100_000;

/** The name an original Plancton gives its containers. */
const originalName = /^plancton-worker-[0-9a-z]{6}$/;

/** Of a container or an image. */
export type Labels = Readonly<Record<string, string>>;

/** What one line of the engine's container list tells; everything else in it is ignored. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  /** Empty where the engine does not tell. */
  readonly ImageID: string;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly Labels: Labels;
  /** Its address in the first network that gave it one. */
  readonly Address?: string | undefined;
  /** Of its network card there. */
  readonly Mac?: string | undefined;
}

/** The body of a create request, in the engine's words. */
export interface CreateOptions {
  readonly Image: string;
  readonly Cmd: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env: readonly string[];
  readonly Hostname: string;
  readonly User: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: HostConfig;
}

interface HostConfig {
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpuShares?: number;
  readonly CgroupParent?: string;
  readonly Memory: number;
  readonly MemorySwap: number;
  readonly PidsLimit: number;
  readonly OomScoreAdj: number;
  readonly Init: true;
  readonly RestartPolicy: { readonly Name: 'no' };
  readonly AutoRemove: false;
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  readonly NetworkMode: string;
  readonly Privileged: boolean;
  readonly Binds: readonly string[];
  readonly Devices: readonly EngineDevice[];
  readonly CapAdd: readonly string[];
  readonly CapDrop: readonly string[];
  readonly SecurityOpt: readonly string[];
}

interface EngineDevice {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** Words a pilot as a create request. Without a cgroup parent the container itself gets the lowest CPU weight. */
export function toCreateOptions(
  spec: PilotSpec,
  cgroupParent: string | undefined,
  info: { readonly appArmor: boolean; readonly logDriver: string },
): CreateOptions {
  return {
    Image: spec.image,
    Cmd: spec.command,
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: spec.entrypoint }),
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Hostname: spec.hostname,
    User: spec.user,
    Labels: toLabels(spec),
    HostConfig: {
      CpuPeriod: cpuPeriodMicros,
      CpuQuota: Math.trunc(spec.cpus * cpuPeriodMicros),
      ...(cgroupParent === undefined ? { CpuShares: 2 } : { CgroupParent: cgroupParent }),
      Memory: spec.memoryBytes,
      // Left at 0 the engine would allow as much swap as memory.
      MemorySwap: spec.memoryBytes + spec.swapBytes,
      PidsLimit: spec.pids,
      OomScoreAdj: oomScoreAdjustment,
      // Reaps what a payload leaves behind, and passes SIGTERM on to payloads that would ignore it as process 1.
      Init: true,
      // How pilots go on and when they are removed is decided by the plan alone.
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      LogConfig: toLogConfig(info.logDriver),
      NetworkMode: spec.network,
      Privileged: spec.privileged,
      Binds: spec.binds,
      Devices: spec.devices.map(toEngineDevice),
      CapAdd: spec.capabilitiesAdded,
      CapDrop: spec.capabilitiesDropped,
      SecurityOpt: toSecurityOptions(spec.securityOptions, info.appArmor),
    },
  };
}

function toLabels(spec: PilotSpec): Record<string, string> {
  return {
    [pilotLabels.managed]: 'true',
    [pilotLabels.name]: spec.name,
    [pilotLabels.instance]: spec.instance,
    [pilotLabels.flavour]: spec.flavour,
    [pilotLabels.revision]: spec.revision,
    [pilotLabels.cpus]: String(spec.cpus),
    [pilotLabels.memoryBytes]: String(spec.memoryBytes),
    [pilotLabels.bootId]: spec.bootId,
    [pilotLabels.spawnedBootMs]: String(spec.spawnedBootMs),
    [pilotLabels.image]: spec.image,
  };
}

function toEngineDevice(device: DeviceSpec): EngineDevice {
  return {
    PathOnHost: device.hostPath,
    PathInContainer: device.containerPath,
    CgroupPermissions: device.permissions,
  };
}

/**
 * The log of a pilot, in a bounded file where the engine keeps files or does not tell. Where it hands logs on, to the journal or over
 * the network, it goes on doing so: whoever takes them bounds them.
 */
function toLogConfig(logDriver: string): HostConfig['LogConfig'] {
  if (logDriver === '' || logDriver === 'json-file') return { Type: 'json-file', Config: logLimits };
  return { Type: logDriver, Config: logDriver === 'local' ? logLimits : {} };
}

/** Only AppArmor profiles are dropped where there is no AppArmor: seccomp, SELinux and the like stay in force. */
function toSecurityOptions(options: readonly string[], appArmor: boolean): string[] {
  return options
    .map((option) => option.replace(/^apparmor:/, 'apparmor='))
    .filter((option) => appArmor || !option.startsWith('apparmor='));
}

/**
 * Reads one line of the engine's list as a pilot of `ownership`; undefined when the container is not ours, whatever the
 * filter of the request let through.
 */
export function fromContainerSummary(summary: ContainerSummary, ownership: Ownership): Pilot | undefined {
  const labels = summary.Labels;
  const name = ownName(summary.Names);
  if (name === undefined) return undefined;
  const adopted = ownership.adoptOriginal && !(pilotLabels.managed in labels) && originalName.test(name);
  if (!adopted && !isOurs(name, summary, ownership.instance)) return undefined;
  return {
    id: summary.Id,
    name,
    state: toPilotState(summary.State),
    image: labels[pilotLabels.image] ?? summary.Image,
    cpus: toNumber(labels[pilotLabels.cpus]),
    memoryBytes: toNumber(labels[pilotLabels.memoryBytes]),
    flavour: labels[pilotLabels.flavour] ?? 'default',
    revision: labels[pilotLabels.revision] ?? '',
    spawnedBootMs: toNumber(labels[pilotLabels.spawnedBootMs]),
    bootId: labels[pilotLabels.bootId],
    createdWallMs: summary.Created * 1000,
    exitCode: toExitCode(summary.State, summary.Status),
    adopted,
    imageId: summary.ImageID === '' ? undefined : summary.ImageID,
    address: summary.Address,
    mac: summary.Mac,
  };
}

/**
 * Every pilot carries its name. One that somebody renamed has its image still; a container that others make of an image that was
 * committed from a pilot has another name and another image.
 */
function isOurs(name: string, { Image, Labels: labels }: ContainerSummary, instance: string): boolean {
  return (
    labels[pilotLabels.managed] === 'true' &&
    labels[pilotLabels.instance] === instance &&
    pilotLabels.name in labels &&
    (labels[pilotLabels.name] === name || labels[pilotLabels.image] === Image)
  );
}

/** Whether a container that may be ours has another name than its labels say. */
export function isRenamed({ Names, Labels: labels }: ContainerSummary): boolean {
  return labels[pilotLabels.name] !== ownName(Names);
}

/**
 * Whether a container has its labels from its image, where they are on every container that anybody makes of it, and prove nothing. Every
 * pilot is given a name of its own, so that one of an image that carries such labels, too, does not lose them.
 */
export function hasInheritedLabels({ Labels: labels }: ContainerSummary, ofImage: Labels): boolean {
  return pilotLabels.name in ofImage && labels[pilotLabels.name] === ofImage[pilotLabels.name];
}

/** The container's own name; names with a second slash are links of other containers to it. */
function ownName(names: readonly string[]): string | undefined {
  return names.find((name) => name.lastIndexOf('/') === 0)?.slice(1);
}

const pilotStates: readonly string[] = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
] satisfies PilotState[];

function isPilotState(state: string): state is PilotState {
  return pilotStates.includes(state);
}

function toPilotState(state: string): PilotState {
  return isPilotState(state) ? state : 'unknown';
}

/** `Exited (3) 5 seconds ago`: the list tells the exit code nowhere else. */
function toExitCode(state: string, status: string): number | undefined {
  if (state !== 'exited' && state !== 'dead') return undefined;
  return toNumber(/^Exited \((\d+)\)/.exec(status)?.[1]);
}

function toNumber(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** The engine's time stamp as ms since 1970; undefined for its zero date, which means "never". */
export function fromEngineTime(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
}
