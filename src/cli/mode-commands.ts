import type { RunMode } from '../model.js';
import { readRunMode, requestMode } from '../observe/run-mode.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { claimDirectories, resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { readStatusFile } from './status-file.js';

const pollMs = 50;
/** A daemon that waits for its engine takes no note of requests meanwhile. */
const noticeMs = 10_000;

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

/** Asks for a mode, of the daemon that runs or of the next one, waits until it has taken note and says what that means. Returns the exit code. */
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
  if (lockHolder(runDir) === undefined) {
    context.out(done[mode].stopped);
    return exitCodes.ok;
  }
  switch (await waitForNotice(context, runDir, mode)) {
    case 'noted':
      context.out(done[mode].running);
      return exitCodes.ok;
    case 'ended':
      // Which is what a drain-stop is for.
      context.out(mode === 'drain-stop' ? done[mode].running : done[mode].stopped);
      return exitCodes.ok;
    case 'late':
      context.err(
        `plancton has not taken note within ${noticeMs / 1000} s; the request stays, and \`planctonctl status\` tells what it waits for`,
      );
      return exitCodes.tryLater;
  }
}

/** Until the daemon says that it is in this mode, or another request that goes first; or it has ended, or lets one wait for too long. */
async function waitForNotice(
  { clock }: CliContext,
  runDir: string,
  mode: RunMode,
): Promise<'noted' | 'ended' | 'late'> {
  const endMs = clock.now().monoMs + noticeMs;
  for (;;) {
    if (lockHolder(runDir) === undefined) return 'ended';
    const seen = readStatusFile(runDir)?.mode;
    if (seen === mode || (await readRunMode(runDir)) === 'force-stop') return 'noted';
    if (clock.now().monoMs >= endMs) return 'late';
    await clock.sleep(pollMs);
  }
}
