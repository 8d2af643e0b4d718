import { expect, test } from 'vitest';
import { installCommands, installHint } from '../../../../src/cli/bootstrap/distribution.js';

test.each([
  ['Debian', 'ID=debian\n', 'apt-get'],
  ['a relative of Ubuntu', 'NAME="Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', 'apt-get'],
  ['Fedora', 'ID=fedora\n', 'dnf'],
  ['openSUSE', 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'zypper'],
])('%s installs with its own tool', (_, osRelease, tool) => {
  expect(installCommands(osRelease, 'git')[0]?.[0]).toBe(tool);
});

test('a relative of RHEL gets what RHEL has, though it calls itself like Fedora, too', () => {
  const rocky = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n';
  expect(installCommands(rocky, 'engine')[0]).toContain('podman-docker');
});

test('an unknown distribution is told what, not how', () => {
  expect(installCommands('ID=plan9\n', 'engine')).toEqual([]);
  expect(installHint('', 'engine')).toBe('install Docker Engine 20.10 or newer');
});
