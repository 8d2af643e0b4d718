import { existsSync } from 'node:fs';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';

const unit = 'plancton.service';
const askDeadlineMs = 5000;
/** Longer than the unit's own deadlines for starting and stopping. */
const changeDeadlineMs = 200_000;
const bootedBySystemd = '/run/systemd/system';

/** Whether this command means the daemon that systemd looks after: root's, at the usual places, with the unit enabled. */
export async function concernsUnit(context: CliContext, options: CliOptions): Promise<boolean> {
  const special = Object.values(options).some((value) => value !== undefined && value !== false);
  if (special || context.uid !== 0 || !existsSync(bootedBySystemd)) return false;
  const answer = await context.run('systemctl', ['is-enabled', '--quiet', unit], askDeadlineMs);
  return answer.exitCode === 0;
}

/** Whether systemd runs, starts or stops the daemon just now. */
export async function unitIsUp(context: CliContext): Promise<boolean> {
  const answer = await context.run('systemctl', ['show', '--property=ActiveState', '--value', unit], askDeadlineMs);
  return ['active', 'activating', 'reloading', 'deactivating'].includes(answer.stdout.trim());
}

/** Lets systemd start or stop the daemon, and says so. Returns the exit code: the daemon's own where a start failed. */
export async function changeUnit(context: CliContext, verb: 'start' | 'stop'): Promise<number> {
  context.err(`plancton is looked after by systemd: systemctl ${verb} ${unit}`);
  const { exitCode, stderr } = await context.run('systemctl', [verb, unit], changeDeadlineMs);
  if (exitCode === 0) {
    context.out(verb === 'start' ? 'plancton is running' : 'plancton has stopped; its pilots go on');
    return exitCodes.ok;
  }
  context.err(`${stderr.trim()}\nwhy: journalctl -u ${unit} -n 20`);
  const status = await context.run('systemctl', ['show', '--property=ExecMainStatus', '--value', unit], askDeadlineMs);
  return Number(status.stdout) || exitCodes.tryLater;
}
