import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, exitCodes } from '../exit-codes.js';
import { confinementOf } from './confinement.js';
import type { BootstrapContext } from './context.js';
import { readCrontab, withoutOurLine, withOurLine, writeCrontab } from './crontab.js';
import { reapName, serviceName, sliceName, timerName, writeUnits } from './unit-file.js';

const quickMs = 30_000;
/** Longer than the unit's own deadlines. */
const changeMs = 300_000;
const usualEngine = 'unix:///var/run/docker.sock';

async function systemctl(context: BootstrapContext, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await context.run('systemctl', args, changeMs);
  if (exitCode === 0) return;
  throw new CliError(
    exitCodes.unavailable,
    `systemctl ${args.join(' ')} failed: ${stderr.trim()}; why: journalctl -u ${serviceName} -n 20`,
  );
}

async function mustRun(context: BootstrapContext, ...args: string[]): Promise<void> {
  const exitCode = await context.planctonctl(...args);
  if (exitCode !== 0) throw new CliError(exitCode, `planctonctl ${args.join(' ')} failed, see above`);
}

/** For a daemon that inherits no environment from us. */
function engineOption({ engineHost }: BootstrapContext): string[] {
  return engineHost === usualEngine ? [] : ['--engine', engineHost];
}

async function isActive(context: BootstrapContext): Promise<boolean> {
  return (await context.run('systemctl', ['is-active', '--quiet', serviceName], quickMs)).exitCode === 0;
}

/** Has the host start Plancton at every boot, and starts it now. Can be repeated. Throws a CliError. */
export async function installService(context: BootstrapContext): Promise<void> {
  if (existsSync(context.places.systemdRunDir)) await installUnit(context);
  else await installCronLine(context);
}

async function installUnit(context: BootstrapContext): Promise<void> {
  const { places, engineHost } = context;
  const confinement = await confinementOf(context);
  const changed = writeUnits(places, confinement, engineHost === usualEngine ? undefined : engineHost);
  // A daemon that somebody started by hand would keep the unit from starting; its pilots are adopted.
  const byHand = context.readStatus(places.runDir) !== undefined && !(await isActive(context));
  if (byHand) await mustRun(context, 'stop');
  await systemctl(context, 'daemon-reload');
  await systemctl(context, 'enable', '--quiet', serviceName);
  // First: it ends expired pilots where the daemon does not come up.
  await systemctl(context, 'enable', '--quiet', '--now', timerName);
  await systemctl(context, changed ? 'restart' : 'start', serviceName);
  context.out(`${serviceName} is enabled and runs`);
}

async function installCronLine(context: BootstrapContext): Promise<void> {
  const { nodeFile, planctonctlFile, stateDir } = context.places;
  const before = await readCrontab(context);
  const after = withOurLine(before ?? '', [nodeFile, planctonctlFile, ...engineOption(context), 'start']);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (after !== before) await writeCrontab(context, after, stateDir);
  await mustRun(context, ...engineOption(context), 'start');
  context.out("this host has no systemd: root's crontab starts plancton at boot");
}

/** Undoes installService; pilots go on. Throws a CliError. */
export async function removeService(context: BootstrapContext): Promise<void> {
  const { places } = context;
  if (existsSync(places.systemdRunDir)) await removeUnit(context);
  const crontab = await readCrontab(context);
  if (crontab !== undefined && withoutOurLine(crontab) !== crontab) {
    await writeCrontab(context, withoutOurLine(crontab), places.stateDir);
  }
  await mustRun(context, 'stop');
}

async function removeUnit(context: BootstrapContext): Promise<void> {
  const { places } = context;
  const unit = join(places.unitDir, serviceName);
  const slice = join(places.unitDir, sliceName);
  if (existsSync(unit) && readFileSync(unit, 'utf8').includes('plancton-bootstrap')) {
    await systemctl(context, 'disable', '--quiet', '--now', serviceName);
    rmSync(unit);
  }
  if (existsSync(join(places.unitDir, timerName))) {
    await systemctl(context, 'disable', '--quiet', '--now', timerName);
    for (const name of [timerName, reapName]) rmSync(join(places.unitDir, name), { force: true });
  }
  if (existsSync(slice)) {
    // Pilots that still run keep their low weight until the next boot, when there are none.
    copyFileSync(slice, join(places.systemdRunDir, sliceName));
    rmSync(slice);
  }
  await systemctl(context, 'daemon-reload');
  await context.run('systemctl', ['reset-failed', serviceName], quickMs);
}
