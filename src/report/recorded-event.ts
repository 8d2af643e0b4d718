import type { Plan } from '../decision.js';
import type {
  Action,
  DropImageAction,
  Observation,
  Outcome,
  Pilot,
  PilotSpec,
  PilotState,
  PullAction,
  RemoveAction,
  SpawnAction,
} from '../model.js';
import type { DaemonEvent } from './event.js';

export type RecordedPilot = Pick<Pilot, 'name' | 'id' | 'image' | 'revision' | 'flavour' | 'cpus'>;

/** What is kept of an action: nothing secret, and no more of a pilot than what tells it from others. */
export type RecordedAction =
  | (Pick<SpawnAction, 'type' | 'reason'> & {
      readonly spec: Pick<PilotSpec, 'name' | 'hostname' | 'image' | 'user' | 'revision' | 'flavour' | 'cpus'>;
    })
  | (Pick<RemoveAction, 'type' | 'reason'> & { readonly pilot: RecordedPilot })
  | { readonly type: 'freeze' | 'thaw'; readonly pilot: RecordedPilot }
  | PullAction
  | DropImageAction;

export interface RecordedOutcome extends Omit<Outcome, 'action'> {
  readonly action: RecordedAction;
}

/** What a cycle saw and decided, in numbers. */
export interface RecordedCycle {
  readonly type: 'cycle';
  readonly number: number;
  readonly uptimeMs: number;
  readonly tookMs: number;
  readonly observation: Pick<Observation, 'at' | 'mode' | 'revision' | 'sample' | 'resources'> & {
    /** Of the wanted image; null = not on the host, undefined = could not be found out. */
    readonly imageId: string | null | undefined;
    /** How many there are in each state. */
    readonly pilots: Readonly<Partial<Record<PilotState, number>>>;
  };
  readonly plan: Pick<Plan<unknown>, 'capacity' | 'holds' | 'gates'> & { readonly actions: readonly Action['type'][] };
}

/** An event as it is worded and kept. */
export type RecordedEvent =
  | Exclude<DaemonEvent, { readonly type: 'action-ended' | 'cycle' }>
  | (Omit<Extract<DaemonEvent, { readonly type: 'action-ended' }>, 'outcome'> & { readonly outcome: RecordedOutcome })
  | RecordedCycle;

function recordPilot({ name, id, image, revision, flavour, cpus }: RecordedPilot): RecordedPilot {
  return { name, id, image, revision, flavour, cpus };
}

function recordAction(action: Action): RecordedAction {
  switch (action.type) {
    case 'spawn': {
      const { name, hostname, image, user, revision, flavour, cpus } = action.spec;
      return { type: 'spawn', reason: action.reason, spec: { name, hostname, image, user, revision, flavour, cpus } };
    }
    case 'remove':
      return { type: 'remove', reason: action.reason, pilot: recordPilot(action.pilot) };
    case 'freeze':
    case 'thaw':
      return { type: action.type, pilot: recordPilot(action.pilot) };
    case 'pull':
    case 'drop-image':
      return action;
  }
}

function countStates(pilots: readonly Pilot[]): Partial<Record<PilotState, number>> {
  const counts: Partial<Record<PilotState, number>> = {};
  for (const { state } of pilots) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function recordCycle(event: Extract<DaemonEvent, { type: 'cycle' }>): RecordedCycle {
  const { number, uptimeMs, tookMs, observation, plan } = event;
  const { at, mode, revision, sample, resources, image, pilots } = observation;
  const { capacity, holds, gates } = plan;
  const imageId = image === null ? null : image?.id;
  return {
    ...{ type: 'cycle', number, uptimeMs, tookMs },
    observation: { at, mode, revision, sample, resources, imageId, pilots: countStates(pilots) },
    plan: { actions: plan.actions.map(({ type }) => type), capacity, holds, gates },
  };
}

/** What is kept of an event. */
export function record(event: DaemonEvent): RecordedEvent {
  if (event.type === 'cycle') return recordCycle(event);
  if (event.type !== 'action-ended') return event;
  const { outcome, atWallMs, usage } = event;
  return { type: 'action-ended', outcome: { ...outcome, action: recordAction(outcome.action) }, atWallMs, usage };
}
