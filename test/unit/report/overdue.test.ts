import { describe, expect, it } from 'vitest';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { showStatus } from '../../../src/cli/status-command.js';
import { writeStatusFile } from '../../../src/cli/status-file.js';
import { systemClock } from '../../../src/clock.js';
import { aStatus } from '../../support/a-status.js';
import { recordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { tempDirectory } from '../../support/temp-directory.js';

/** The status of a daemon that holds its lock and ended its last cycle `ms` ago, with the next one 30 s later. */
async function statusAfter(ms: number, options: { json?: boolean } = {}, stepMs = 0) {
  const rundir = tempDirectory();
  const clock = createFakeClock();
  const attempt = await acquireProcessLock(rundir, 4711, systemClock);
  writeStatusFile(rundir, aStatus({ atBootMs: clock.now().bootMs, nextCycleInSeconds: 30 }));
  clock.suspend(ms);
  clock.stepWall(stepMs);
  const context = recordingContext({ clock });
  const exitCode = await showStatus(context, { rundir, ...options });
  if (attempt.held) attempt.lock.release();
  return { exitCode, text: context.stdout.join('\n') };
}

describe('the status of a daemon that hangs', () => {
  it('is 4 and tells since when there was no sign of life instead of the health of then', async () => {
    const { exitCode, text } = await statusAfter(300_000);
    expect(exitCode).toBe(4);
    expect(text).toMatch(/^no sign of life since 5 min: the daemon \(pid 4711\) hangs/);
    expect(text).not.toMatch(/health +ok/);
    expect(text).toContain('number 240');
  });

  it('is 4 in JSON too, with a mark', async () => {
    const { exitCode, text } = await statusAfter(300_000, { json: true });
    expect(exitCode).toBe(4);
    expect(JSON.parse(text)).toMatchObject({ running: true, overdue: true, cycles: 240 });
  });

  it.each([3, -3])('is told from a wall clock that was put by %i days', async (days) => {
    const stepMs = days * 86_400_000;
    expect((await statusAfter(0, {}, stepMs)).exitCode).toBe(0);
    expect((await statusAfter(300_000, {}, stepMs)).exitCode).toBe(4);
  });

  it.each([0, 30_000, 89_000])('is none as long as the next cycle may be under way (%i ms)', async (ms) => {
    const { exitCode, text } = await statusAfter(ms);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/health +ok/);
    expect(JSON.parse((await statusAfter(ms, { json: true })).text)).toMatchObject({ overdue: false });
  });
});
