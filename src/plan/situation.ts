import type { Config } from '../config/schema.js';
import type { StuckPilot } from '../decision.js';
import type { Observation, Pilot } from '../model.js';
import type { Census } from './census.js';
import type { EffectsMemory, PilotSource, SampleNote, State, Unanswered } from './state.js';

/** What the rules of one cycle look at, worked out once. */
export interface Situation {
  readonly config: Config;
  readonly observation: Observation;
  /** As the last cycle left it. */
  readonly state: State;
  readonly census: Census;
  readonly unanswered: readonly Unanswered[];
  readonly stuck: readonly StuckPilot[];
  /** The engine's health, by the outcomes of this observation too. */
  readonly effects: EffectsMemory;
  /** Those of the state and, if it says something, the one of this observation. */
  readonly samples: readonly SampleNote[];
  /** Ids of pilots that go anyway: being removed already, reaped by this plan, or resting between two tries to remove them. */
  readonly leaving: ReadonlySet<string>;
  /** Those of them that rest, and run on meanwhile: they take CPUs from the owner, but cannot be made to go. */
  readonly unmoved: readonly Pilot[];
  /** What to start pilots from; undefined = its image is not on this host. */
  readonly source: PilotSource | undefined;
}

/** True once for each sample of the host: growth is paced, and load is judged, by samples and not by how often the loop wakes. */
export function hasNewSample({ observation, state }: Pick<Situation, 'observation' | 'state'>): boolean {
  return observation.sample !== undefined && observation.sample.seq !== state.lastSeq;
}
