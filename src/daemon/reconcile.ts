import type { Executor } from '../act/execute.js';
import type { Plan } from '../decision.js';
import type { ConfigNote, Observation } from '../model.js';
import type { Observer } from '../observe/observe.js';
import { plan } from '../plan/plan.js';
import type { Narrowed } from '../policy/narrow.js';
import type { State } from '../plan/state.js';

export interface CyclePorts {
  /** Told when the pilots could be listed. */
  readonly confirm: () => void;
  readonly observer: Observer;
  readonly executor: Executor;
}

/** What one cycle saw and decided. */
export interface Cycle {
  readonly wantedImage: string;
  readonly observation: Observation;
  readonly plan: Plan<State>;
}

/**
 * One cycle: observe, plan, begin what was planned. Level-based: it compares what is with what should be and never asks what woke it.
 * Rejects with an EngineError when the pilots cannot be listed; nothing has been begun then, and the state stays what it was.
 */
export async function reconcile(
  { config, clamps, refusals }: Narrowed,
  note: ConfigNote,
  state: State,
  ports: CyclePorts,
): Promise<Cycle> {
  const observation = await ports.observer.observe(config, note, { clamps, refusals });
  ports.confirm();
  const decision = plan(config, observation, state);
  if (decision.withdrawStarts) ports.executor.withdrawStarts();
  ports.executor.begin(decision.actions);
  return { wantedImage: config.docker_image, observation, plan: decision };
}
