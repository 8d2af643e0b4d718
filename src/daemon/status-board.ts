import { pid } from 'node:process';
import type { DaemonOptions } from './options.js';
import type { EngineSession } from './engine-session.js';
import type { PilotEvents } from './pilot-events.js';
import type { Ground } from './ground.js';
import type { Probation } from '../decision.js';
import type { Action, EngineFailure, Outcome, Proof } from '../model.js';
import type { HeldCycle } from './control-loop.js';
import type { Cycle } from './reconcile.js';
import type { SinkState } from '../report/event.js';
import type { Fault } from '../report/faults.js';
import { toStatus, type Status, type StatusFacts } from '../report/status.js';

/** Keeps what a status tells beyond the cycle at hand. */
export interface StatusBoard {
  /** Adds an outcome to the totals. */
  readonly count: (outcome: Outcome) => void;
  /** The status after a cycle, or after one that could not see the pilots. */
  status(cycle: Cycle | HeldCycle, nextInMs: number): Status;
}

/** A board for one run of the daemon. */
export function createStatusBoard(
  options: Pick<DaemonOptions, 'clock' | 'version' | 'engineHost'>,
  ground: Ground,
  session: EngineSession,
  { events, sinks }: { readonly events: Pick<PilotEvents, 'trouble'>; readonly sinks: () => readonly SinkState[] },
): StatusBoard {
  const { clock, version, engineHost } = options;
  const { host, instance, keeper } = ground;
  const startedWallMs = clock.now().wallMs;
  let seen: Cycle | undefined;
  let cycles = 0;
  let faults: readonly Fault[] = [];
  const tally = createTally();
  return {
    count: tally.count,
    status(cycle, nextCycleInMs) {
      const isHeld = 'failure' in cycle;
      const failure = isHeld ? cycle.failure : undefined;
      if (!isHeld) seen = cycle;
      // Of the cycle, and not what may have come into force meanwhile: that has not been looked at.
      const wantedImage = seen?.wantedImage ?? keeper.state.inForce?.config.docker_image ?? '';
      cycles += 1;
      const facts: StatusFacts = {
        version,
        pid,
        instance,
        host,
        startedWallMs,
        now: clock.now(),
        nextCycleInMs,
        cycles,
        failure,
        mode: isHeld ? cycle.mode : cycle.observation.mode,
        seen,
        sinks: sinks(),
        yields: { mode: session.group().yields, text: session.group().describe() },
        wantedImage,
        pullFailure: tally.pullFailure(wantedImage),
        engine: engineStatus(session, engineHost, failure),
        config: configStatus(ground, seen?.plan.probation),
        totals: tally.totals(),
        troubles: [...tally.failures(), ...eventsNotice(events.trouble())],
      };
      const status = toStatus(facts, faults);
      ({ faults } = status);
      return status;
    },
  };
}

/** What came of actions so far. */
function createTally() {
  const failures = new Map<Action['type'], string>();
  let totals: Status['totals'] = { spawned: 0, ended: 0, evicted: 0, failed: 0 };
  let pull: { readonly reference: string; readonly failure: EngineFailure | undefined } | undefined;
  return {
    count: (outcome: Outcome): void => {
      const { action, error } = outcome;
      totals = addOutcome(totals, outcome);
      noteFailure(failures, outcome);
      if (action.type === 'pull') pull = { reference: action.reference, failure: error };
    },
    totals: () => totals,
    failures: () => failures.values(),
    pullFailure: (wanted: string) => (pull?.reference === wanted ? pull.failure : undefined),
  };
}

function engineStatus({ info }: EngineSession, host: string, failure: EngineFailure | undefined): Status['engine'] {
  const found = info();
  return { host, version: found?.version, apiVersion: found?.apiVersion, failure: failure?.kind };
}

/** How the first pilots do, and what follows from it. */
function probationText({ worked, needed, text }: Probation, proof: Proof): string | undefined {
  if (proof === 'proven') return undefined;
  const next =
    proof === 'first'
      ? 'nothing was proven before, so there is nothing to go back to'
      : 'if most fail, the one proven before is put back';
  return `${worked} of ${needed} pilots that prove it have worked, ${text}; ${next}`;
}

function configStatus({ source, keeper }: Ground, probation: Probation | undefined): Status['config'] {
  const { inForce, refused, unreachable } = keeper.state;
  return {
    source: source.describe(),
    revision: inForce?.revision.id,
    probation: probation && probationText(probation, keeper.proof),
    signature: inForce && source.signature?.(inForce.revision),
    refused: refused && { revision: refused.revisionId, problems: refused.problems },
    unreachable,
  };
}

function addOutcome(totals: Status['totals'], { action, result }: Outcome): Status['totals'] {
  if (result === 'skipped' || (action.type !== 'spawn' && action.type !== 'remove')) return totals;
  if (result === 'failed') return { ...totals, failed: totals.failed + 1 };
  if (action.type === 'spawn') return { ...totals, spawned: totals.spawned + 1 };
  const evicted = totals.evicted + (action.reason === 'evicted' ? 1 : 0);
  return { ...totals, ended: totals.ended + 1, evicted };
}

/** Sentences about what failed last, by what was tried; a success takes its sentence away. */
function noteFailure(failures: Map<Action['type'], string>, { action, result, error }: Outcome): void {
  const what = WHAT_FAILED[action.type];
  if (result === 'done') failures.delete(action.type);
  if (result === 'failed' && what !== undefined)
    failures.set(action.type, `${what}: ${error?.message ?? 'no reason given'}`);
}

/** What is not told as a fault, which knows more about it. */
const WHAT_FAILED: Readonly<Partial<Record<Action['type'], string>>> = {
  spawn: 'the last start of a pilot failed',
  freeze: 'the last try to freeze a pilot failed',
  thaw: 'the last try to thaw a pilot failed',
  'drop-image': 'the last removal of a superseded image failed',
};

function eventsNotice(trouble: string | undefined): readonly string[] {
  if (trouble === undefined) return [];
  return [`pilots that end are replaced at the next look only, since the engine does not tell: ${trouble}`];
}
