import { it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { PlanctonSite } from '../support/plancton-process.js';
import { benchSite, ctl } from './bench-site.js';
import { heapProbe, type HeapProbe } from './heap-probe.js';
import { quick, residentMbOf, waitFor } from './measure.js';
import { report } from './report.js';
import { atLeast, atMost } from './results.js';
import { median, percentile } from './statistics.js';
import { startStubEngine, stubbed, type StubEngine } from './stub-engine.js';
import { startStubInflux, type Ailment, type StubInflux } from './stub-influx.js';
import { replacementSeconds } from './timeline.js';

const ailments = ['nothing', 'hangs', 'answers 500', 'is away'] as const;
const slots = 24;
/** Ms, the shortest and the longest. */
const lifetimes = [500, 2000] as const;
const settleSeconds = quick ? 5 : 30;
/** More points than are kept come together in two minutes. */
const seconds = quick ? 20 : 210;
/** A database that was away for so long is asked again after twice that at most. */
const recoveryMs = 3 * (settleSeconds + seconds) * 1000;
/** Of 10,000 points that are kept, and as many on their way. */
const mostHeapMb = 10;

/** A daemon that sends the same to a database that something may be the matter with, and to a good one. */
interface Arm {
  readonly ailment: Ailment;
  readonly engine: StubEngine;
  readonly ill: StubInflux;
  readonly good: StubInflux;
  readonly heap: HeapProbe;
  readonly site: PlanctonSite;
}

/** What an arm was like while its database was ill. */
interface Outage {
  readonly cyclesMs: readonly number[];
  readonly replacements: readonly number[];
  readonly heapMb: number;
  readonly residentMb: number;
  /** Whether `status` and the figures for Prometheus say that there is something the matter. */
  readonly isTold: boolean;
}

/** Points that never arrived, by the counts of the databases and by what the daemon has said. */
interface Gap {
  readonly lost: number;
  readonly told: number;
}

async function startArm(ailment: Ailment): Promise<Arm> {
  const engine = await startStubEngine(lifetimes);
  const [ill, good] = [await startStubInflux(ailment), await startStubInflux('nothing')];
  const heap = heapProbe();
  const settings = { ...stubbed(slots), influxdb_url: [ill.target, good.target] };
  const site = benchSite(settings, { dockerHost: engine.host, env: heap.env });
  await ctl(site, 'start');
  return { ailment, engine, ill, good, heap, site };
}

/** How much there is of an arm's samples by now. */
function mark({ engine }: Arm): { readonly cycles: number; readonly replacements: number } {
  return { cycles: engine.cyclesMs.length, replacements: replacementSeconds(engine.events).length };
}

async function lookAt({ engine, ill, heap, site }: Arm, from: ReturnType<typeof mark>): Promise<Outage> {
  const pid = site.pid();
  const { sinks } = await site.status();
  const name = `InfluxDB ${ill.target}`;
  const { stdout } = await site.ctl('metrics');
  const isDown = stdout.split('\n').includes(`plancton_sink_up{sink="${name}"} 0`);
  return {
    cyclesMs: engine.cyclesMs.slice(from.cycles),
    replacements: replacementSeconds(engine.events).slice(from.replacements),
    residentMb: residentMbOf(pid),
    heapMb: await heap.heapMbOf(pid),
    isTold: isDown && sinks.some((sink) => sink.name === name && sink.trouble !== undefined),
  };
}

/** Makes the database well, and waits until the daemon has noticed. */
async function recover({ ailment, ill, good, site }: Arm): Promise<Gap> {
  await ill.heal();
  const toldBy = () => /takes points again; (\d+) were lost/.exec(site.log())?.[1];
  if (ailment !== 'nothing') await waitFor('points are taken again', recoveryMs, () => toldBy() !== undefined);
  // When it ends a daemon sends what it has.
  await ctl(site, 'stop');
  return { lost: good.lines() - ill.lines(), told: Number(toldBy() ?? 0) };
}

function deciles(values: readonly number[]): number[] {
  return Array.from({ length: 10 }, (_, index) => percentile(values, (index + 1) / 10));
}

it('goes round as fast whatever its databases do', async () => {
  // Side by side: what else the machine does hits all alike.
  const arms = await Promise.all(ailments.map(startArm));
  await systemClock.sleep(settleSeconds * 1000);
  const marks = arms.map(mark);
  await systemClock.sleep(seconds * 1000);
  const outages = await Promise.all(arms.map((arm, index) => lookAt(arm, marks[index] ?? mark(arm))));
  const gaps = await Promise.all(arms.map(recover));

  const found = outages.map(({ cyclesMs, replacements, ...rest }, index) => ({
    what: `a database that ${ailments[index] ?? ''}`.replace('that nothing', 'that is well'),
    ...{ ...rest, replacements, cycleMs: median(cyclesMs), replacement: median(replacements) },
    ...(gaps[index] ?? { lost: NaN, told: NaN }),
  }));
  const [well] = found;
  const ill = found.slice(1);
  const ratio = (key: 'cycleMs' | 'replacement', arm: (typeof found)[number]) => arm[key] / (well?.[key] ?? NaN);
  report('slow-sinks', {
    head: [
      `${slots} slots, pilots of ${lifetimes.join(' to ')} ms, ${seconds} s`,
      ...['cycle, ms', 'end to next start, ms', 'p99, ms', 'heap MB', 'resident MB', 'points lost', 'said to be lost'],
    ],
    rows: found.map(({ what, cycleMs, replacement, replacements, heapMb, residentMb, lost, told }) => {
      const p99 = percentile(replacements, 0.99);
      return [what, cycleMs, 1000 * replacement, 1000 * p99, heapMb, residentMb, lost, told];
    }),
    verdicts: [
      ...ill.map((arm) => atMost(`${arm.what}: cycle / that of one that is well`, 1.1, ratio('cycleMs', arm))),
      ...ill.map((arm) => atMost(`${arm.what}: end to next start, likewise`, 1.1, ratio('replacement', arm))),
      atMost(
        'heap after collection, most over that with one that is well, MB',
        mostHeapMb,
        Math.max(...ill.map(({ heapMb }) => heapMb)) - (well?.heapMb ?? NaN),
      ),
      atLeast('outages that status and figures tell of', ill.length, ill.filter(({ isTold }) => isTold).length),
      atMost(
        'points lost and not counted',
        0,
        ill.reduce((sum, { lost, told }) => sum + Math.abs(lost - told), 0),
      ),
    ],
    // There are thousands of samples.
    raw: Object.fromEntries(
      found.map(({ what, replacements }) => [`${what}: end to next start, deciles, s`, deciles(replacements)]),
    ),
  });
});
