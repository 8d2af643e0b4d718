import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline/promises';
import { systemClock, type Clock } from '../../clock.js';
import { checkConfig } from '../../config/check-config.js';
import { cloneConfig } from '../../config/git/git-clone.js';
import type { Verdict } from '../../config/keeper.js';
import { openConfigSource } from '../../config/open-source.js';
import type { Config } from '../../config/schema.js';
import { asksForSignatures, type SignatureRules } from '../../config/signature.js';
import { withoutUserinfo } from '../../config/source-line.js';
import { discreet } from '../../engine/discreet-engine.js';
import { createDockerEngine } from '../../engine/docker-engine.js';
import { createDiskGauge } from '../../observe/disk-gauge.js';
import { readHostFacts } from '../../observe/host-facts.js';
import { readPolicyFile } from '../../policy/policy-file.js';
import { readSignatureRules } from '../../policy/signature-rules.js';
import { engineHost as engineHostOf } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { ownPlaces, resolvePaths } from '../paths.js';
import { runCommand } from '../run-command.js';
import { readStatusFile } from '../status-file.js';
import type { BootstrapContext, Companion, Places } from './context.js';
import { importImage } from './import-image.js';

const cloneDeadlineMs = 120_000;

function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

function systemPlaces(): Places {
  const { confDir, stateDir, runDir, policyFile } = resolvePaths({}, { uid: 0, home: '/root' });
  return {
    confDir,
    stateDir,
    policyFile,
    runDir,
    unitDir: '/etc/systemd/system',
    systemdRunDir: '/run/systemd/system',
    osRelease: '/etc/os-release',
    nodeFile: process.execPath,
    planctonctlFile: packageFile('bin/planctonctl.js'),
    templates: packageFile('systemd'),
    demoConfig: packageFile('conf/demo.yaml'),
  };
}

async function signatureRules(policyFile: string): Promise<SignatureRules> {
  const uid = process.getuid?.() ?? 0;
  return readSignatureRules(await readPolicyFile(policyFile, uid), uid);
}

/** The configuration in a folder, as the daemon of this host would see it. */
async function verdictOn(confDir: string, clock: Clock, policyFile: string): Promise<Verdict<Config>> {
  const host = await readHostFacts({ clock, procRoot: '/proc' });
  const { hostname } = host;
  // What git needs for itself must not be left behind where nothing was installed.
  const stateDir = mkdtempSync(join(tmpdir(), 'plancton-check-'));
  try {
    const signatures = () => signatureRules(policyFile);
    const options = { confDir, stateDir, hostname, clock, env: process.env, remoteIntervalMs: () => 0, signatures };
    const source = await openConfigSource(options);
    return checkConfig((await source.current()).layers, host);
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** Its own process group: a Ctrl-C in the terminal reaches only us. What it says goes to stderr. */
function spawnPlanctonctl({ nodeFile, planctonctlFile }: Places, args: readonly string[]): Companion {
  const child = spawn(nodeFile, [planctonctlFile, ...args], {
    stdio: ['ignore', process.stderr, process.stderr],
    detached: true,
  });
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => {
      resolve(exitCodes.unavailable);
    });
    child.on('exit', (code) => {
      resolve(code ?? exitCodes.software);
    });
  });
  return { ended, kill: () => child.kill('SIGKILL') };
}

async function ask(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-D is no answer, and so a no.
  const ended = new Promise<string>((resolve) => {
    terminal.once('close', () => {
      resolve('');
    });
  });
  const answer = await Promise.race([terminal.question(question), ended]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** This host as it is. */
export function createBootstrapContext(): BootstrapContext {
  const clock = systemClock;
  const askDisk = createDiskGauge(clock);
  const places = systemPlaces();
  const engineHost = engineHostOf({}, { env: process.env });
  const { registryAuthFile } = resolvePaths({}, { uid: 0, home: '/root' });
  return {
    uid: process.getuid?.() ?? 0,
    env: process.env,
    clock,
    places,
    own: ownPlaces(resolvePaths({}, { uid: 0, home: '/root' }), places.planctonctlFile),
    engineHost,
    engine: discreet(createDockerEngine({ clock, host: engineHost, registryAuthFile }), withoutUserinfo),
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    run: runCommand,
    planctonctl: (...args) => spawnPlanctonctl(places, args).ended,
    spawnPlanctonctl: (...args) => spawnPlanctonctl(places, args),
    onSignal: (signal, listener) => process.on(signal, listener),
    stdoutIsTerminal: process.stdout.isTTY && process.env['TERM'] !== 'dumb',
    readStatus: readStatusFile,
    importImage: (tarFile, reference) => importImage(engineHost, tarFile, reference, clock),
    freeBytes: async (path) => {
      if (!existsSync(path)) return undefined;
      const { freeBytes } = await askDisk(path);
      return freeBytes;
    },
    cloneConfig: async ({ url, branch }, into) => {
      const wantsTags = asksForSignatures(await signatureRules(places.policyFile));
      await cloneConfig({ url, branch, into, env: process.env, clock, deadlineMs: cloneDeadlineMs, wantsTags });
    },
    checkConfig: (dir) => verdictOn(dir, clock, places.policyFile),
    ask,
  };
}
