import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { renderService, writeUnits } from '../../../../src/cli/bootstrap/unit-file.js';
import { makeBootstrapWorld, type BootstrapWorld } from '../../../support/bootstrap-context.js';

const worlds: BootstrapWorld[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true });
});

const template = readFileSync(join(import.meta.dirname, '../../../../systemd/plancton.service'), 'utf8');

test('the service starts exactly the Node and the planctonctl that it was made for', () => {
  const text = renderService(template, { nodeFile: '/home/x/bin/node', planctonctlFile: '/home/x/planctonctl.js' });
  expect(text).toContain('\nExecStart=/home/x/bin/node --max-semi-space-size=4 /home/x/planctonctl.js nodaemon\n');
  expect(text).not.toContain('DOCKER_HOST');
});

test('the service has room for the daemon and the largest git, and survives the end of that git', () => {
  expect(template).toMatch(/^MemoryMax=3G$/m);
  expect(template).toMatch(/^OOMPolicy=continue$/m);
});

test.each([
  ['a space', '/opt/my node', '"/opt/my node"'],
  ['a percent sign', '/opt/100%', '/opt/100%%'],
  ['a dollar sign', '/opt/$node', '/opt/$$node'],
  ['a quote', '/opt/"n"', String.raw`"/opt/\"n\""`],
])('systemd reads a path with %s as one word', (_, path, word) => {
  const text = renderService(template, { nodeFile: path, planctonctlFile: '/c.js' });
  expect(text).toContain(`\nExecStart=${word} --max-semi-space-size=4 /c.js nodaemon\n`);
});

test('an unusual engine is written down for the service', () => {
  const paths = { nodeFile: '/n', planctonctlFile: '/c.js' };
  const text = renderService(template, paths, 'unix:///run/podman/podman.sock');
  expect(text).toContain('\nEnvironment="DOCKER_HOST=unix:///run/podman/podman.sock"\nExecStart=');
});

test('nothing changes when the same units are written again', () => {
  const world = makeBootstrapWorld();
  worlds.push(world);
  const usual = { overridesOwners: false, hasUserNamespaces: true };
  expect(writeUnits(world.context.places, usual)).toBe(true);
  expect(writeUnits(world.context.places, usual)).toBe(false);
  expect(writeUnits({ ...world.context.places, nodeFile: '/elsewhere/node' }, usual)).toBe(true);
});
