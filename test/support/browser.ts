import { chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** As Debian installs it. */
const program = '/usr/bin/chromium';

export interface BrowserPage {
  readonly page: Page;
  /** Everything that it has asked for, by address. */
  readonly requests: readonly string[];
  /** What it complained of: errors of scripts, and what its own policy for contents has kept it from. */
  readonly complaints: readonly string[];
}

/** A page in a real browser; ends with the test. */
export async function openPage(options: {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}): Promise<BrowserPage> {
  // Root has no sandbox there, and no page but ours is looked at.
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const { width, height, dark = false } = options;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, requests, complaints };
}
