import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BootstrapContext, Places } from '../../src/cli/bootstrap/context.js';
import type { CommandResult } from '../../src/cli/context.js';
import type { EngineInfo } from '../../src/engine/container-engine.js';
import { createFakeClock } from './fake-clock.js';
import { aConfig } from './plan-builders.js';

export const soundEngine: EngineInfo = {
  version: '20.10.24',
  apiVersion: '1.41',
  cgroupDriver: 'systemd',
  cgroupVersion: 2,
  rootless: false,
  appArmor: false,
  logDriver: 'json-file',
  defaultRuntime: 'runc',
  dataRoot: '/var/lib/docker',
};

/** A host in a folder of its own, with everything in order, and what was said and run there. */
export interface BootstrapWorld {
  readonly dir: string;
  readonly context: BootstrapContext;
  readonly said: string[];
  readonly ran: string[];
}

/** `answers` gives results of programs by the beginning of their command line; what it does not name succeeds silently. */
export function makeBootstrapWorld(
  overrides: Partial<BootstrapContext> = {},
  answers: Readonly<Record<string, Partial<CommandResult>>> = {},
): BootstrapWorld {
  const dir = mkdtempSync(join(tmpdir(), 'plancton-bootstrap-'));
  const said: string[] = [];
  const ran: string[] = [];
  const places = makePlaces(dir);
  const context: BootstrapContext = {
    uid: 0,
    env: {},
    clock: createFakeClock(),
    places,
    own: { hidden: [places.policyFile], readOnly: [places.confDir] },
    engineHost: 'unix:///var/run/docker.sock',
    engine: {
      info: () => Promise.resolve(soundEngine),
      findImage: (reference) => Promise.resolve({ reference, id: 'sha256:1', createdWallMs: undefined }),
      pullImage: () => Promise.resolve(),
    },
    out: (text) => said.push(text),
    err: (text) => said.push(text),
    run: (file, args) => {
      const line = [file, ...args].join(' ');
      ran.push(line);
      const answer = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1];
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '', ...answer });
    },
    planctonctl: (...args) => {
      ran.push(['planctonctl', ...args].join(' '));
      return Promise.resolve(0);
    },
    spawnPlanctonctl: () => ({ ended: Promise.resolve(0), kill: () => undefined }),
    onSignal: () => undefined,
    stdoutIsTerminal: false,
    readStatus: () => undefined,
    importImage: () => Promise.resolve(),
    freeBytes: () => Promise.resolve(100 * 1024 ** 3),
    cloneConfig: (_, into) => {
      mkdirSync(into, { recursive: true });
      writeFileSync(join(into, 'config.yaml'), 'max_docks: 1\n');
      return Promise.resolve();
    },
    checkConfig: () => Promise.resolve({ ok: true, config: aConfig(), warnings: [] }),
    ask: () => Promise.resolve(undefined),
    ...overrides,
  };
  return { dir, context, said, ran };
}

function makePlaces(dir: string): Places {
  const places: Places = {
    confDir: join(dir, 'etc/plancton'),
    stateDir: join(dir, 'var/lib/plancton'),
    policyFile: join(dir, 'etc/plancton-policy.yaml'),
    runDir: join(dir, 'run/plancton'),
    unitDir: join(dir, 'etc/systemd/system'),
    systemdRunDir: join(dir, 'run/systemd/system'),
    osRelease: join(dir, 'etc/os-release'),
    nodeFile: process.execPath,
    planctonctlFile: join(dir, 'planctonctl.js'),
    templates: join(import.meta.dirname, '../../systemd'),
    demoConfig: join(import.meta.dirname, '../../conf/demo.yaml'),
  };
  for (const folder of ['etc', 'run/systemd/system', 'var/lib']) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(places.osRelease, 'ID=debian\n');
  writeFileSync(places.planctonctlFile, '');
  return places;
}
