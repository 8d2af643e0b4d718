import { dirname } from 'node:path';
import type { EngineInfo } from '../engine/container-engine.js';
import type { PilotUsage, YieldMode } from '../model.js';
import { createStackedDevices } from './block-device.js';
import {
  hasGroup,
  makeGroup,
  readBlockBytes,
  readCpuNs,
  readMemoryBytes,
  readMemoryPeakBytes,
  readWeight,
  setWeight,
  type CgroupTree,
} from './cgroup-tree.js';
import { readIoWeight, setIoWeight } from './io-weight.js';
import {
  accountSlice,
  runSystemctl,
  startSlice,
  weighSlice,
  weighSliceForDisks,
  type Systemctl,
} from './systemd-slice.js';

/** The control group that all pilots of one instance share, or the reason why there is none. */
export interface PilotCgroup {
  /** What new pilots get as their parent; undefined = the engine's default. */
  readonly parent: string | undefined;
  readonly yields: YieldMode;
  /** CPU time in ns of all pilots in the group, dead ones included; undefined when there is no group. Synchronous. */
  readCpuNs(): number | undefined;
  /** Memory in bytes that the pilots in the group hold; undefined when that is not counted. Synchronous. */
  readMemoryBytes(): number | undefined;
  /** Whether the group counts this container. Synchronous. */
  holds(containerId: string): boolean;
  /** What this container has used, `before` itself where it has not run since; undefined where the group does not count it. Synchronous. */
  usageOf(containerId: string, before?: PilotUsage): PilotUsage | undefined;
  /**
   * Whether it still is as it was prepared; `changed`: it is gone, or somebody gave it another weight; `failed`: there is none because of an
   * error that may pass. Synchronous.
   */
  state(): 'as prepared' | 'changed' | 'failed';
  /** One sentence for people. */
  describe(): string;
}

export interface PilotCgroupOptions {
  /** Name of this Plancton; two on one host get a group each, so that they do not count each other's pilots. */
  readonly instance: string;
  readonly info: EngineInfo;
  /** Give the pilots the lowest weight. Instances on one host share the outer group: one that asks for it is enough. */
  readonly nice: boolean;
  /** The engine runs on another host. */
  readonly remote: boolean;
  readonly cgroupRoot?: string;
  readonly systemctl?: Systemctl;
}

/** Where the pilots are: `outer` competes with the owner's work and carries the weight, `inner` is the instance's own. */
interface Groups {
  readonly parent: string;
  readonly outer: string;
  readonly inner: string;
}

/**
 * Makes the group and sets its weight. May be called again at any time, e.g. after the engine was away. Never rejects: where the
 * groups may not be touched the pilots yield to other containers only, and `describe` says why.
 */
export async function preparePilotCgroup(options: PilotCgroupOptions): Promise<PilotCgroup> {
  const { info, nice, remote } = options;
  if (remote) return withoutGroup(nice, 'the engine is on another host');
  if (info.rootless) return withoutGroup(nice, 'the engine runs without root');
  const tree: CgroupTree = { root: options.cgroupRoot ?? '/sys/fs/cgroup', version: info.cgroupVersion };
  const instance = escapeName(options.instance);
  try {
    switch (info.cgroupDriver) {
      case 'none':
        return withoutGroup(nice, 'the engine uses no control groups');
      case 'cgroupfs':
        return inGroup(tree, prepareDirectories(tree, instance, nice), nice);
      case 'systemd':
        return inGroup(tree, await prepareSlices(tree, instance, nice, options.systemctl ?? runSystemctl), nice);
    }
  } catch (error) {
    return { ...withoutGroup(nice, error instanceof Error ? error.message : String(error)), state: () => 'failed' };
  }
}

function prepareDirectories(tree: CgroupTree, instance: string, nice: boolean): Groups {
  const groups = { parent: `/plancton/${instance}`, outer: 'plancton', inner: `plancton/${instance}` };
  makeGroup(tree, groups.inner);
  if (readWeight(tree, groups.outer)?.lowest !== nice) setWeight(tree, groups.outer, nice);
  if (readIoWeight(tree, groups.outer)?.lowest !== nice) setIoWeight(tree, groups.outer, nice);
  return groups;
}

async function prepareSlices(tree: CgroupTree, instance: string, nice: boolean, systemctl: Systemctl): Promise<Groups> {
  const slice = `plancton-${instance}.slice`;
  const inner = await startSlice(systemctl, slice);
  if (readCpuNs(tree, inner) === undefined) await accountSlice(systemctl, slice);
  // Where systemd itself runs in a container, its groups are not at the top of the tree.
  const outer = dirname(inner);
  if (readWeight(tree, outer)?.lowest !== nice) await weighSlice(systemctl, 'plancton.slice', tree.version, nice);
  if (readIoWeight(tree, outer)?.lowest !== nice) await weighSliceForDisks(systemctl, 'plancton.slice', nice);
  return { parent: slice, outer, inner };
}

function inGroup(tree: CgroupTree, groups: Groups, nice: boolean): PilotCgroup {
  const { parent, outer, inner } = groups;
  if (readCpuNs(tree, inner) === undefined) return withoutGroup(nice, `the control group ${inner} has no CPU counter`);
  const weight = () => readWeight(tree, outer);
  // Instances that share the outer group may differ: the one that wants the lowest weight gets it.
  const isWeighed = () => !nice || weight()?.lowest === true;
  if (!isWeighed()) return withoutGroup(nice, `the control group ${outer} kept ${weight()?.text ?? 'no CPU weight'}`);
  const isStacked = createStackedDevices();
  const names = (id: string) => [id, `docker-${id}.scope`, `libpod-${id}.scope`];
  return {
    parent,
    yields: nice ? 'cgroup' : 'none',
    readCpuNs: () => readCpuNs(tree, inner),
    readMemoryBytes: () => readMemoryBytes(tree, inner),
    holds: (id) => names(id).some((name) => hasGroup(tree, `${inner}/${name}`)),
    usageOf: (id, before) => {
      const paths = names(id).map((name) => `${inner}/${name}`);
      return readUsage(tree, paths, isStacked, before);
    },
    state: () => (readCpuNs(tree, inner) !== undefined && isWeighed() ? 'as prepared' : 'changed'),
    describe: () =>
      nice
        ? `pilots give way to everything else on the host: control group ${outer} has ${weight()?.text ?? 'no weight'}, for disks ${readIoWeight(tree, outer)?.text ?? 'no weight'}`
        : 'pilots compete with everything else on the host as equals (nice: false)',
  };
}

/** Of the first of these groups that is there. */
function readUsage(
  tree: CgroupTree,
  paths: readonly string[],
  isStacked: (device: string) => boolean,
  before: PilotUsage | undefined,
): PilotUsage | undefined {
  for (const path of paths) {
    const cpuNs = readCpuNs(tree, path);
    if (cpuNs === undefined) continue;
    const cpuSeconds = cpuNs / 1e9;
    if (cpuSeconds === before?.cpuSeconds) return before;
    const blockBytes = readBlockBytes(tree, path, isStacked);
    return { cpuSeconds, memoryPeakBytes: readMemoryPeakBytes(tree, path), blockBytes };
  }
  return undefined;
}

function withoutGroup(nice: boolean, reason: string): PilotCgroup {
  return {
    parent: undefined,
    yields: nice ? 'containers' : 'none',
    readCpuNs: () => undefined,
    readMemoryBytes: () => undefined,
    holds: () => false,
    usageOf: () => undefined,
    state: () => 'as prepared',
    describe: () =>
      nice
        ? `pilots give way to other containers only, not to other processes of the host: ${reason}`
        : `pilots compete with everything else on the host as equals (nice: false); no control group: ${reason}`,
  };
}

/** As systemd escapes names: a dash would nest one slice in another, a slash or dots would leave the folder. */
function escapeName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
