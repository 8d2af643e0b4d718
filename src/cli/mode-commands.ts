import { readRunMode, requestMode } from '../observe/run-mode.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { claimDirectories, resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';

/** What a request means for the daemon that runs, and where none does. */
const done = {
  drain: {
    running: 'draining: no new pilots are started, running ones may finish; `planctonctl resume` ends it',
    stopped: 'plancton is not running; once started, it starts no pilots until `planctonctl resume`',
  },
  'drain-stop': {
    running: 'draining: no new pilots are started, and the daemon ends with the last one',
    stopped: 'plancton is not running; once started, it starts no pilots until `planctonctl resume`',
  },
  active: {
    running: 'resumed: pilots are started again',
    stopped: 'plancton is not running; no drain and no force-stop is left, and it starts pilots once it is started',
  },
} as const;

/** Asks for a mode, of the daemon that runs or of the next one, and says what that means. Returns the exit code. */
export async function changeMode(context: CliContext, options: CliOptions, mode: keyof typeof done): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  claimDirectories([runDir]);
  await requestMode(runDir, mode);
  if ((await readRunMode(runDir)) === 'force-stop') {
    context.out(
      'a force-stop is not finished and goes first: all pilots are removed; `planctonctl resume` calls it off',
    );
    return exitCodes.ok;
  }
  context.out(done[mode][lockHolder(runDir) === undefined ? 'stopped' : 'running']);
  return exitCodes.ok;
}
