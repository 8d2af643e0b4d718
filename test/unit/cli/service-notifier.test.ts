import { describe, expect, it } from 'vitest';
import { createServiceNotifier } from '../../../src/cli/service-notifier.js';
import { aStatus } from '../../support/a-status.js';
import { recordingContext } from '../../support/cli-context.js';
import { createFakeClock } from '../../support/fake-clock.js';

const underSystemd = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '120000000' };

function aNotifier(env: Record<string, string>) {
  const clock = createFakeClock();
  const context = recordingContext({ clock, env });
  const stop = new AbortController();
  return { clock, commands: context.commands, stop, notifier: createServiceNotifier(context, stop.signal) };
}

/** How often the watchdog was fed. */
function feeds(commands: readonly string[]): number {
  return commands.filter((command) => command.includes('WATCHDOG=1')).length;
}

describe('the service notifier', () => {
  it('says ready, feeds the watchdog with every cycle, and tells the state in one line', async () => {
    const { notifier, commands } = aNotifier(underSystemd);
    notifier.ready();
    notifier.cycle(aStatus({ mode: 'drain' }));
    notifier.stopping();
    await notifier.flush();
    expect(commands).toEqual([
      'systemd-notify READY=1',
      'systemd-notify WATCHDOG=1 STATUS=1/4 pilots, drain',
      'systemd-notify STOPPING=1',
    ]);
  });

  it('is silent when systemd did not start the daemon', async () => {
    const { notifier, commands, clock } = aNotifier({});
    notifier.ready();
    notifier.cycle(aStatus());
    await clock.advance(600_000);
    await notifier.flush();
    expect(commands).toEqual([]);
  });

  it('feeds the watchdog all through a long sleep between two cycles', async () => {
    const { notifier, commands, clock } = aNotifier(underSystemd);
    notifier.cycle(aStatus({ nextCycleInSeconds: 300 }));
    await clock.advance(299_000);
    expect(feeds(commands)).toBeGreaterThanOrEqual(7);
  });

  it('lets the watchdog bite when the next cycle does not end', async () => {
    const { notifier, commands, clock } = aNotifier(underSystemd);
    notifier.cycle(aStatus({ nextCycleInSeconds: 30 }));
    await clock.advance(41_000);
    const before = feeds(commands);
    await clock.advance(600_000);
    expect(feeds(commands)).toBe(before);
  });

  it('does not pile up what a systemd that hangs does not take, and does not wait for it at the end', async () => {
    const { notifier, commands, clock } = aNotifier(underSystemd);
    // Nothing runs before the next turn, so all of these wait.
    for (let count = 0; count < 50; count += 1) notifier.cycle(aStatus());
    await clock.settle();
    expect(commands).toHaveLength(3);
  });

  it('does not vouch for a daemon that never had a cycle', async () => {
    const { commands, clock } = aNotifier(underSystemd);
    await clock.advance(600_000);
    expect(feeds(commands)).toBe(0);
  });

  it('ends a reload with the next cycle', async () => {
    const { notifier, commands } = aNotifier(underSystemd);
    notifier.reloading();
    notifier.cycle(aStatus());
    notifier.cycle(aStatus());
    await notifier.flush();
    expect(commands.map((command) => /RELOADING=1|READY=1/.exec(command)?.[0])).toEqual([
      'RELOADING=1',
      'READY=1',
      undefined,
    ]);
  });
});
