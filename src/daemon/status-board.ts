import { pid } from 'node:process';
import type { DaemonOptions } from './options.js';
import type { EngineSession } from './engine-session.js';
import type { PilotEvents } from './pilot-events.js';
import type { Ground } from './ground.js';
import type { Action, EngineFailure, Outcome, Probation, Proof } from '../model.js';
import type { HeldCycle } from './control-loop.js';
import type { Cycle } from './reconcile.js';
import { toStatus, type Status } from '../report/status.js';

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
  events: Pick<PilotEvents, 'trouble'>,
): StatusBoard {
  const { clock, version, engineHost } = options;
  const { host, instance, keeper } = ground;
  const startedWallMs = clock.now().wallMs;
  let seen: Cycle | undefined;
  let cycles = 0;
  const failures = new Map<Action['type'], string>();
  let totals: Status['totals'] = { spawned: 0, ended: 0, evicted: 0, failed: 0 };
  return {
    count(outcome) {
      totals = addOutcome(totals, outcome);
      noteFailure(failures, outcome);
    },
    status(cycle, nextCycleInMs) {
      const isHeld = 'failure' in cycle;
      const failure = isHeld ? cycle.failure : undefined;
      if (!isHeld) seen = cycle;
      cycles += 1;
      return toStatus({
        version,
        pid,
        instance,
        host,
        startedWallMs,
        now: clock.now(),
        nextCycleInMs,
        cycles,
        trouble: failure?.message,
        mode: isHeld ? cycle.mode : cycle.observation.mode,
        seen,
        yields: { mode: session.group().yields, text: session.group().describe() },
        wantedImage: keeper.state.inForce?.config.docker_image ?? '',
        engine: engineStatus(session, engineHost, failure),
        config: configStatus(ground, seen?.plan.probation),
        totals,
        troubles: [...failures.values(), ...eventsNotice(events.trouble())],
      });
    },
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
  if (result === 'done') failures.delete(action.type);
  if (result === 'failed')
    failures.set(action.type, `${WHAT_FAILED[action.type]}: ${error?.message ?? 'no reason given'}`);
}

const WHAT_FAILED: Readonly<Record<Action['type'], string>> = {
  spawn: 'the last start of a pilot failed',
  remove: 'the last removal of a pilot failed',
  freeze: 'the last try to freeze a pilot failed',
  thaw: 'the last try to thaw a pilot failed',
  'drop-image': 'the last removal of a superseded image failed',
  pull: 'the last pull of the image failed, an older one on this host is used if there is one',
};

function eventsNotice(trouble: string | undefined): readonly string[] {
  if (trouble === undefined) return [];
  return [`pilots that end are replaced at the next look only, since the engine does not tell: ${trouble}`];
}
