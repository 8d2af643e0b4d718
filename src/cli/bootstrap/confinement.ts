import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BootstrapContext } from './context.js';

const quickMs = 10_000;
const [execute, write, read] = [1, 2, 4];

/** What a root without capabilities lacks on this host; the units are confined so far that it matters. */
export interface Confinement {
  /** Something that the service needs belongs to somebody else, who lets nobody else at it. */
  readonly overridesOwners: boolean;
  /** The kernel gives the service users of its own. */
  readonly hasUserNamespaces: boolean;
}

/** Whether the rights of a file give `wanted` to a root that is bound by them like everybody else. */
function lets({ uid, gid, mode }: { uid: number; gid: number; mode: number }, wanted: number): boolean {
  const rights = uid === 0 ? mode >> 6 : gid === 0 ? mode >> 3 : mode;
  return (rights & wanted) === wanted;
}

function isOpen(path: string, wanted: number): boolean {
  try {
    let step = realpathSync(path);
    if (!lets(statSync(step), wanted)) return false;
    while (step !== '/') {
      step = dirname(step);
      if (!lets(statSync(step), execute)) return false;
    }
    return true;
  } catch {
    // What is not there yet is made by root.
    return true;
  }
}

/** Never rejects. */
export async function confinementOf({
  places,
  engineHost,
  run,
}: Pick<BootstrapContext, 'places' | 'engineHost' | 'run'>): Promise<Confinement> {
  const socket = engineHost.startsWith('unix://') ? [engineHost.slice('unix://'.length)] : [];
  const open = [
    isOpen(places.nodeFile, read | execute),
    isOpen(places.planctonctlFile, read),
    isOpen(places.confDir, read | write | execute),
    ...socket.map((path) => isOpen(path, read | write)),
  ];
  const { exitCode } = await run('unshare', ['--user', 'true'], quickMs);
  return { overridesOwners: open.includes(false), hasUserNamespaces: exitCode === 0 };
}

/** A unit as it works on this host. Among users of its own root could not override the rights of others. */
export function confine(unit: string, { overridesOwners, hasUserNamespaces }: Confinement): string {
  const powers = overridesOwners ? 'CAP_DAC_OVERRIDE' : '';
  const users = overridesOwners || !hasUserNamespaces ? 'no' : 'yes';
  return unit
    .replace(/^CapabilityBoundingSet=.*$/m, `CapabilityBoundingSet=${powers}`)
    .replace(/^PrivateUsers=.*$/m, `PrivateUsers=${users}`);
}
