import type { JournalEntry } from './journal.js';

/** All that the journal knows of one pilot. Ms since 1970. */
export interface Biography {
  readonly name: string;
  readonly id?: string | undefined;
  readonly hostname?: string | undefined;
  readonly address?: string | undefined;
  readonly image: string;
  readonly imageId?: string | undefined;
  readonly revision: string;
  readonly flavour: string;
  readonly user?: string | undefined;
  /** When it was started, or first seen. */
  readonly fromMs: number;
  /** When it was removed; undefined: it is there still, as far as is known. */
  readonly untilMs?: number | undefined;
  readonly end?: string | undefined;
  readonly exitCode?: number | undefined;
}

type Lives = Map<string, Biography>;

function began(lives: Lives, entry: Extract<JournalEntry, { type: 'action-ended' }>): void {
  const { action, result } = entry.outcome;
  if (action.type !== 'spawn' || result !== 'done') return;
  const { name, hostname, image, user, revision, flavour } = action.spec;
  lives.set(name, { name, hostname, image, user, revision, flavour, fromMs: entry.at });
}

function seen(lives: Lives, { at, pilot }: Extract<JournalEntry, { type: 'pilot-seen' }>): void {
  const { name, id, image, imageId, revision, flavour, address } = pilot;
  const before = lives.get(name);
  lives.set(name, {
    name,
    image,
    revision,
    flavour,
    fromMs: at,
    ...before,
    id,
    imageId,
    address: address ?? before?.address,
  });
}

function ended(lives: Lives, entry: Extract<JournalEntry, { type: 'action-ended' }>): void {
  const { action, result, ended: how } = entry.outcome;
  if (action.type !== 'remove' || result !== 'done') return;
  const { name, id, image, revision, flavour } = action.pilot;
  const before: Biography = lives.get(name) ?? {
    name,
    image,
    revision,
    flavour,
    fromMs: how?.startedWallMs ?? entry.at,
  };
  // Who was seen anew by a later daemon had begun before.
  const fromMs = Math.min(before.fromMs, how?.startedWallMs ?? Infinity);
  lives.set(name, { ...before, fromMs, id, untilMs: entry.at, end: action.reason, exitCode: how?.exitCode });
}

/** The pilots that some entries tell of, in the order in which they came. */
export function biographies(entries: readonly JournalEntry[]): readonly Biography[] {
  const lives: Lives = new Map();
  for (const entry of entries) {
    if (entry.type === 'pilot-seen') seen(lives, entry);
    if (entry.type !== 'action-ended') continue;
    began(lives, entry);
    ended(lives, entry);
  }
  return [...lives.values()];
}
