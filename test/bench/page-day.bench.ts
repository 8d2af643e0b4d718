import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { JOURNAL_FOLDER } from '../../src/journal/journal.js';
import { openPage } from '../support/browser.js';
import { freePort } from '../support/free-port.js';
import { benchSite, ctl } from './bench-site.js';
import { writeMadeUpDay } from './made-up-day.js';
import { quick } from './measure.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { median } from './statistics.js';
import { startStubEngine, stubbed } from './stub-engine.js';

const rounds = quick ? 4 : 20;
const pilots = 200;
/** The daemon reads its journal anew for who asks later than this. */
const freshSeconds = 11;
/** None of the pilots that are there ends. */
const lifetimes = [86_400_000, 86_400_000] as const;

/** Ms since the navigation, or of what was done in between. */
interface Seen {
  /** When the frame began that follows the one in which so many lives were drawn. */
  readonly shownMs: number;
  /** From the question for the last day to the end of its answer. */
  readonly historyMs: number;
  /** Drawing both charts and the tables. */
  readonly drawMs: number;
  /** The longest time in which the page did not listen. */
  readonly longestTaskMs: number;
}

/** For the browser, which has other types than Node: what was seen once so many lives are. */
const watch = (lives: number) => `
  let longestTaskMs = 0;
  new PerformanceObserver((list) => {
    longestTaskMs = Math.max(longestTaskMs, ...list.getEntries().map(({ duration }) => duration));
  }).observe({ type: 'longtask', buffered: true });
  const durationOf = (entries) => entries.at(-1)?.duration;
  globalThis.seen = new Promise((resolve) => {
    const tell = (shownMs) => {
      const asked = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/api/v1/history'));
      const drawMs = durationOf(performance.getEntriesByName('drawn'));
      resolve({ shownMs, drawMs, historyMs: durationOf(asked), longestTaskMs });
    };
    const look = () => {
      const label = document.getElementById('pilot-chart')?.getAttribute('aria-label') ?? '';
      const isDrawn = Number(/lives of (\\d+)/.exec(label)?.[1] ?? 0) >= ${lives};
      requestAnimationFrame(isDrawn ? tell : look);
    };
    look();
  });`;

async function load(page: Page, address: string): Promise<Seen> {
  await page.goto('about:blank');
  await systemClock.sleep(freshSeconds * 1000);
  await page.goto(`http://${address}/`);
  return page.evaluate<Seen>('globalThis.seen');
}

it('draws a day at once', async () => {
  const engine = await startStubEngine(lifetimes);
  const address = `127.0.0.1:${await freePort()}`;
  const site = benchSite({ ...stubbed(pilots), http_address: address }, { dockerHost: engine.host });
  const state = join(site.runDir, 'state');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const lives = await writeMadeUpDay(join(state, JOURNAL_FOLDER), pilots, systemClock.now().wallMs);
  await ctl(site, 'start');
  await site.untilRunning(pilots);
  const { page } = await openPage({ width: 1280, height: 900 });
  await page.addInitScript(watch(lives));
  const loads: Seen[] = [];
  for (let round = 0; round < rounds; round += 1) loads.push(await load(page, address));

  const values = (key: keyof Seen) => loads.map((seen) => seen[key]);
  const row = (what: string, key: keyof Seen) => [what, median(values(key)), Math.max(...values(key))];
  report('page-day', {
    head: [`2,880 looks, ${lives} pilots in ${pilots} slots, ${rounds} times`, 'median, ms', 'worst, ms'],
    rows: [
      row('from the navigation until the day is seen', 'shownMs'),
      row('of that, until the daemon has told it', 'historyMs'),
      row('of that, drawing it', 'drawMs'),
      row('longest time in which the page does not listen', 'longestTaskMs'),
    ],
    verdicts: [
      atMost('until the day is seen, median, ms', 1000, median(values('shownMs'))),
      atMost('until the day is seen, worst, ms', 1000, Math.max(...values('shownMs'))),
    ],
    raw: { 'until the day is seen, ms': values('shownMs'), 'drawing, ms': values('drawMs') },
  });
});
