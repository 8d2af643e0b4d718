import { formatSize } from '../config/quantity.js';
import type { AskedContainer, ContainerSettings } from '../model.js';
import { addedCapability, plainOption, refusedWishes } from './narrow.js';
import type { OwnPlaces } from './match-bind.js';
import { manyCpus, mostSwap, usualMostPids, type Policy } from './policy.js';

function refusedLimits({ cpus, memoryBytes, swapBytes }: ContainerSettings, policy: Policy): readonly string[] {
  const found: string[] = [];
  // A kernel that cannot limit CPUs is no violation where nothing is capped.
  const isCapped = policy.most_cpus_per_dock < manyCpus;
  if (isCapped && (cpus === 0 || cpus > policy.most_cpus_per_dock + 1e-9))
    found.push(`it may use ${cpus === 0 ? 'all' : cpus} CPUs, and most_cpus_per_dock is ${policy.most_cpus_per_dock}`);
  const { most_dock_mem: most } = policy;
  if (most > 0 && (memoryBytes === 0 || memoryBytes > most))
    found.push(`it may use more memory than most_dock_mem, ${formatSize(most)}`);
  if (swapBytes > policy.most_dock_swap || (memoryBytes === 0 && policy.most_dock_swap < mostSwap))
    found.push(`it may use more swap than most_dock_swap, ${formatSize(policy.most_dock_swap)}`);
  return found;
}

function refusedPids({ pids }: ContainerSettings, { most_dock_pids: most }: Policy): readonly string[] {
  // A kernel that cannot limit processes is no violation where the owner of the host has said nothing about them.
  const isRefused = pids === 0 ? most < usualMostPids : pids > most;
  return isRefused
    ? [`it may have ${pids === 0 ? 'any number of' : pids} processes, and most_dock_pids is ${most}`]
    : [];
}

/** What a container has if nobody says otherwise (moby, oci/caps/defaults.go); Podman gives less. */
const usualCapabilities = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'NET_RAW'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];
/** Those that Podman gives too. It lists what a container lacks of them, and nothing else: not ALL, and nothing that no container has. */
const leastCapabilities = usualCapabilities.filter((name) => !['AUDIT_WRITE', 'MKNOD', 'NET_RAW'].includes(name));

function plainCapability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}

/** What was asked for to hold a pilot in, and is not there: the policy may allow to go without, and the pilot was not meant to. */
function missing(settings: ContainerSettings, { spec }: AskedContainer): readonly string[] {
  const dropped = new Set(settings.capabilitiesDropped.map(plainCapability));
  const added = new Set(spec.capabilitiesAdded.map(plainCapability));
  const wanted = spec.capabilitiesDropped.map(plainCapability);
  const expected = wanted.includes('ALL')
    ? leastCapabilities
    : wanted.filter((name) => usualCapabilities.includes(name));
  const kept =
    settings.privileged || dropped.has('ALL') ? [] : expected.filter((name) => !dropped.has(name) && !added.has(name));
  const isNoNewPrivileges = (option: string) => /^no-new-privileges(=true)?$/.test(plainOption(option));
  const gains = spec.securityOptions.some(isNoNewPrivileges) && !settings.securityOptions.some(isNoNewPrivileges);
  return [
    ...kept.map((name) => `it keeps the capability ${name}, which it was to drop`),
    ...(gains ? ['it may gain privileges: no-new-privileges is missing'] : []),
  ];
}

/** What Podman gives where nobody asks for one. */
const usualCgroupParents = ['', '/libpod_parent', 'machine.slice', 'user.slice'];

function misplaced({ cgroupParent: found }: ContainerSettings, { cgroupParent: asked }: AskedContainer): boolean {
  return asked === undefined ? !usualCgroupParents.includes(found) : found !== asked;
}

/** Networks that it is in beside the one that it was to be in. Of one that was asked for by its id the name is not known. */
function furtherNetworks({ network, networks }: ContainerSettings, { spec }: AskedContainer): readonly string[] {
  const isDefault = spec.network === 'bridge' || spec.network === 'default';
  const usual = [spec.network, network, ...(isDefault ? ['bridge', 'podman'] : [])];
  const others = networks.filter((name) => !usual.includes(name));
  return /^[0-9a-f]{12,64}$/.test(spec.network) ? others.slice(1) : others;
}

/** Where it was put that it was not to be. */
function elsewhere(settings: ContainerSettings, asked: AskedContainer): readonly string[] {
  const found = settings.cgroupParent || 'not set';
  return [
    ...(misplaced(settings, asked) ? [`its cgroup parent is ${found} instead of ${asked.cgroupParent ?? 'none'}`] : []),
    ...(settings.runtime === '' ? [] : [`its runtime is ${settings.runtime}, and not that of the engine`]),
    ...furtherNetworks(settings, asked).map((name) => `it is in the network ${name}, beside ${asked.spec.network}`),
  ];
}

/**
 * In what a container that was made, by the engine's own account, is more than the policy allows or less held in than asked for; nothing: it may be started. The
 * engine never says no, and whoever stands between it and us could add something.
 */
export function violations(
  settings: ContainerSettings,
  asked: AskedContainer,
  policy: Policy,
  own: OwnPlaces,
): readonly string[] {
  const { privileged } = settings;
  const wishes = {
    ...settings,
    // Binds name their options by now.
    bindOptions: 'rw',
    // Some engines list what a privileged container has anyhow.
    capabilities: privileged ? [] : settings.capabilities.flatMap((name) => addedCapability(name) ?? []),
    // The engine itself adds this where there is SELinux.
    securityOptions: settings.securityOptions.filter((option) => !privileged || option !== 'label=disable'),
    network: settings.network === 'default' ? 'bridge' : settings.network,
  };
  return [
    ...refusedWishes(wishes, policy, own),
    ...refusedLimits(settings, policy),
    ...refusedPids(settings, policy),
    ...missing(settings, asked),
    ...elsewhere(settings, asked),
    ...settings.extras.map((extra) => `it has ${extra}, which Plancton never asks for`),
  ];
}
