import { EngineError, type ContainerEngine } from '../engine/container-engine.js';
import type { EngineFailure, Pilot, PilotEnd, RemoveAction } from '../model.js';
import { isUnanswered } from '../plan/unanswered.js';

/** What a failed call means, or a bug passed on. */
export function toFailure(error: unknown): EngineFailure {
  if (!(error instanceof EngineError)) throw error;
  const { kind, message, pull, start } = error;
  return { kind, message, pull, start };
}

/** Passes over a failure of the engine; a bug is passed on. */
export function passOver(error: unknown): undefined {
  toFailure(error);
}

/** Who could not be stopped may be killed if it had its time, or the engine will not stop it; not if the engine may not have heard of it. */
function unlessUnheard(error: unknown): void {
  const failure = toFailure(error);
  if (isUnanswered(failure) && failure.kind !== 'timeout') throw error;
}

/** Whether it runs, or may run, in a state that we do not know. */
export function runs({ state }: Pilot): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting' || state === 'unknown';
}

/** What somebody knows, or wants to. */
interface EndCare {
  /** How it had ended before, if that is known already. */
  readonly told?: PilotEnd | undefined;
  /** Told when it has ended. */
  readonly beforeRemoval?: (ended: PilotEnd | undefined) => Promise<void>;
}

/**
 * Stops a pilot if it may run, and removes it. Resolves with how it ended, as far as that is known; rejects with an EngineError.
 */
export async function endPilot(
  engine: ContainerEngine,
  { pilot, stopSeconds }: Pick<RemoveAction, 'pilot' | 'stopSeconds'>,
  { told, beforeRemoval }: EndCare = {},
): Promise<PilotEnd | undefined> {
  const stopping = runs(pilot);
  if (stopping) await engine.stopPilot(pilot.id, stopSeconds).catch(unlessUnheard);
  // Nice to know, and no reason to keep it. Of one that runs what was told is of an earlier life.
  const before = stopping ? undefined : told;
  const ended = before ?? (await engine.pilotEnd(pilot.id).catch(passOver));
  await beforeRemoval?.(ended);
  await engine.removePilot(pilot.id);
  return ended;
}
