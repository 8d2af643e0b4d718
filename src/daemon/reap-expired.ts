import { endPilot } from '../act/end-pilot.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { EngineError, type ContainerEngine } from '../engine/container-engine.js';
import type { HostFacts, Observation, Pilot, RemoveAction } from '../model.js';
import { plan } from '../plan/plan.js';
import { initialState } from '../plan/state.js';
import { forgottenTrials } from './try-pilot.js';

export interface ReapOptions {
  readonly clock: Clock;
  readonly engine: ContainerEngine;
  readonly host: HostFacts;
  readonly instance: string;
  readonly config: Config;
}

/** What came of one pilot that was past its time to live. */
export interface Reaped {
  readonly name: string;
  readonly ageMs: number;
  /** Why it is still there; undefined: it is gone. */
  readonly failure: string | undefined;
}

/** Nothing is known but the pilots: the plan then starts and evicts nobody. */
function observe({ clock, host, instance }: ReapOptions, pilots: readonly Pilot[]): Observation {
  return {
    at: clock.now(),
    host,
    instance,
    revision: '',
    proof: 'proven',
    sample: undefined,
    resources: { memory: undefined, disk: undefined, pressure: undefined, tasks: undefined },
    yields: 'none',
    pilots,
    image: undefined,
    images: undefined,
    mode: 'drain',
    policy: { clamps: [], refusals: [] },
    privateBinds: [],
    inFlight: { spawning: [], removing: [], pulling: [] },
    outcomes: [],
  };
}

async function remove(
  engine: ContainerEngine,
  { pilot, stopSeconds, ageMs }: Pick<RemoveAction, 'pilot' | 'stopSeconds' | 'ageMs'>,
): Promise<Reaped> {
  try {
    await endPilot(engine, { pilot, stopSeconds });
    return { name: pilot.name, ageMs, failure: undefined };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { name: pilot.name, ageMs, failure: error.message };
  }
}

/** Removes trials (`planctonctl try`) that nobody is there for any more; a daemon knows nothing of them. Rejects with an EngineError when they cannot be listed. */
export async function reapTrials(options: ReapOptions): Promise<readonly Reaped[]> {
  const { engine, config } = options;
  const forgotten = await forgottenTrials(engine, options);
  const { stop_timeout: stopSeconds } = config;
  return Promise.all(forgotten.map(({ pilot, ageMs }) => remove(engine, { pilot, stopSeconds, ageMs })));
}

/**
 * Removes the pilots that are past their time to live, as a daemon would, for a host whose daemon is down: the same plan decides. A
 * daemon that starts meanwhile does the same, which is no harm. Rejects with an EngineError when the pilots cannot be listed.
 */
export async function reapExpired(options: ReapOptions): Promise<readonly Reaped[]> {
  const { engine, instance, config } = options;
  const pilots = await engine.listPilots({ instance, adoptOriginal: config.adopt_original });
  const { actions } = plan(config, observe(options, pilots), initialState(0));
  const expired = actions.filter((action) => action.type === 'remove').filter(({ reason }) => reason === 'expired');
  return Promise.all(expired.map((action) => remove(engine, action)));
}
