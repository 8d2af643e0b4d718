import { describe, expect, it } from 'vitest';
import { onPrivateMount } from '../../../src/observe/mount-propagation.js';

const MOUNTS = [
  '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 21 0:40 / /cvmfs rw,relatime shared:7 - autofs autofs rw',
  '31 21 8:2 / /data rw,relatime - ext4 /dev/sdb1 rw',
  '32 31 8:3 / /data/with\\040blank rw,relatime master:9 - ext4 /dev/sdc1 rw',
].join('\n');

describe('mount propagation', () => {
  it('names the paths on private mounts', () => {
    expect(onPrivateMount(MOUNTS, ['/etc', '/cvmfs/alice', '/data', '/data/x'])).toEqual(['/data', '/data/x']);
  });

  it('takes the deepest mount that contains the path', () => {
    expect(onPrivateMount(MOUNTS, ['/data/with blank/x', '/database'])).toEqual([]);
  });

  it('counts a slave of the host as one that sees later mounts', () => {
    expect(onPrivateMount('1 0 8:1 / / rw master:1 - ext4 /dev/sda1 rw', ['/x'])).toEqual([]);
  });

  it('takes the mount on top where two have the same place', () => {
    const both = '1 0 8:1 / / rw shared:1 - ext4 a rw\n2 1 8:2 / / rw - ext4 b rw';

    expect(onPrivateMount(both, ['/x'])).toEqual(['/x']);
  });

  it('says nothing of what it does not know', () => {
    expect(onPrivateMount('', ['/x'])).toEqual([]);
  });
});
