import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { confine, confinementOf } from '../../../../src/cli/bootstrap/confinement.js';
import { makeBootstrapWorld } from '../../../support/bootstrap-context.js';

const systemd = join(import.meta.dirname, '../../../../systemd');
const units = ['plancton.service', 'plancton-reap.service'].map((name) => readFileSync(join(systemd, name), 'utf8'));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'plancton-home-'));
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/node'), '');
  chmodSync(join(home, 'bin/node'), 0o755);
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

/** With Node in somebody's home; `answers`: of programs. */
async function confinement(answers = {}, engineHost?: string) {
  const { context, dir } = makeBootstrapWorld(engineHost === undefined ? {} : { engineHost }, answers);
  try {
    const places = { ...context.places, nodeFile: join(home, 'bin/node') };
    return await confinementOf({ ...context, places });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe('a root without capabilities', () => {
  test('suffices where all may go', async () => {
    chmodSync(home, 0o755);
    expect(await confinement()).toEqual({ overridesOwners: false, hasUserNamespaces: true });
  });

  test('suffices in a folder that only root may enter', async () => {
    chmodSync(home, 0o700);
    expect((await confinement()).overridesOwners).toBe(false);
  });

  // Folders can be given away by root only.
  test.runIf(process.getuid?.() === 0)('does not suffice where Node is behind a door of somebody else', async () => {
    chownSync(home, 1000, 1000);
    chmodSync(home, 0o700);
    expect((await confinement()).overridesOwners).toBe(true);
    chmodSync(home, 0o711);
    expect((await confinement()).overridesOwners).toBe(false);
  });

  test.runIf(process.getuid?.() === 0)('does not suffice for the socket of an engine of somebody else', async () => {
    const socket = join(home, 'engine.sock');
    writeFileSync(socket, '');
    chmodSync(home, 0o755);
    chmodSync(socket, 0o660);
    expect((await confinement({}, `unix://${socket}`)).overridesOwners).toBe(false);
    chownSync(socket, 1000, 1000);
    expect((await confinement({}, `unix://${socket}`)).overridesOwners).toBe(true);
  });

  test('has no users of its own where the kernel refuses', async () => {
    expect((await confinement({ unshare: { exitCode: 1 } })).hasUserNamespaces).toBe(false);
  });
});

describe.each(units)('a unit', (unit) => {
  test('is as it is shipped where everything works', () => {
    expect(confine(unit, { overridesOwners: false, hasUserNamespaces: true })).toBe(unit);
    expect(unit).toMatch(/^CapabilityBoundingSet=$/m);
  });

  test('gives up users of its own where the kernel has none, and nothing else', () => {
    const text = confine(unit, { overridesOwners: false, hasUserNamespaces: false });
    expect(text).toMatch(/^CapabilityBoundingSet=$/m);
    expect(text).toMatch(/^PrivateUsers=no$/m);
  });

  test('may override owners where it has to', () => {
    const text = confine(unit, { overridesOwners: true, hasUserNamespaces: true });
    expect(text).toMatch(/^CapabilityBoundingSet=CAP_DAC_OVERRIDE$/m);
    expect(text).toMatch(/^PrivateUsers=no$/m);
  });
});
