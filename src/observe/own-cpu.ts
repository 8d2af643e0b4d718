import pLimit from 'p-limit';
import type { Clock } from '../clock.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import type { Pilot } from '../model.js';
import { counterGain } from './counter.js';
import { withDeadline } from './deadline.js';
import type { PilotCgroup } from './pilot-cgroup.js';

/** The counters of our pilots at one moment. */
export interface OwnReading {
  readonly groupNs: number | undefined;
  /** Running pilots that the group does not count, by id. */
  readonly outside: ReadonlyMap<string, OutsidePilot>;
}
interface OutsidePilot {
  readonly cpus: number;
  /** CPU time so far; undefined when it could not be read. */
  readonly usedNs: number | undefined;
}

/** Reads what our pilots have used. */
export interface OwnCpu {
  /** Does what needs waiting for; the function it yields reads the rest, to be called together with the host's ticks. */
  read(pilots: readonly Pilot[]): Promise<() => OwnReading>;
}

export interface OwnCpuOptions {
  readonly clock: Clock;
  readonly engine: Pick<ContainerEngine, 'pilotCpuNs'>;
  /** The group in force now. */
  readonly group: () => PilotCgroup;
  /** The size of pilots that carry none. */
  readonly cpusPerDock: () => number;
}

const readDeadlineMs = 5000;

/** Pilots by their common group, and one by one those outside it: adopted ones, or all where there is no group. */
export function createOwnCpu({ clock, engine, group, cpusPerDock }: OwnCpuOptions): OwnCpu {
  const readOne = async (pilot: Pilot, found: Map<string, OutsidePilot>) => {
    const usedNs = await engine.pilotCpuNs(pilot.id).catch(() => undefined);
    found.set(pilot.id, { cpus: pilot.cpus ?? cpusPerDock(), usedNs });
  };
  return {
    async read(pilots) {
      const outside = pilots.filter((pilot) => usesCpu(pilot) && !group().holds(pilot.id));
      const found = new Map<string, OutsidePilot>();
      for (const pilot of outside) found.set(pilot.id, { cpus: pilot.cpus ?? cpusPerDock(), usedNs: undefined });
      const limit = pLimit(8);
      const all = limit.map(outside, (pilot) => readOne(pilot, found));
      // Whoever has not answered by then counts at full size.
      await withDeadline(clock, readDeadlineMs, 'container statistics', all).catch(() => undefined);
      limit.clearQueue();
      const complete = new Map(found);
      return () => ({ groupNs: group().readCpuNs(), outside: complete });
    },
  };
}

/**
 * CPU time in ns used by our pilots between two readings `spanMs` apart; undefined when the group's counter cannot be compared.
 * A pilot that could not be read both times, or ended meanwhile, counts at full size.
 */
export function ownCpuNs(before: OwnReading, after: OwnReading, spanMs: number): number | undefined {
  const inGroup = counterGain(before.groupNs, after.groupNs);
  if (inGroup === undefined) return undefined;
  let outside = 0;
  for (const id of new Set([...before.outside.keys(), ...after.outside.keys()])) {
    outside += outsideNs(before.outside.get(id), after.outside.get(id), spanMs);
  }
  return inGroup + outside;
}

function outsideNs(before: OutsidePilot | undefined, after: OutsidePilot | undefined, spanMs: number): number {
  const fullSizeNs = ((after ?? before)?.cpus ?? 0) * spanMs * 1e6;
  if (after?.usedNs === undefined) return fullSizeNs;
  // Not there before: it was started within the span, and all it has used belongs here.
  if (before === undefined) return Math.min(after.usedNs, fullSizeNs);
  return before.usedNs === undefined || after.usedNs < before.usedNs ? fullSizeNs : after.usedNs - before.usedNs;
}

function usesCpu(pilot: Pilot): boolean {
  return pilot.state === 'running' || pilot.state === 'paused' || pilot.state === 'restarting';
}
