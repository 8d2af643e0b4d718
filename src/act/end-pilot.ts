import { EngineError, type ContainerEngine } from '../engine/container-engine.js';
import type { EngineFailure, Pilot, PilotEnd, RemoveAction } from '../model.js';
import { isUnanswered } from '../plan/unanswered.js';

/** What a failed call means, or a bug passed on. */
export function toFailure(error: unknown): EngineFailure {
  if (error instanceof EngineError) return { kind: error.kind, message: error.message, pull: error.pull };
  throw error;
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

/** Stops a pilot if it may run, and removes it. Resolves with how it ended, as far as that is known; rejects with an EngineError. */
export async function endPilot(
  engine: ContainerEngine,
  { pilot, stopSeconds }: Pick<RemoveAction, 'pilot' | 'stopSeconds'>,
): Promise<PilotEnd | undefined> {
  if (runs(pilot)) await engine.stopPilot(pilot.id, stopSeconds).catch(unlessUnheard);
  // Nice to know, and no reason to keep it.
  const ended = await engine.pilotEnd(pilot.id).catch(passOver);
  await engine.removePilot(pilot.id);
  return ended;
}
