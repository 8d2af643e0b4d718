import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { JOURNAL_FOLDER } from '../../src/journal/journal.js';
import { freePort } from '../support/free-port.js';
import { benchSite, ctl } from './bench-site.js';
import { heapProbe } from './heap-probe.js';
import { cpuSecondsOf, quick, residentMbOf } from './measure.js';
import { bringOnlookers } from './onlookers.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { slope } from './statistics.js';
import { startStubEngine, stubbed } from './stub-engine.js';

const records = quick ? 10_000 : 1_000_000;
const slots = 64;
/** Ms, the shortest and the longest. */
const lifetimes = [100, 500] as const;
const lookSeconds = quick ? 1 : 5;
/** Parts of the records after which the heap is looked at. */
const heapLooks = [0.1, 0.55, 1] as const;

/** Counts the lines that were ever written to a ring of files; to be called more often than its oldest one goes. */
function lineCounter(folder: string): () => number {
  const seen = new Map<string, { readonly bytes: number; readonly lines: number }>();
  return () => {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      // Of all but the last one nothing changes.
      if (statSync(file).size === seen.get(name)?.bytes) continue;
      const content = readFileSync(file);
      seen.set(name, { bytes: content.length, lines: content.filter((byte) => byte === 0x0a).length });
    }
    return [...seen.values()].reduce((sum, { lines }) => sum + lines, 0);
  };
}

it('stays as small as it was', async () => {
  const engine = await startStubEngine(lifetimes);
  const heap = heapProbe();
  const address = `127.0.0.1:${await freePort()}`;
  const site = benchSite({ ...stubbed(slots), http_address: address }, { dockerHost: engine.host, env: heap.env });
  await ctl(site, 'start');
  const onlookers = await bringOnlookers(site.runDir, address);
  const count = lineCounter(join(site.runDir, 'state', JOURNAL_FOLDER));
  const pid = site.pid();
  const [from, cpuBefore] = [systemClock.now(), cpuSecondsOf(pid)];
  const [resident, written, heaps]: [number[], number[], number[]] = [[], [], []];
  const dueHeaps = heapLooks.map((share) => share * records);
  let total = 0;
  while (total < records) {
    await systemClock.sleep(lookSeconds * 1000);
    total = count();
    written.push(total);
    resident.push(residentMbOf(pid));
    if (total < (dueHeaps[0] ?? Infinity)) continue;
    dueHeaps.shift();
    heaps.push(await heap.heapMbOf(pid));
  }
  const minutes = (systemClock.now().monoMs - from.monoMs) / 60_000;
  const cpuShare = (cpuSecondsOf(pid) - cpuBefore) / (60 * minutes);
  const ended = engine.events.filter(({ action }) => action === 'die').length;
  onlookers.stop();
  await ctl(site, 'force-stop');

  const half = Math.floor(resident.length / 2);
  const [first = NaN, last = NaN] = [heaps[0], heaps.at(-1)];
  const eachLook = (total - (written[half] ?? NaN)) / (written.length - 1 - half);
  const growth = (slope(resident.slice(half)) * 100_000) / eachLook;
  report('week', {
    head: [`${slots} slots, pilots of ${lifetimes.join(' to ')} ms, an engine without containers`, 'figure'],
    rows: [
      ['events in the journal', total],
      ['pilots ended', ended],
      ['minutes', minutes],
      ['CPU of the daemon, %', 100 * cpuShare],
      ['heap after collection, MB, after 10, 55 and 100 % of the events', heaps.map((mb) => mb.toFixed(1)).join(', ')],
      [
        'resident memory, MB, in the middle and at the end',
        `${(resident[half] ?? NaN).toFixed(1)}, ${(resident.at(-1) ?? NaN).toFixed(1)}`,
      ],
      ['most resident memory, MB', Math.max(...resident)],
    ],
    verdicts: [
      atMost('growth of the heap after collection, from 10 % of the events on, MB', 1, last - first),
      atMost('growth of resident memory in the second half, MB for 100,000 events', 1, growth),
    ],
    raw: { 'resident MB': resident, 'events so far': written, 'heap MB': heaps },
  });
});
