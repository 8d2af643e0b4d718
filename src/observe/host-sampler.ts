import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { CpuSample, Pilot } from '../model.js';
import { counterGain } from './counter.js';
import type { EarlyReading } from './early-reading.js';
import { serviceCpuNs, type ServiceReading } from './daemon-cpu.js';
import { ownCpuNs, type OwnCpu, type OwnReading } from './own-cpu.js';
import { parseProcStat, type CpuTicks } from './proc-stat.js';
import { readLoad, type LoadGain } from './system-information.js';

export interface HostSampler {
  /**
   * Takes a reading and tells how the host was used since the one before. Undefined: there is none before, it is less
   * than 0.4 s ago, or a counter fell or vanished meanwhile (a CPU or a group came or went). Rejects when the
   * host cannot be read; the next reading is then the first one again.
   */
  read(context: SampleContext): Promise<CpuSample | undefined>;
}

/** What the reader knows about the span that ends now. */
export interface SampleContext {
  /** As last listed. */
  readonly pilots: readonly Pilot[];
  readonly duringPull: boolean;
  /** The first span after start, of half a second only. */
  readonly short: boolean;
}

export interface HostSamplerOptions {
  readonly clock: Clock;
  /** The one in force; `auto`: the kernel's own counters where there are any. */
  readonly source: () => 'auto' | 'systeminformation';
  readonly procRoot: string;
  readonly ownCpu: OwnCpu;
  readonly serviceCpu: () => ServiceReading;
  /** Taken before anything was known of pilots: good for a first sample where there are none. */
  readonly early?: EarlyReading | undefined;
}

interface Reading {
  readonly monoMs: number;
  readonly host: CpuTicks | LoadGain;
  readonly own: OwnReading;
  readonly service: ServiceReading;
}

/** CPUs in use, averaged over a span. */
type Usage = Pick<CpuSample, 'cpus' | 'busy' | 'idle'>;

const shortestSpanMs = 400;

/** Makes the sampler of this host. */
export function createHostSampler(options: HostSamplerOptions): HostSampler {
  const { clock, ownCpu, serviceCpu } = options;
  const statFile = join(options.procRoot, 'stat');
  // Once and for all: a read that fails must not pass for a host without such a file.
  const hasStat = existsSync(statFile);
  let last: Reading | undefined;
  let { early } = options;
  let seq = 0;

  const take = async (pilots: readonly Pilot[]): Promise<Reading> => {
    const finishOwn = await ownCpu.read(pilots);
    const load = hasStat && options.source() === 'auto' ? undefined : await readLoad(clock);
    // From here on nothing waits: the counters of the host and of the pilots must be of the same moment.
    const host = load ?? parseProcStat(readFileSync(statFile, 'utf8'));
    return { host, own: finishOwn(), service: serviceCpu(), monoMs: clock.now().monoMs };
  };
  return {
    async read({ pilots, duringPull, short }) {
      if (last !== undefined && clock.now().monoMs - last.monoMs < shortestSpanMs) return undefined;
      const before = last;
      const atStart = pilots.length === 0 ? early : undefined;
      early = undefined;
      // A reading that fails leaves no old baseline behind: the next span would be of unknown length to some counters.
      last = undefined;
      last = await take(pilots);
      const used = compareWith(before ?? (atStart && { ...atStart, own: last.own }), last);
      return used && { ...used, seq: ++seq, monoMs: last.monoMs, duringPull, short };
    },
  };
}

function compareWith(before: Reading | undefined, after: Reading): ReturnType<typeof compare> {
  if (before === undefined || after.monoMs - before.monoMs < shortestSpanMs) return undefined;
  return compare(before, after);
}

function compare(
  before: Reading,
  after: Reading,
): Pick<CpuSample, 'spanMs' | 'cpus' | 'busy' | 'idle' | 'own' | 'service'> | undefined {
  const spanMs = after.monoMs - before.monoMs;
  const usage = compareHost(before.host, after.host, spanMs);
  const ownNs = ownCpuNs(before.own, after.own, spanMs);
  const serviceNs = serviceCpuNs(before.service, after.service);
  if (usage === undefined || ownNs === undefined || serviceNs === undefined) return undefined;
  const inCpus = (ns: number) => Math.min(ns / 1e6 / spanMs, usage.cpus);
  return { spanMs, ...usage, own: inCpus(ownNs), service: inCpus(serviceNs) };
}

function compareHost(before: Reading['host'], after: Reading['host'], spanMs: number): Usage | undefined {
  if (before.cpus !== after.cpus) return undefined;
  if ('busyMs' in before) return 'busyMs' in after ? fromLoad(after, spanMs) : undefined;
  return 'busyMs' in after ? undefined : fromTicks(before, after);
}

function fromLoad({ cpus, busyMs, idleMs }: LoadGain, spanMs: number): Usage {
  const busy = Math.min(busyMs / spanMs, cpus);
  return { cpus, busy, idle: Math.min(idleMs / spanMs, cpus - busy) };
}

/** By ratio, so that neither the length of a tick nor a late reading matters. */
function fromTicks(before: CpuTicks, after: CpuTicks): Usage | undefined {
  const busy = counterGain(before.busy, after.busy);
  // The kernel may take a little iowait back, so it is watched together with idle.
  const unused = counterGain(before.idle + before.iowait, after.idle + after.iowait);
  if (busy === undefined || unused === undefined || busy + unused === 0) return undefined;
  const idle = Math.min(Math.max(after.idle - before.idle, 0), unused);
  const cpusPerTick = after.cpus / (busy + unused);
  return { cpus: after.cpus, busy: busy * cpusPerTick, idle: idle * cpusPerTick };
}
