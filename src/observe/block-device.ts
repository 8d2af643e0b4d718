import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Files that are used as devices: what is read from them is read from the disk below as well. */
const LOOP = '7:';

/**
 * Tells by its number (`253:0`) whether a block device is made of others: a volume of LVM, an array, something that is encrypted, a file. Each is
 * looked at once. `sysRoot` is normally `/sys`.
 */
export function createStackedDevices(sysRoot = '/sys'): (device: string) => boolean {
  const known = new Map<string, boolean>();
  return (device) => {
    const found = known.get(device) ?? isMadeOfOthers(sysRoot, device);
    known.set(device, found);
    return found;
  };
}

function isMadeOfOthers(sysRoot: string, device: string): boolean {
  if (device.startsWith(LOOP)) return true;
  try {
    return readdirSync(join(sysRoot, 'dev/block', device, 'slaves')).length > 0;
  } catch {
    return false;
  }
}
