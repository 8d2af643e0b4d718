import type { ContainerSettings, DeviceSpec } from '../model.js';
import { EngineError, type NamedPilot } from './container-engine.js';
import { asFields, isFields, number, text, texts, type Fields } from './docker-reply.js';
import { pilotLabels } from './pilot-container.js';

/** What a container has by default, under the names that engines give to it; empty, 0 and false always count as nothing. */
const plain: Readonly<Record<string, readonly string[]>> = {
  PidMode: ['private'],
  UTSMode: ['private'],
  UsernsMode: ['private'],
  IpcMode: ['private', 'shareable', 'none'],
  CgroupnsMode: ['private', 'host'],
  Cgroup: [],
  AutoRemove: [],
  VolumesFrom: [],
  Mounts: [],
  PortBindings: [],
  PublishAllPorts: [],
  Sysctls: [],
  DeviceCgroupRules: [],
  DeviceRequests: [],
  GroupAdd: [],
  Links: [],
  OomKillDisable: [],
  Tmpfs: [],
};

/**
 * What of /proc and /sys is hidden from a container, and what it cannot write: there is a way to the host through them. Those that all
 * engines have in common, and kernels have not given up.
 */
const closed: Readonly<Record<string, readonly string[]>> = {
  MaskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/scsi', '/proc/timer_list', '/sys/firmware'],
  ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
};

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Of the drivers that keep files on this host only: who takes the logs of others bounds them. */
function writesWithoutEnd(log: unknown): boolean {
  const { Type: type, Config: config } = asFields(log ?? {}, 'log settings of a container');
  // Podman tells no options, and calls a driver of its own json-file.
  if ((type !== 'json-file' && type !== 'local') || config === undefined || config === null) return false;
  return isNothing(asFields(config, 'log options of a container')['max-size']);
}

/** Some of those paths that are no longer closed; engines that tell no list close them all the same. */
function openedOf(host: Fields, name: string, usual: readonly string[]): readonly string[] {
  const paths: unknown = host[name];
  if (!Array.isArray(paths)) return [];
  if (paths.length === 0) return [`no ${name}`];
  const opened = usual.filter((path) => !paths.includes(path));
  return opened.length === 0 ? [] : [`${name} without ${opened.join(', ')}`];
}

function extrasOf(host: Fields): readonly string[] {
  const found = Object.entries(plain).flatMap(([name, usual]) => {
    const value = host[name];
    if (isNothing(value) || (typeof value === 'string' && usual.includes(value))) return [];
    return `${name} ${JSON.stringify(value).slice(0, 200)}`;
  });
  if (host['Privileged'] !== true) found.push(...Object.entries(closed).flatMap((entry) => openedOf(host, ...entry)));
  if (host['Init'] !== true) found.push('no Init');
  if (writesWithoutEnd(host['LogConfig'])) found.push('a LogConfig without max-size');
  const oom = host['OomScoreAdj'];
  if (typeof oom === 'number' && oom < 0) found.push(`OomScoreAdj ${oom}`);
  const restart = host['RestartPolicy'] ?? {};
  const policy = asFields(restart, 'restart policy')['Name'] ?? '';
  return policy === '' || policy === 'no' ? found : [...found, `RestartPolicy ${JSON.stringify(policy).slice(0, 200)}`];
}

function readDevice(value: unknown): DeviceSpec {
  const fields = asFields(value, 'device of a container');
  return {
    hostPath: text(fields, 'PathOnHost'),
    containerPath: text(fields, 'PathInContainer'),
    permissions: text(fields, 'CgroupPermissions'),
  };
}

function readList(host: Fields, name: string): readonly string[] {
  return texts(host[name] ?? [], name);
}

function readNetworks(settings: unknown): readonly string[] {
  return isFields(settings) && isFields(settings['Networks']) ? Object.keys(settings['Networks']) : [];
}

/** Periods are a tenth of a second where the engine says nothing else. */
function cpusOf(host: Fields): number {
  const nano = typeof host['NanoCpus'] === 'number' ? host['NanoCpus'] : 0;
  if (nano > 0) return nano / 1e9;
  const quota = typeof host['CpuQuota'] === 'number' ? host['CpuQuota'] : 0;
  return quota <= 0 ? 0 : quota / (number(host, 'CpuPeriod') || 100_000);
}

/**
 * Throws an EngineError (malformed) where an inspection shows another container than the one that was made as `pilot`: an id is what a reply
 * said it is.
 */
export function expectPilot(reply: unknown, id: string, { name, instance }: NamedPilot): void {
  const container = asFields(reply, 'container');
  const config = asFields(container['Config'], 'settings of a container');
  const labels = asFields(config['Labels'] ?? {}, 'labels of a container');
  const isIt =
    container['Id'] === id &&
    // Some engines leave the slash out.
    (container['Name'] === `/${name}` || container['Name'] === name) &&
    labels[pilotLabels.name] === name &&
    labels[pilotLabels.instance] === instance;
  if (isIt) return;
  const what = `The container ${id.slice(0, 12)} that the engine says it has made for pilot ${name}`;
  throw new EngineError('malformed', `${what} is another one, and is left alone`);
}

/** What an inspection tells of how a container was made. Throws an EngineError (malformed). */
export function readContainerSettings(reply: unknown): ContainerSettings {
  const container = asFields(reply, 'container');
  const config = asFields(container['Config'], 'settings of a container');
  const host = asFields(container['HostConfig'], 'host settings of a container');
  const devices = host['Devices'] ?? [];
  const memoryBytes = number(host, 'Memory');
  const withSwap = number(host, 'MemorySwap');
  return {
    image: text(config, 'Image'),
    user: typeof config['User'] === 'string' ? config['User'] : '',
    privileged: host['Privileged'] === true,
    binds: readList(host, 'Binds'),
    devices: (Array.isArray(devices) ? devices : [devices]).map(readDevice),
    capabilities: readList(host, 'CapAdd'),
    capabilitiesDropped: readList(host, 'CapDrop'),
    securityOptions: readList(host, 'SecurityOpt'),
    network: text(host, 'NetworkMode'),
    networks: readNetworks(container['NetworkSettings']),
    runtime: typeof host['Runtime'] === 'string' ? host['Runtime'] : '',
    cgroupParent: typeof host['CgroupParent'] === 'string' ? host['CgroupParent'] : '',
    cpus: cpusOf(host),
    memoryBytes,
    swapBytes: memoryBytes > 0 && withSwap > memoryBytes ? withSwap - memoryBytes : 0,
    // Engines say 0, -1 or nothing where there is no limit.
    pids: typeof host['PidsLimit'] === 'number' ? Math.max(0, host['PidsLimit']) : 0,
    extras: extrasOf(host),
  };
}
