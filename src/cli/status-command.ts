import type { SeenMode } from '../model.js';
import { readRunMode } from '../observe/run-mode.js';
import type { Status } from '../report/status.js';
import type { CliContext, CliOptions } from './context.js';
import { explainError, statusCodes } from './exit-codes.js';
import { cycleMarginMs, isOverdue } from '../report/overdue.js';
import { resolvePaths } from './paths.js';
import { hasPidFile } from './pid-file.js';
import { lockHolder } from './process-lock.js';
import { NO_STATUS, readStatusFile } from './status-file.js';
import { formatAge } from '../report/status-words.js';
import { formatStatus } from './status-text.js';
import { jsonText } from './json-text.js';

/** What was asked for and waits for the next daemon. */
const waitingRequests: Record<SeenMode, string> = {
  active: '',
  unknown: '',
  drain: '; it is drained: once started it starts no pilots until `planctonctl resume`',
  'drain-stop': '; it is drained: once started it starts no pilots until `planctonctl resume`',
  'force-stop': '; a force-stop is not finished: `planctonctl force-stop` goes on, `planctonctl resume` calls it off',
};

/** Prints how the daemon is and creates nothing. Returns the exit code that the Linux Standard Base asks for. */
export async function showStatus(
  context: CliContext,
  options: CliOptions & { readonly json?: boolean },
): Promise<number> {
  const paths = resolvePaths(options, context);
  let holder: ReturnType<typeof lockHolder>;
  try {
    holder = lockHolder(paths.runDir);
  } catch (error) {
    context.err(`planctonctl: ${explainError(error).text}`);
    return statusCodes.unknown;
  }
  const stub = { apiVersion: 'plancton/v1', kind: 'Status' } as const;
  if (holder === undefined) {
    const leftOver = hasPidFile(paths.pidFile);
    const text = leftOver
      ? `plancton is not running, but ${paths.pidFile} was left behind: it was killed, or the host went down`
      : 'plancton is not running';
    const mode = await readRunMode(paths.runDir).catch(() => 'unknown' as const);
    context.out(options.json ? jsonText({ ...stub, running: false, mode }) : text + waitingRequests[mode]);
    return leftOver ? statusCodes.deadWithPidFile : statusCodes.stopped;
  }
  const status = readStatusFile(paths.runDir);
  if (status === undefined) {
    const { pid } = holder;
    const text = `plancton ${NO_STATUS} (pid ${pid ?? 'not known yet'})`;
    context.out(options.json ? jsonText({ ...stub, running: true, pid }) : text);
    return statusCodes.running;
  }
  return show(context, status, options.json === true);
}

/** A daemon that holds its lock and does not come back from a cycle is neither running nor stopped. */
function show(context: CliContext, status: Status, json: boolean): number {
  const { wallMs, bootMs } = context.clock.now();
  const sinceMs = bootMs - status.atBootMs;
  const overdue = isOverdue(status, sinceMs, cycleMarginMs);
  const exitCode = overdue ? statusCodes.unknown : statusCodes.running;
  if (json) {
    context.out(jsonText({ ...status, running: true, overdue }, 2));
    return exitCode;
  }
  if (!overdue) {
    context.out(formatStatus(status, wallMs));
    return exitCode;
  }
  const trouble = `no sign of life since ${formatAge(sinceMs / 1000)}`;
  context.out(`${trouble}: the daemon (pid ${status.pid}) hangs or is halted; what it said last:`);
  // Its last word on its health is no news of now.
  context.out(formatStatus({ ...status, health: 'waiting', trouble }, wallMs));
  return exitCode;
}
