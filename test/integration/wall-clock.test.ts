import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { pilotLabels } from '../../src/engine/pilot-container.js';
import { dockerCli } from '../support/docker-cli.js';
import { planctonSite, type PlanctonSite } from '../support/plancton-process.js';
import { tempDirectory } from '../support/temp-directory.js';

// A daemon whose wall clock jumps, now here and now there; the engine and this test keep the right time.

const ttlSeconds = 12;
/** What a busy machine may need to look, to stop a pilot and to tell of it. */
const slackSeconds = 20;
/** Where the daemon is, and what two daemons in turn are told the time is; among it the change to and from summer time. */
const zones: [string, readonly (readonly [string, string])[]][] = [
  [
    'America/New_York',
    [
      ['+3d', '-3d'],
      ['@2026-03-08 01:59:55', '+0'],
    ],
  ],
  [
    'Europe/Berlin',
    [
      ['@2026-10-25 02:59:55', '+1h'],
      ['-50y', '+3d'],
    ],
  ],
  [
    'Pacific/Kiritimati',
    [
      ['+11y', '-3d'],
      ['-1h', '@2026-03-29 01:59:55'],
    ],
  ],
];

function fakeTimeLibrary(): string {
  const folders = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime', 'libfaketime.so.1'));
  const found = folders.find((file) => existsSync(file));
  if (found === undefined) throw new Error('faketime is not installed');
  return found;
}

/** Seconds that the pilots lived that have ended since then, by the boot clock; their birth is on a label. */
async function livesSince({ base }: PlanctonSite, sinceSeconds: number): Promise<readonly number[]> {
  const docker = dockerCli(inject('dockerHost'), base);
  const until = String(Math.ceil(Date.now() / 1000));
  // To the millisecond: the pilots of the test before were removed within the same second.
  const window = ['--since', sinceSeconds.toFixed(3), '--until', until];
  const filters = ['--filter', 'event=die', '--filter', `label=${pilotLabels.managed}=true`];
  const events = await docker('events', ...window, ...filters, '--format', '{{json .}}');
  const bootedMs = Date.now() - systemClock.now().bootMs;
  return events
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { timeNano, Actor } = JSON.parse(line) as {
        timeNano: number;
        Actor: { Attributes: Record<string, string> };
      };
      const bornMs = Number(Actor.Attributes[pilotLabels.spawnedBootMs]);
      return (timeNano / 1e6 - bootedMs - bornMs) / 1000;
    });
}

/** A site whose daemon has its time from `file`. */
function siteIn(zone: string, file: string): PlanctonSite {
  const env = {
    TZ: zone,
    LD_PRELOAD: fakeTimeLibrary(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return planctonSite({ dockerHost: inject('dockerHost'), env });
}

test.each(zones)('no pilot ends early and none late, whatever the wall clock says (%s)', async (zone, times) => {
  const file = join(tempDirectory(), 'time');
  const put = (time: string) => {
    writeFileSync(file, `${time}\n`);
  };
  put('+0');
  const site = siteIn(zone, file);
  site.configure({ max_ttl: ttlSeconds });
  const began = Date.now() / 1000;
  for (const [first, second] of times) {
    const daemon = site.spawnCtl('nodaemon');
    await site.untilRunning(2);
    for (const time of [first, second]) {
      put(time);
      await systemClock.sleep(7000);
    }
    // The next one finds the pilots of this one, by another clock.
    daemon.kill('SIGTERM');
    expect(await once(daemon, 'exit')).toEqual([0, null]);
  }
  const lives = await livesSince(site, began);
  expect(lives.length).toBeGreaterThanOrEqual(2);
  for (const seconds of lives) {
    expect(seconds).toBeGreaterThanOrEqual(ttlSeconds);
    expect(seconds).toBeLessThan(ttlSeconds + slackSeconds);
  }
  // It was really put: the log was written by that clock.
  expect(new Set(site.log().match(/^\d{4}-\d\d-\d\d/gm)).size).toBeGreaterThan(2);
});
