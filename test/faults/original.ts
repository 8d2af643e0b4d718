import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { quickConfig } from '../support/plancton-process.js';
import { pilotLabelsOf } from '../support/referee/sightings.js';
import type { Contender } from './contender.js';
import { askEngine, EngineTimeout } from './engine-api.js';

/** As its client library has it. */
const deadlineMs = 60_000;
/** Between its attempts, and after the last one. */
const pausesMs = [3_000, 6_000, 12_000, 24_000];
const namePrefix = 'plancton-worker-';
const instance = '00000000feed';

interface Settings {
  readonly max_docks: number;
  readonly max_ttl: number;
  readonly binds: readonly string[];
  readonly docker_cmd: string | readonly string[];
}

const defaults: Settings = { ...quickConfig, max_ttl: 43_200, binds: [] };

interface Listed {
  readonly Id: string;
  readonly Names: readonly string[] | null;
  readonly State: string;
}

/**
 * What the original Plancton (v0.6.0) does about its engine, by what was seen when it was run: requests that time out are tried again while all else waits,
 * others are not; a list that fails counts as no pilot at all; whatever has its prefix and does not run is removed. Its pilots carry our
 * labels, so that the same referee can watch them.
 */
export function openOriginal(engineHost: string, changes: Readonly<Record<string, unknown>>): Contender {
  const runDir = mkdtempSync(join(tmpdir(), 'plancton-original-'));
  const stop = new AbortController();
  let settings: Settings = { ...defaults, ...changes };
  let cycles = 0;

  const ask = (method: string, path: string, body?: object) =>
    robustly(engineHost, { method, path, body }, stop.signal);

  async function list(): Promise<readonly Listed[] | undefined> {
    const all = (await ask('GET', '/containers/json?all=1')) as readonly Listed[] | undefined;
    return all?.filter(({ Names }) => (Names ?? [])[0]?.startsWith(`/${namePrefix}`));
  }

  async function spawn(): Promise<boolean> {
    const name = namePrefix + Math.random().toString(36).slice(2, 8).padEnd(6, '0');
    const made = (await ask('POST', `/containers/create?name=${name}`, bodyOf(settings, name))) as
      { Id: string } | undefined;
    if (made === undefined || (await ask('POST', `/containers/${made.Id}/start`)) === undefined) return false;
    const seen = (await ask('GET', `/containers/${made.Id}/json`)) as { State: { Pid: number } } | undefined;
    return seen !== undefined && seen.State.Pid !== 0;
  }

  async function loop(): Promise<void> {
    const running = ((await list()) ?? []).filter(({ State }) => State === 'running').length;
    const launchable = Math.min(settings.max_docks - running, quickConfig.docks_per_loop);
    for (let started = 0; started < launchable && !stop.signal.aborted; started += 1) if (!(await spawn())) break;
    for (const { Id, State } of (await list()) ?? []) {
      if (State !== 'running' || (await isOld(Id))) await ask('DELETE', `/containers/${Id}?force=1`);
    }
    cycles += 1;
  }

  async function isOld(id: string): Promise<boolean> {
    const seen = (await ask('GET', `/containers/${id}/json`)) as { State: { StartedAt: string } } | undefined;
    if (seen === undefined) return false;
    return systemClock.now().wallMs - Date.parse(seen.State.StartedAt) > settings.max_ttl * 1000;
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await loop();
      await systemClock.sleep(quickConfig.main_sleep * 1000, stop.signal);
    }
  }

  const running = run();
  return {
    ...{ instance, runDir },
    cycles: () => cycles,
    // It has no status; what it meets is in its log only.
    told: () => undefined,
    ended: () => undefined,
    configure: (more) => {
      settings = { ...defaults, ...changes, ...more };
    },
    stop: async () => {
      stop.abort();
      await running;
      rmSync(runDir, { recursive: true });
    },
  };
}

function bodyOf({ docker_cmd, binds }: Settings, name: string): object {
  return {
    Image: 'busybox',
    Cmd: typeof docker_cmd === 'string' ? docker_cmd.split(' ') : docker_cmd,
    Hostname: name.replace('-worker-', '-host-'),
    Labels: pilotLabelsOf(instance, name, 'busybox'),
    HostConfig: { Binds: binds, CpuQuota: 10_000, CpuPeriod: 100_000, Memory: quickConfig.max_dock_mem },
  };
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
}

/** Undefined when it failed; an answer without a body is an empty object. */
async function robustly(host: string, { method, path, body }: Request, signal: AbortSignal): Promise<unknown> {
  for (const pauseMs of pausesMs) {
    if (signal.aborted) return undefined;
    try {
      return (await askEngine(host, method, path, { body, deadlineMs, signal })) ?? {};
    } catch (error) {
      if (!(error instanceof EngineTimeout)) return undefined;
      await systemClock.sleep(pauseMs, signal);
    }
  }
  return undefined;
}
