import type { DaemonEvent } from './event.js';
import type { Point } from './line-protocol.js';
import type { Outcome, PilotUsage } from '../model.js';

/**
 * The original's three series, name for name (existing dashboards depend on them): `daemon`, `measurement`, `container`; and beside them `host`,
 * what CPUs do and how many pilots fit, `pilot`, what each pilot that is gone has used, and `config`, configurations that were taken back.
 * `hostname` is the short name of this host. Most events are not for it and give no point.
 */
export function toPoints(event: DaemonEvent, hostname: string): readonly Point[] {
  if (event.type === 'cycle') return cyclePoints(event, hostname);
  if (event.type === 'cycle-held') {
    const fields = { uptime: event.uptimeMs / 1000, status: 'waiting' };
    return [{ series: 'daemon', tags: { hostname }, fields, atMs: event.atWallMs }];
  }
  if (event.type === 'action-ended') {
    const { outcome, atWallMs, usage } = event;
    return [...containerPoint(outcome, hostname, atWallMs), ...pilotPoint(outcome, usage, hostname, atWallMs)];
  }
  if (event.type === 'config-rolled-back') {
    const { revision: refused, inForce, failed, judged, atWallMs } = event;
    const fields = { refused, in_force: inForce, failed, judged };
    return [{ series: 'config', tags: { hostname }, fields, atMs: atWallMs }];
  }
  return [];
}

function cyclePoints(event: Extract<DaemonEvent, { type: 'cycle' }>, hostname: string): readonly Point[] {
  const { sample, at, mode, pilots } = event.observation;
  const tags = { hostname };
  const atMs = at.wallMs;
  const containers = pilots.filter((pilot) => pilot.state === 'running').length;
  const status = mode === 'active' ? 'active' : 'draining';
  const daemon: Point[] = [
    { series: 'daemon', tags, fields: { uptime: event.uptimeMs / 1000 }, atMs },
    { series: 'daemon', tags, fields: { containers, status }, atMs },
  ];
  if (sample === undefined) return daemon;
  // As the original reckons it: iowait counts as busy.
  const busyPercent = (100 * (sample.cpus - sample.idle)) / sample.cpus;
  const measurement = { series: 'measurement', tags, fields: { cpu_eff: busyPercent }, atMs };
  return [...daemon, measurement, ...hostPoint(event, hostname)];
}

/** CPUs, and pilots. */
function hostPoint({ observation, plan }: Extract<DaemonEvent, { type: 'cycle' }>, hostname: string): readonly Point[] {
  const { sample, at } = observation;
  if (sample?.own === undefined) return [];
  const { cpus, own, busy, service, idle } = sample;
  const { promised, pilots, admissible, maxDocks } = plan.capacity;
  const foreign = Math.max(0, busy - own - service);
  const fits = admissible === undefined ? {} : { admissible };
  const fields = { cpus, own, foreign, idle, promised, pilots, max_docks: maxDocks, ...fits };
  return [{ series: 'host', tags: { hostname }, fields, atMs: at.wallMs }];
}

/** One point per pilot that is gone and had run. Seconds, bytes; what it has used as of the last look at the host before its end. */
function pilotPoint(
  { action, result, ended }: Outcome,
  usage: PilotUsage | undefined,
  hostname: string,
  atMs: number,
): readonly Point[] {
  if (action.type !== 'remove' || result !== 'done' || ended?.startedWallMs === undefined) return [];
  const wall = Math.max(0, (ended.finishedWallMs ?? atMs) - ended.startedWallMs) / 1000;
  const { cpuSeconds, memoryPeakBytes, blockBytes, networkBytes } = usage ?? {};
  const fields = {
    ...{ wall, exit_code: ended.exitCode, oom_killed: ended.oomKilled },
    ...(cpuSeconds === undefined ? {} : { cpu: cpuSeconds }),
    ...(memoryPeakBytes === undefined ? {} : { memory_peak: memoryPeakBytes }),
    ...(blockBytes === undefined ? {} : { block: blockBytes }),
    ...(networkBytes === undefined ? {} : { network: networkBytes }),
  };
  const { reason, pilot } = action;
  return [{ series: 'pilot', tags: { hostname, flavour: pilot.flavour, end: reason }, fields, atMs }];
}

/** One point per pilot that is gone, written once, when it is gone. */
function containerPoint(outcome: Outcome, hostname: string, atMs: number): readonly Point[] {
  const { action, result, ended } = outcome;
  if (action.type !== 'remove' || result !== 'done') return [];
  const startedMs = ended?.startedWallMs;
  const killed = action.reason !== 'exited' && action.reason !== 'never-started';
  const uptimeMs = startedMs === undefined ? 0 : (ended?.finishedWallMs ?? atMs) - startedMs;
  return [
    {
      series: 'container',
      tags: { hostname, started: startedMs === undefined ? 'False' : 'True', killed: killed ? 'True' : 'False' },
      fields: { uptime: Math.max(0, uptimeMs) / 1000 },
      atMs,
    },
  ];
}
