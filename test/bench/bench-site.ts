import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { requestMode } from '../../src/observe/run-mode.js';
import { planctonSite, type PlanctonSite } from '../support/plancton-process.js';

type Settings = Readonly<Record<string, unknown>>;

/** Room for small pilots on any machine, whatever else it does: for benches that ask something else. */
export const roomy = { cpus: 64, cpus_per_dock: 0.1, max_dock_mem: '20M', evict: 'never', stop_timeout: 0 } as const;

/** Pilots of a few seconds are meant to be so: they have done their work. */
export const shortLived = { fizzle_seconds: 1 } as const;

/** A daemon of its own with exactly these keys: every other one has its default. Gone when the bench has ended. */
export function benchSite(
  settings: Settings,
  {
    dockerHost = inject('dockerHost'),
    env = {},
  }: { readonly dockerHost?: string; readonly env?: Readonly<Record<string, string>> } = {},
): PlanctonSite {
  const site = planctonSite({ dockerHost, env: { PLANCTON_LOG_LEVEL: 'info', ...env } });
  const configure = (changed: Settings) => {
    mkdirSync(site.confDir, { recursive: true });
    // JSON is YAML.
    writeFileSync(join(site.confDir, 'config.yaml'), JSON.stringify(changed));
  };
  configure(settings);
  return { ...site, configure };
}

/** Runs a command of the site; throws with what it says when it fails. */
export async function ctl(site: PlanctonSite, ...args: string[]): Promise<void> {
  const end = await site.ctl(...args);
  if (end.exitCode !== 0) throw new Error(`planctonctl ${args.join(' ')}: ${end.stdout}${end.stderr}`);
}

/** Starts the daemon drained, and waits until nothing but the drain keeps it from starting pilots. */
export async function startDrained(site: PlanctonSite, pilots: number): Promise<void> {
  mkdirSync(site.runDir, { recursive: true, mode: 0o700 });
  await requestMode(site.runDir, 'drain');
  await ctl(site, 'start');
  await site.until('the daemon knows its host', ({ capacity, image }) => {
    return capacity?.admissible === pilots && typeof image.id === 'string';
  });
}

/** `planctonctl resume` by hand, without the time that the command takes to begin. */
export async function resume(site: PlanctonSite): Promise<void> {
  await requestMode(site.runDir, 'active');
}
