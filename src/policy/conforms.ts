import { formatSize } from '../config/quantity.js';
import type { ContainerSettings } from '../model.js';
import { addedCapability, refusedWishes } from './narrow.js';
import type { Policy } from './policy.js';

function refusedLimits({ cpus, memoryBytes, swapBytes }: ContainerSettings, policy: Policy): readonly string[] {
  const found: string[] = [];
  if (cpus === 0 || cpus > policy.most_cpus_per_dock + 1e-9)
    found.push(`it may use ${cpus === 0 ? 'all' : cpus} CPUs, and most_cpus_per_dock is ${policy.most_cpus_per_dock}`);
  const { most_dock_mem: most } = policy;
  if (most > 0 && (memoryBytes === 0 || memoryBytes > most))
    found.push(`it may use more memory than most_dock_mem, ${formatSize(most)}`);
  if (swapBytes > policy.most_dock_swap)
    found.push(`it may use more swap than most_dock_swap, ${formatSize(policy.most_dock_swap)}`);
  return found;
}

/**
 * In what a container that was made, by the engine's own account, is more than the policy allows; nothing: it may be started. The
 * engine never says no, and whoever stands between it and us could add something.
 */
export function violations(settings: ContainerSettings, policy: Policy, secret: readonly string[]): readonly string[] {
  const { privileged } = settings;
  const wishes = {
    ...settings,
    // Binds name their options by now.
    bindOptions: 'rw',
    capabilities: settings.capabilities.flatMap((name) => addedCapability(name) ?? []),
    // The engine itself adds this where there is SELinux.
    securityOptions: settings.securityOptions.filter((option) => !privileged || option !== 'label=disable'),
    network: settings.network === 'default' ? 'bridge' : settings.network,
  };
  return [
    ...refusedWishes(wishes, policy, secret),
    ...refusedLimits(settings, policy),
    ...settings.extras.map((extra) => `it has ${extra}, which Plancton never asks for`),
  ];
}
