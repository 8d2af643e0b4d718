import { requestMode } from '../observe/run-mode.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { createDirectories, resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';

const done = {
  drain: 'draining: no new pilots are started, running ones may finish; `planctonctl resume` ends it',
  'drain-stop': 'draining: no new pilots are started, and the daemon ends with the last one',
  active: 'resumed: pilots are started again',
} as const;

/** Asks for a mode, of the daemon that runs or of the next one, and says what that means. Returns the exit code. */
export async function changeMode(context: CliContext, options: CliOptions, mode: keyof typeof done): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  createDirectories([runDir]);
  await requestMode(runDir, mode);
  context.out(done[mode]);
  if (lockHolder(runDir) === undefined) context.out('plancton is not running; this holds from its next start');
  return exitCodes.ok;
}
