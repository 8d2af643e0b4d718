import type { Phase } from './chaos-rules.js';

/** What the daemon asks of the engine when it is killed. */
export const operations = [
  'create',
  'inspect-before-start',
  'start',
  'stop',
  'inspect-of-end',
  'remove',
  'pull',
] as const;

export type Operation = (typeof operations)[number];

/** Killed while a request of the daemon is on its way. */
export interface EnginePoint {
  readonly at: 'engine';
  readonly operation: Operation;
  /** `arrived`: the engine does not have it yet; `executed`: it is done and nobody was told; `replied`: the daemon was told. */
  readonly phase: Phase;
}

/** Killed at a call to the file system or to git. */
export interface CallPoint {
  readonly at: 'call';
  readonly name: string;
  /** As in kill-at.cjs. */
  readonly call: string;
  /** A new revision brings it about. */
  readonly needsRevision: boolean;
}

/** Killed as soon as its status says that it drains. */
export interface DrainPoint {
  readonly at: 'drain';
}

export type CrashPoint = EnginePoint | CallPoint | DrainPoint;

const phases: readonly Phase[] = ['arrived', 'executed', 'replied'];

/** All points at which a daemon is killed. */
export const crashPoints: readonly CrashPoint[] = [
  ...operations.flatMap((operation) => phases.map((phase) => ({ at: 'engine', operation, phase }) as const)),
  { at: 'call', name: 'before status rename', call: 'before renameSync /status\\.json$', needsRevision: false },
  { at: 'call', name: 'after status rename', call: 'after renameSync /status\\.json$', needsRevision: false },
  { at: 'call', name: 'git reset begun', call: 'after spawn ^reset$', needsRevision: true },
  { at: 'drain' },
];

/** One of each kind, for runs that have little time. */
export const fewCrashPoints: readonly CrashPoint[] = crashPoints.filter(
  (point) => point.at !== 'engine' || ['create executed', 'start executed', 'remove arrived'].includes(nameOf(point)),
);

export function nameOf(point: CrashPoint): string {
  if (point.at === 'engine') return `${point.operation} ${point.phase}`;
  return point.at === 'call' ? point.name : 'drain acknowledged';
}
