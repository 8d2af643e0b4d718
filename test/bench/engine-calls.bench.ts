import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { planctonSite } from '../support/plancton-process.js';
import { tempDirectory } from '../support/temp-directory.js';
import { startCountingProxy } from './counting-proxy.js';
import { printTable, quick } from './measure.js';

const seconds = quick ? 15 : 60;

it('asks the engine no more often with more pilots', async () => {
  const rows: (string | number)[][] = [];
  for (const pilots of [1, 8, 24]) {
    const proxy = await startCountingProxy(join(tempDirectory(), 'proxy.sock'), inject('dockerHost'));
    onTestFinished(() => proxy.stop());
    const site = planctonSite({ dockerHost: proxy.host, env: { PLANCTON_LOG_LEVEL: 'info' } });
    site.configure({
      max_docks: pilots,
      cpus: 24,
      cpus_per_dock: 0.5,
      docks_per_loop: 24,
      docker_cmd: '/bin/sleep 3600',
    });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    await site.untilRunning(pilots);
    await systemClock.sleep(5000);
    const cyclesBefore = (await site.status()).cycles;
    const callsBefore = proxy.calls.length;
    await systemClock.sleep(seconds * 1000);
    const calls = proxy.calls.slice(callsBefore);
    const cycles = (await site.status()).cycles - cyclesBefore;
    rows.push([pilots, cycles, calls.length, calls.length / cycles, tally(calls)]);
    await site.ctl('force-stop');
  }
  printTable(['pilots', 'cycles', 'calls', 'calls a cycle', 'which'], rows);
});

function tally(calls: readonly string[]): string {
  const kinds = [...new Set(calls)];
  return kinds.map((kind) => `${calls.filter((call) => call === kind).length} ${kind}`).join(', ');
}
