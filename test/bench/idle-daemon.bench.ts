import { spawn } from 'node:child_process';
import { expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { planctonSite } from '../support/plancton-process.js';
import { cpuSecondsOf, printTable, quick, residentMbOf } from './measure.js';

const slots = 24;
const minutes = quick ? 1 : 10;

it('costs little while its pilots work', async () => {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => {
    bare.kill();
  });
  const site = planctonSite({ dockerHost: inject('dockerHost'), env: { PLANCTON_LOG_LEVEL: 'info' } });
  const asItComes = { main_sleep: 30, updateconfig: 60 };
  site.configure({
    max_docks: slots,
    cpus: slots,
    cpus_per_dock: 0.5,
    docker_cmd: '/bin/sleep 3600',
    docks_per_loop: slots,
    ...asItComes,
  });
  expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
  await site.untilRunning(slots);
  // What the start cost is not what it costs to run.
  await systemClock.sleep(35_000);
  const processes = [
    { what: `the daemon with ${slots} idle pilots`, pid: site.pid() },
    { what: 'a bare Node process with a timer', pid: bare.pid ?? 0 },
  ];
  const before = processes.map(({ pid }) => cpuSecondsOf(pid));
  const memory = processes.map((): number[] => []);
  for (let minute = 0; minute < minutes; minute += 1) {
    await systemClock.sleep(60_000);
    processes.forEach(({ pid }, index) => memory[index]?.push(residentMbOf(pid)));
  }
  printTable(
    [`over ${minutes} min`, 'CPU seconds', 'resident MB at the end', 'most'],
    processes.map(({ what, pid }, index) => {
      const resident = memory[index] ?? [];
      return [what, cpuSecondsOf(pid) - (before[index] ?? NaN), resident.at(-1) ?? NaN, Math.max(...resident)];
    }),
  );
});
