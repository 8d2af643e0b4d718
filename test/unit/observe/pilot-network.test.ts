import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createNetworkGauge } from '../../../src/observe/pilot-network.js';
import { aPilot } from '../../support/builders.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plancton-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
});

function write(path: string, content: string | Buffer): void {
  const file = join(root, 'class/net', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** As the kernel tells what a bridge has heard where. */
function table(...entries: readonly (readonly [mac: string, port: number, isLocal?: boolean])[]): Buffer {
  return Buffer.concat(
    entries.map(([mac, port, isLocal = false]) => {
      const address = Buffer.from(mac.replaceAll(':', ''), 'hex');
      return Buffer.concat([address, Buffer.from([port % 256, Number(isLocal), 0, 0, 0, 0, port >> 8, 0, 0, 0])]);
    }),
  );
}

function anInterface(name: string, received: number, sent: number): void {
  write(`${name}/statistics/rx_bytes`, `${received}\n`);
  write(`${name}/statistics/tx_bytes`, `${sent}\n`);
}

const MAC = { a: '02:42:ac:11:00:02', b: '02:42:ac:11:00:03', c: '02:42:ac:12:00:02' };
const pilots = Object.entries(MAC).map(([id, mac]) => aPilot({ id, mac }));
const all = new Set(Object.keys(MAC));

it("counts what goes through the host's end of each pilot's cable, on any bridge", () => {
  write('eth0/statistics/rx_bytes', '77\n');
  write('docker0/brif/veth1/port_no', '0x1\n');
  write('docker0/brif/veth2/port_no', '0x102\n');
  write('docker0/brforward', table(['0e:0e:0e:0e:0e:0e', 1, true], [MAC.a, 1], [MAC.b, 258]));
  write('br-77/brif/veth3/port_no', '0x1\n');
  write('br-77/brforward', table([MAC.c, 1]));
  anInterface('veth1', 10, 1);
  anInterface('veth2', 20, 2);
  anInterface('veth3', 30, 3);
  const gauge = createNetworkGauge(root);
  expect(Object.fromEntries(gauge([...pilots, aPilot({ id: 'in no network' })], all))).toEqual({ a: 11, b: 22, c: 33 });

  // The bridge forgets those that are quiet for a while.
  write('docker0/brforward', table([MAC.b, 1]));
  anInterface('veth1', 100, 1);
  expect(Object.fromEntries(gauge(pilots, new Set(['a'])))).toEqual({ a: 101 });
});

it('does not take the next owner of an address for the one before', () => {
  write('docker0/brif/veth1/port_no', '0x1\n');
  write('docker0/brforward', table([MAC.a, 1]));
  anInterface('veth1', 10, 1);
  const gauge = createNetworkGauge(root);
  gauge(pilots, all);
  rmSync(join(root, 'class/net/veth1'), { recursive: true });
  expect(gauge(pilots, all).size).toBe(0);
  anInterface('veth9', 5, 5);
  write('docker0/brif/veth9/port_no', '0x1\n');
  rmSync(join(root, 'class/net/docker0/brif/veth1'), { recursive: true });
  expect(Object.fromEntries(gauge([aPilot({ id: 'next', mac: MAC.a })], new Set(['next'])))).toEqual({ next: 10 });
});

it('finds the interface again of a pilot that was given another one', () => {
  write('docker0/brif/veth1/port_no', '0x1\n');
  write('docker0/brforward', table([MAC.a, 1]));
  anInterface('veth1', 10, 1);
  const gauge = createNetworkGauge(root);
  gauge(pilots, new Set(['a']));
  rmSync(join(root, 'class/net/veth1'), { recursive: true });
  rmSync(join(root, 'class/net/docker0/brif/veth1'), { recursive: true });
  write('docker0/brif/veth2/port_no', '0x1\n');
  anInterface('veth2', 3, 1);
  gauge(pilots, new Set(['a']));
  expect(Object.fromEntries(gauge(pilots, new Set(['a'])))).toEqual({ a: 4 });
});

it('knows nothing where there is no bridge, or one that tells nonsense', () => {
  expect(createNetworkGauge(root)(pilots, all).size).toBe(0);
  write('docker0/brif/veth1/port_no', '0x1\n');
  expect(createNetworkGauge(root)(pilots, all).size).toBe(0);
  write('docker0/brforward', Buffer.from('noise'));
  expect(createNetworkGauge(root)(pilots, all).size).toBe(0);
});
