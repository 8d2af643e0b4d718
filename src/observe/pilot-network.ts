import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pilot } from '../model.js';
import { readIfThere } from './cgroup-tree.js';

/** One entry of a bridge's table, `struct __fdb_entry` of linux/if_bridge.h, and where in it things are. */
const ENTRY = { bytes: 16, address: [0, 6], port: 6, isLocal: 7, portHigh: 12 } as const;

/**
 * Takes the pilots there are, and tells how many bytes those that ran since the last look have sent and received so far, both by id.
 * Synchronous: the files are the kernel's.
 */
export type NetworkGauge = (pilots: readonly Pilot[], ran: ReadonlySet<string>) => ReadonlyMap<string, number>;

/**
 * Reads the host's end of each pilot's cable. That needs no rights in the pilot's own network: a bridge tells behind which of its ports it
 * has heard an address, and each port counts. Not known are pilots without a network of their own, in one that is no bridge (macvlan) or that
 * have not sent anything yet; of one in several networks the first counts. `sysRoot` is normally `/sys`.
 */
export function createNetworkGauge(sysRoot = '/sys'): NetworkGauge {
  const net = join(sysRoot, 'class/net');
  let interfaceOf = new Map<string, string>();
  return (pilots, ran) => {
    const carded = pilots.filter(({ mac }) => mac !== undefined);
    const isNew = carded.some(({ id }) => ran.has(id) && !interfaceOf.has(id));
    const heard = isNew ? readBridges(net) : new Map<string, string>();
    interfaceOf = new Map(
      carded.flatMap(({ id, mac = '' }) => {
        const name = interfaceOf.get(id) ?? heard.get(mac);
        return name === undefined ? [] : [[id, name] as const];
      }),
    );
    const counts = new Map<string, number>();
    for (const [id, name] of interfaceOf) {
      if (!ran.has(id)) continue;
      const bytes = readBytes(net, name);
      // It has been given another one: looked for again.
      if (bytes === undefined) interfaceOf.delete(id);
      else counts.set(id, bytes);
    }
    return counts;
  };
}

/** Behind which interface each address is, for all bridges of the host. */
function readBridges(net: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const bridge of namesIn(net)) {
    const ports = readPorts(join(net, bridge, 'brif'));
    if (ports.size === 0) continue;
    for (const { address, port } of readTable(join(net, bridge, 'brforward'))) {
      const name = ports.get(port);
      if (name !== undefined) found.set(address, name);
    }
  }
  return found;
}

/** The interfaces of one bridge by number; none: it is no bridge. */
function readPorts(folder: string): ReadonlyMap<number, string> {
  return new Map(namesIn(folder).map((name) => [Number(readIfThere(join(folder, name, 'port_no'))), name]));
}

function* readTable(file: string): Generator<{ readonly address: string; readonly port: number }> {
  const table = bytesOf(file);
  for (let at = 0; at + ENTRY.bytes <= table.length; at += ENTRY.bytes) {
    const entry = table.subarray(at, at + ENTRY.bytes);
    // The host's own end has an address as well.
    if (entry.readUInt8(ENTRY.isLocal) !== 0) continue;
    const address = entry.toString('hex', ...ENTRY.address).replace(/(..)(?!$)/g, '$1:');
    yield { address, port: entry.readUInt8(ENTRY.port) + 256 * entry.readUInt8(ENTRY.portHigh) };
  }
}

function readBytes(net: string, name: string): number | undefined {
  const counts = ['rx_bytes', 'tx_bytes'].map((file) => readIfThere(join(net, name, 'statistics', file)));
  return counts.includes(undefined) ? undefined : counts.reduce((sum, text) => sum + Number(text), 0);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
