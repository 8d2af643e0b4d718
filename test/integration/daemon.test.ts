import { spawn, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { dockerCli } from '../support/docker-cli.js';
import { eventually, planctonSite, type PlanctonSite } from '../support/plancton-process.js';

// The whole daemon on a real engine: what unit and scenario tests show in the small holds here too.

const helpers: ChildProcess[] = [];

afterEach(() => {
  for (const helper of helpers.splice(0)) helper.kill('SIGKILL');
});

function aSite(): PlanctonSite {
  return planctonSite({ dockerHost: inject('dockerHost') });
}

/** Somebody else's work: a process that computes until the test ends. */
function ownerWork(): void {
  helpers.push(spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
}

describe('the daemon on a real engine', () => {
  it('refills slots while pilots come and go', async () => {
    const site = aSite();
    site.configure({ max_docks: 3, docker_cmd: '/bin/sleep 2' });
    await site.ctl('start');

    const status = await site.until('a dozen pilots have ended', ({ totals }) => totals.ended >= 12);

    expect(status.totals.failed).toBe(0);
    expect(status.pilots.length).toBeLessThanOrEqual(6);
  });

  it('replaces a pilot as soon as it has ended, however long it sleeps', async () => {
    const site = aSite();
    site.configure({ max_docks: 2, main_sleep: 300 });
    await site.ctl('start');
    await eventually('two pilots run', async () => (await site.pilotIds()).length === 2);
    const before = await site.pilotIds();

    await dockerCli(inject('dockerHost'), site.base)('kill', before[0] ?? '');
    await eventually('another pilot runs', async () => {
      const ids = await site.pilotIds();
      return ids.length === 2 && !ids.includes(before[0] ?? '');
    });

    expect(await site.pilotIds()).toContain(before[1]);
    expect((await site.status()).notices.join()).not.toContain('the engine does not tell');
  });

  it('never has more than max_docks pilots, whenever it is killed and started again', async () => {
    const site = aSite();
    site.configure({ max_docks: 4, docker_cmd: '/bin/sleep 3' });
    let most = 0;
    const watching = new AbortController();
    const watcher = (async () => {
      while (!watching.signal.aborted) {
        most = Math.max(most, (await site.pilotIds()).length);
        await systemClock.sleep(50);
      }
    })();

    for (const pauseMs of [350, 700, 1100, 1600, 2300]) {
      await site.ctl('start');
      await systemClock.sleep(pauseMs);
      process.kill(site.pid(), 'SIGKILL');
    }
    // On a slow machine the first of four would be over before the last has begun.
    site.configure({ max_docks: 4 });
    await site.ctl('start');
    await site.untilRunning(4);
    watching.abort();
    await watcher;

    expect(most).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(0);
  });

  it('gives the CPUs back when the owner wants them', async () => {
    const site = aSite();
    const busy = { max_docks: 2, docker_cmd: ['/bin/sh', '-c', 'while :; do :; done'] };
    site.configure(busy);
    await site.ctl('start');
    await site.untilRunning(2);

    for (let work = 0; work < 2 * cpus().length; work += 1) ownerWork();
    const yielding = {
      cpus: 'auto',
      cpu_slack: 0.05,
      evict_margin: 0,
      evict: 'always',
      grace_kill: 3,
      grace_spawn: 3600,
    };
    site.configure({ ...busy, ...yielding });
    const status = await site.until('the pilots are evicted', ({ totals }) => totals.evicted >= 2);

    expect(status.totals.evicted).toBe(2);
    await eventually('no pilot is left', async () => (await site.pilotIds()).length === 0);
    expect(site.log()).toMatch(/pilot evicted to make room/);
  });

  it('starts no more pilots than there is memory and disk for, and says so', async () => {
    const site = aSite();
    site.configure({ max_docks: 4, min_free_disk: '900T' });
    await site.ctl('start');
    await site.until('the disk is found too full', ({ holds }) => holds.some(({ gate }) => gate === 'disk'));
    expect((await site.ctl('status')).stdout).toMatch(/limited by +\d.* free on the engine's disk, min_free_disk/);

    site.configure({ max_docks: 4, max_dock_mem: '900T' });
    await site.until('memory is found too small for two', ({ holds }) => holds.some(({ gate }) => gate === 'memory'));
    const status = await site.untilRunning(1);
    expect(status.holds[0]?.text).toMatch(/memory available, pilots may yet take 90\d{4}\.\d GB of it/);

    site.configure({ max_docks: 4, max_dock_mem: '20M' });
    await site.untilRunning(1);
    expect((await site.ctl('status')).stdout).toMatch(/limited by .*memory available/);
    expect(site.log()).toMatch(/not more pilots because/);
  });

  it('freezes pilots while the owner wants the CPUs, and lets them go on when he is gone', async () => {
    const site = aSite();
    // Of the lowest weight, and crowded out, they would hardly get the CPU that it takes to stand still.
    const busy = { max_docks: 2, docker_cmd: ['/bin/sh', '-c', 'while :; do :; done'], nice: false };
    site.configure(busy);
    await site.ctl('start');
    await site.untilRunning(2);
    const before = await site.pilotIds();

    for (let work = 0; work < 2 * cpus().length; work += 1) ownerWork();
    const freezing = { reclaim: ['freeze', 'stop'], foreign_window: 1, grace_kill: 3, cpu_headroom: 1 };
    site.configure({ ...busy, ...freezing, cpus: 'auto', cpu_slack: 0.05, evict_margin: 0, evict: 'always' });
    await site.until('the pilots are frozen', ({ pilots }) => pilots.every(({ state }) => state === 'paused'));

    for (const helper of helpers.splice(0)) helper.kill('SIGKILL');
    site.configure(busy);
    const status = await site.untilRunning(2);
    expect(status.totals.evicted).toBe(0);
    expect(await site.pilotIds()).toEqual(before);
    expect(site.log()).toMatch(/pilot frozen to make room.*\n(.*\n)*.*pilot thawed/);
  });

  it('ends pilots at their time to live', async () => {
    const site = aSite();
    site.configure({ max_docks: 1, max_ttl: 4 });
    await site.ctl('start');
    await site.untilRunning(1);
    const [first] = await site.pilotIds();

    await eventually('another pilot runs', async () => {
      const ids = await site.pilotIds();
      return ids.length === 1 && ids[0] !== first;
    });

    expect(site.log()).toMatch(/its time to live was over/);
  });
});
