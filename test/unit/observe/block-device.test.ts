import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createStackedDevices } from '../../../src/observe/block-device.js';
import { readBlockBytes } from '../../../src/observe/cgroup-tree.js';
import { tempDirectory } from '../../support/temp-directory.js';

it('counts what goes through a volume once, at the disk below it', () => {
  const sys = tempDirectory();
  mkdirSync(join(sys, 'dev/block/253:0/slaves/sda2'), { recursive: true });
  mkdirSync(join(sys, 'dev/block/8:0/slaves'), { recursive: true });
  const isStacked = createStackedDevices(sys);
  expect(['253:0', '7:1', '8:0', '259:0'].map(isStacked)).toEqual([true, true, false, false]);

  const root = tempDirectory();
  mkdirSync(join(root, 'p'));
  writeFileSync(
    join(root, 'p/io.stat'),
    '253:0 rbytes=10 wbytes=5 rios=1 wios=1\n8:0 rbytes=10 wbytes=5 rios=1 wios=1\n',
  );
  expect(readBlockBytes({ root, version: 2 }, 'p', isStacked)).toBe(15);
  mkdirSync(join(root, 'blkio/p'), { recursive: true });
  const v1 = '253:0 Read 7\n253:0 Write 1\n8:0 Read 7\n8:0 Write 1\n8:0 Total 8\nTotal 16\n';
  writeFileSync(join(root, 'blkio/p/blkio.throttle.io_service_bytes_recursive'), v1);
  expect(readBlockBytes({ root, version: 1 }, 'p', isStacked)).toBe(8);
});
