import type { Config } from '../config/schema.js';
import type { Observation } from '../model.js';
import type { Census } from './census.js';
import type { PilotSource, SampleNote, State } from './state.js';

/** What the rules of one cycle look at, worked out once. */
export interface Situation {
  readonly config: Config;
  readonly observation: Observation;
  /** As the last cycle left it. */
  readonly state: State;
  readonly census: Census;
  /** Those of the state and, if it says something, the one of this observation. */
  readonly samples: readonly SampleNote[];
  /** Ids of pilots that go anyway: being removed already, or reaped by this plan. */
  readonly leaving: ReadonlySet<string>;
  /** What to start pilots from; undefined = its image is not on this host. */
  readonly source: PilotSource | undefined;
}

/** True once for each sample of the host: growth is paced, and load is judged, by samples and not by how often the loop wakes. */
export function hasNewSample({ observation, state }: Pick<Situation, 'observation' | 'state'>): boolean {
  return observation.sample !== undefined && observation.sample.seq !== state.lastSeq;
}
