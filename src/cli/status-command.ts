import { existsSync } from 'node:fs';
import type { CliContext, CliOptions } from './context.js';
import { explainError, statusCodes } from './exit-codes.js';
import { resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { readStatusFile } from './status-file.js';
import { formatStatus } from './status-text.js';

/** Prints how the daemon is and creates nothing. Returns the exit code that the Linux Standard Base asks for. */
export function showStatus(context: CliContext, options: CliOptions & { readonly json?: boolean }): number {
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
    const leftOver = existsSync(paths.pidFile);
    const text = leftOver
      ? `plancton is not running, but ${paths.pidFile} was left behind: it was killed, or the host went down`
      : 'plancton is not running';
    context.out(options.json ? JSON.stringify({ ...stub, running: false }) : text);
    return leftOver ? statusCodes.deadWithPidFile : statusCodes.stopped;
  }
  const status = readStatusFile(paths.runDir);
  if (status === undefined) {
    const { pid } = holder;
    const text = `plancton is starting (pid ${pid ?? 'not known yet'})`;
    context.out(options.json ? JSON.stringify({ ...stub, running: true, pid }) : text);
    return statusCodes.running;
  }
  const shown = options.json
    ? JSON.stringify({ ...status, running: true }, null, 2)
    : formatStatus(status, context.clock.now().wallMs);
  context.out(shown);
  return statusCodes.running;
}
