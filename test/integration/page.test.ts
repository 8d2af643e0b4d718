import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.js';
import { importBusybox } from '../support/busybox-image.js';
import { freePort } from '../support/free-port.js';
import { startLocalRegistry } from '../support/local-registry.js';
import { eventually, permissivePolicy, planctonSite, type PlanctonSite } from '../support/plancton-process.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Of the page in all, bytes. */
const mostBytes = 120_000;
const token = 'open-sesame-please';

let engine: PrivateEngine;
/** From a registry: one that nobody can pull is a trouble. */
let image: string;

beforeAll(async () => {
  engine = await startPrivateEngine();
  await importBusybox(engine);
  image = await (await startLocalRegistry(engine)).push('busybox', 'group/pilot:v1');
});
afterAll(() => engine.stop());

interface Shown {
  readonly site: PlanctonSite;
  readonly address: string;
}

/** A daemon with two pilots and a page. */
async function show(policy: Readonly<Record<string, unknown>> = {}): Promise<Shown> {
  const address = `127.0.0.1:${await freePort()}`;
  const site = planctonSite({ dockerHost: engine.host });
  writeFileSync(site.policyFile, JSON.stringify({ ...(JSON.parse(permissivePolicy) as object), ...policy }));
  site.configure({ http_address: address, docker_image: image });
  await begin({ site, address });
  return { site, address };
}

/** The address may be answered at a little later than pilots run, above all where they have run all along. */
async function begin({ site, address }: Shown): Promise<void> {
  await site.ctl('start');
  await site.untilRunning(2);
  const isServed = () =>
    fetch(`http://${address}/healthz`).then(
      () => true,
      () => false,
    );
  await eventually('the page is served', isServed);
}

/** What axe, which knows the rules for pages that everybody can use, has to say about it. */
async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: judge } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await judge.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

// For the browser, which has other types than Node.
const isAsWideAsItsScreen = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth';
const paper = 'getComputedStyle(document.body).backgroundColor';
const focused = 'document.activeElement?.textContent';

describe('the page', () => {
  it('shows what runs, an engine that stops and comes back, and a daemon that ends', async () => {
    const { site, address } = await show();
    const { page, complaints } = await openPage({ width: 1280, height: 900 });
    await page.goto(`http://${address}/`);
    await expect.poll(() => page.textContent('#health')).toBe('healthy');
    expect(await page.textContent('#sentence')).toContain('2 running, of 2 that fit');
    expect(await page.title()).toContain('healthy');
    await expect.poll(() => page.locator('#pilot-table tbody tr').count()).toBe(2);
    expect(await page.textContent('#limits')).toContain('max_docks');
    await expect.poll(() => page.textContent('#lines')).toContain('pilot started');
    await expect.poll(() => page.locator('#hours tbody tr').count()).toBeGreaterThan(0);
    expect(await page.getAttribute('#pilot-chart', 'aria-label')).toContain('2 pilots');
    expect(complaints).toEqual([]);

    engine.pause();
    await expect.poll(() => page.textContent('#health'), { timeout: 90_000 }).toBe('in trouble');
    await expect.poll(() => page.textContent('#faults')).toContain('Plancton:');
    expect(await page.textContent('#lines')).toContain('no word from the container engine');
    engine.resume();
    await expect.poll(() => page.textContent('#health'), { timeout: 90_000 }).toBe('healthy');
    expect(await page.locator('#faults *').count()).toBe(0);

    await site.ctl('stop');
    await expect.poll(() => page.textContent('#alarm')).toContain('no word from the daemon since');
    await site.ctl('start');
    await expect.poll(() => page.textContent('#alarm')).toBe('');
    await expect.poll(() => page.textContent('#link')).toContain('last cycle at');
  });

  it('is small, asks nobody else for anything, and is for everybody, in the light and in the dark, on a desk and on a phone', async () => {
    const { address } = await show();
    const papers = new Set<string>();
    for (const screen of [
      { width: 1280, height: 900 },
      { width: 390, height: 844, dark: true },
    ]) {
      const { page, requests, complaints } = await openPage(screen);
      await page.goto(`http://${address}/`);
      await expect.poll(() => page.textContent('#health')).toBe('healthy');
      await expect.poll(() => page.locator('canvas').count()).toBe(2);
      expect(await page.evaluate(isAsWideAsItsScreen)).toBe(true);
      expect(await barriers(page)).toEqual([]);
      papers.add(await page.evaluate<string>(paper));
      expect(requests.filter((url) => !url.startsWith(`http://${address}/`))).toEqual([]);
      expect(complaints).toEqual([]);
      const files = requests.filter((url) => !url.includes('/api/'));
      const sizes = await Promise.all(files.map(async (url) => (await (await fetch(url)).arrayBuffer()).byteLength));
      expect(sizes.every((size) => size > 0)).toBe(true);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(mostBytes);
      await page.keyboard.press('Tab');
      expect(await page.evaluate(focused)).toContain('Skip');
    }
    expect(papers.size).toBe(2);
  });

  it('lets nobody change anything where the host has no token', async () => {
    const { address } = await show();
    const { page } = await openPage({ width: 800, height: 600 });
    await page.goto(`http://${address}/`);
    await expect.poll(() => page.textContent('#health')).toBe('healthy');
    expect(await page.isVisible('#drain')).toBe(false);
    const refused = await fetch(`http://${address}/api/v1/drain`, { method: 'POST' });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('http_token_file')]);
  });

  it('drains and resumes for whoever has the token of the host', async () => {
    const file = join(engine.dir, 'token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const { site, address } = await show({ http_token_file: file });
    const { page } = await openPage({ width: 800, height: 600 });
    await page.goto(`http://${address}/`);
    await expect.poll(() => page.isVisible('#drain')).toBe(true);
    await page.fill('#token', 'another-one-of-them');
    await page.click('#drain');
    await expect.poll(() => page.textContent('#asked')).toContain('takes the token');
    await page.fill('#token', token);
    await page.click('#drain');
    await expect.poll(() => page.textContent('#asked')).toBe('asked to drain');
    await expect.poll(() => page.textContent('#health')).toBe('drain');
    await site.until('it drains', ({ mode }) => mode === 'drain');
    await page.click('#resume');
    await expect.poll(() => page.textContent('#health')).toBe('healthy');
    expect(site.log()).not.toContain(token);
  });

  it('begins with what the journal holds of the day before it was opened', async () => {
    const { site, address } = await show();
    await site.ctl('stop');
    await begin({ site, address });
    const history = (await (await fetch(`http://${address}/api/v1/history`)).json()) as {
      readonly kind: string;
      readonly samples: readonly unknown[];
      readonly pilots: readonly { readonly name: string; readonly until?: number }[];
      readonly events: readonly { readonly message: string }[];
    };
    expect(history.kind).toBe('History');
    expect(history.samples.length).toBeGreaterThan(0);
    expect(history.pilots.filter(({ until }) => until === undefined)).toHaveLength(2);
    expect(history.events.filter(({ message }) => message === 'plancton started')).toHaveLength(2);
  });
});
