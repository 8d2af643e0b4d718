import { inject } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { ContainerDiary } from '../support/container-diary.js';
import { benchSite, ctl, resume, startDrained } from './bench-site.js';
import { waitFor } from './measure.js';
import type { RawLoop } from './raw-loop.js';
import { median } from './statistics.js';
import { ofImage } from './timeline.js';

const fillDeadlineMs = 600_000;

/** What one round is about; `reached` tells the moment (ms since 1970) at which the host is full, once it is. */
export interface FillRound {
  readonly count: number;
  readonly reached: () => number | undefined;
}

/** A round that ends with the start of the last container of `image`, by the clock of the engine. */
export function untilStarted(diary: ContainerDiary, image: string, count: number): FillRound {
  const before = diary.events.length;
  const starts = () => ofImage(diary.events.slice(before), image).filter(({ action }) => action === 'start');
  return { count, reached: () => starts()[count - 1]?.atMs };
}

/** Seconds of a daemon that runs, drained and idle, from `resume` until the host is full. */
export async function secondsOfPlancton(
  settings: Readonly<Record<string, unknown>>,
  { count, reached }: FillRound,
  dockerHost = inject('dockerHost'),
): Promise<number> {
  const site = benchSite({ ...settings, max_docks: count, docks_per_loop: count }, { dockerHost });
  await startDrained(site, count);
  const beginMs = systemClock.now().wallMs;
  await resume(site);
  await waitFor(`${count} pilots`, fillDeadlineMs, () => reached() !== undefined);
  const endMs = reached() ?? NaN;
  await ctl(site, 'force-stop');
  return (endMs - beginMs) / 1000;
}

/** Seconds of a plain loop until the host is full. */
export async function secondsByHand(loop: RawLoop, atATime: number, { count, reached }: FillRound): Promise<number> {
  const beginMs = systemClock.now().wallMs;
  const ids = await loop.fill(count, atATime);
  await waitFor(`${count} containers`, fillDeadlineMs, () => reached() !== undefined);
  const endMs = reached() ?? NaN;
  await loop.remove(ids);
  return (endMs - beginMs) / 1000;
}

export interface FillRace {
  readonly arms: readonly { readonly what: string; readonly seconds: readonly number[] }[];
  /** Of the plain loop that was fastest by its median. */
  readonly best: readonly number[];
  /** Of Plancton to that loop, round by round. */
  readonly ratios: readonly number[];
}

/** Plain loops, so many at a time, and Plancton, taking turns, so that what else the machine does hits all alike. */
export async function fillRace(
  rounds: number,
  ways: readonly number[],
  byHand: (atATime: number) => Promise<number>,
  plancton: () => Promise<number>,
): Promise<FillRace> {
  const loops = ways.map((atATime) => ({ atATime, seconds: [] as number[] }));
  const ours: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const { atATime, seconds } of loops) seconds.push(await byHand(atATime));
    ours.push(await plancton());
  }
  const best = [...loops].sort((a, b) => median(a.seconds) - median(b.seconds))[0]?.seconds ?? [];
  const named = loops.map(({ atATime, seconds }) => ({
    what: `create + start by hand, ${atATime} at a time`,
    seconds,
  }));
  return {
    arms: [...named, { what: 'Plancton', seconds: ours }],
    best,
    ratios: ours.map((seconds, round) => seconds / (best[round] ?? NaN)),
  };
}
