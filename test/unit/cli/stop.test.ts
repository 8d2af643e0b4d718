import { describe, expect, it } from 'vitest';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { stop } from '../../../src/cli/start-stop.js';
import { systemClock } from '../../../src/clock.js';
import { recordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { tempDirectory } from '../../support/temp-directory.js';

describe('stop', () => {
  it('says every ten seconds what it waits for, and kills a daemon that hangs after two minutes', async () => {
    const rundir = tempDirectory();
    const attempt = await acquireProcessLock(rundir, 4711, systemClock);
    const clock = createFakeClock();
    const signals: string[] = [];
    const context = recordingContext({
      clock,
      kill: (pid, signal) => {
        signals.push(`${signal} ${pid}`);
        // What the system does.
        if (signal === 'SIGKILL' && attempt.held) attempt.lock.release();
      },
    });
    const stopping = stop(context, { rundir });
    while (clock.sleepers === 0) await systemClock.sleep(5);
    await clock.advance(9000);
    expect(context.stderr).toEqual([]);
    await clock.advance(2000);
    expect(context.stderr).toEqual([expect.stringMatching(/pid 4711.*for 10 s now; after 120 s it is killed/)]);
    await clock.advance(108_000);
    expect(context.stderr).toHaveLength(11);
    expect(signals).toEqual(['SIGTERM 4711']);
    await clock.advance(2000);
    expect(await stopping).toBe(0);
    expect(signals).toEqual(['SIGTERM 4711', 'SIGKILL 4711']);
  });
});
