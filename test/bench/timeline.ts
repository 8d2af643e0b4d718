import type { ContainerEvent } from '../support/container-diary.js';

export type Events = readonly Pick<ContainerEvent, 'action' | 'atMs' | 'image'>[];

/** What happened to containers of one image: each contender has an image name of its own. */
export function ofImage<E extends Events[number]>(events: readonly E[], image: string): readonly E[] {
  return events.filter((event) => event.image === image || event.image === `${image}:latest`);
}

/** Seconds from each end of a container to the next start, the oldest end first. */
export function replacementSeconds(events: Events): number[] {
  const endsMs: number[] = [];
  const gaps: number[] = [];
  for (const { action, atMs } of events) {
    if (action === 'die') endsMs.push(atMs);
    const endMs = action === 'start' ? endsMs.shift() : undefined;
    if (endMs !== undefined) gaps.push((atMs - endMs) / 1000);
  }
  return gaps;
}

/** Share of the time of `slots` slots, between two moments, in which a container ran in them. */
export function shareInUse(events: Events, slots: number, fromMs: number, toMs: number): number {
  let running = 0;
  let lastMs = fromMs;
  let usedMs = 0;
  for (const [atMs, change] of [...changes(events), [toMs, 0] as const]) {
    const untilMs = Math.min(Math.max(atMs, fromMs), toMs);
    usedMs += Math.min(running, slots) * (untilMs - lastMs);
    lastMs = untilMs;
    running += change;
  }
  return usedMs / (slots * (toMs - fromMs));
}

/** When, in ms since 1970, this many containers ran at the same time for the first time. */
export function momentOf(events: Events, count: number): number | undefined {
  let running = 0;
  for (const [atMs, change] of changes(events)) {
    running += change;
    if (running === count) return atMs;
  }
  return undefined;
}

/** How the number of running containers changes, and when. */
function changes(events: Events): (readonly [atMs: number, change: number])[] {
  const by = { start: 1, die: -1 } as const;
  return events.flatMap(({ action, atMs }) =>
    action === 'start' || action === 'die' ? [[atMs, by[action]] as const] : [],
  );
}
