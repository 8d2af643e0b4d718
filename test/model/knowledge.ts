import type { CpuSample, PilotState, Resources, SeenMode } from '../../src/model.js';
import { RULES, SETTINGS, TIMES, type HostRules, type Settings } from './configurations.js';

/** How long after the truth a daemon may act on what it was told. */
export const STALE_MS = 3000 * TIMES.look;

/** One sample as it was served, with the truth beside it. */
export interface ServedSample extends CpuSample {
  readonly foreign: number;
  /** Starts decided during its span. */
  readonly starts: number;
}

/** What the oracle knows of the daemon that lives; all of it seen from outside. */
export interface Knowledge {
  readonly daemon: number;
  /** State of each own pilot when the last answered list was executed; undefined: none was answered in this cycle. */
  list: ReadonlyMap<string, PilotState> | undefined;
  mode: SeenMode | undefined;
  /** As the last cycle read it. */
  rules: HostRules;
  validRules: HostRules | undefined;
  /** Of the configuration in force. */
  number: number;
  settings: Settings;
  imageKnown: boolean;
  samples: ServedSample[];
  startsSinceSample: number;
  resources: Resources | undefined;
  /** Since when each measurement said that memory is short; monotonic. */
  memoryShortSinceMs: number | undefined;
  /** Growth permitted by the last sample, and how much of it was used. */
  step: number;
  grown: number;
  /** Pilots that were in a list. */
  readonly seen: Set<string>;
  replacements: number;
  /** Number of the sample that the last eviction was judged by. */
  evictedBySeq: number;
  evictedAtMs: number | undefined;
  readonly frozen: Set<string>;
  /** Pilots whose removal was decided and found right. */
  readonly leaving: Set<string>;
  /** Pilots that could not be removed when that was tried: others may have to go in their place. */
  readonly resisting: Set<string>;
  /** Made by this daemon: id to name. */
  readonly made: Map<string, string>;
  /** Starts decided and not ended: name to CPUs. */
  readonly starting: Map<string, number>;
  /** Names of those whose start has failed, or was called off. */
  readonly givenUp: Set<string>;
  readonly pulls: Map<string, number>;
  /** The last cycle has seen that nothing may be started, or has seen nothing. */
  stopped: boolean;
  lists: number;
  cycles: number;
  readonly sinceMs: number;
}

/** What is known of a daemon that has just been started. */
export function freshKnowledge(daemon: number, sinceMs: number): Knowledge {
  const [settings] = SETTINGS;
  const [rules] = RULES;
  if (settings === undefined || rules === undefined) throw new Error('there is nothing to start with');
  return {
    daemon,
    list: undefined,
    mode: undefined,
    rules,
    validRules: undefined,
    number: 0,
    settings,
    imageKnown: false,
    samples: [],
    startsSinceSample: 0,
    resources: undefined,
    memoryShortSinceMs: undefined,
    step: 0,
    grown: 0,
    seen: new Set(),
    replacements: 0,
    evictedBySeq: 0,
    evictedAtMs: undefined,
    frozen: new Set(),
    leaving: new Set(),
    resisting: new Set(),
    made: new Map(),
    starting: new Map(),
    givenUp: new Set(),
    pulls: new Map(),
    stopped: false,
    lists: 0,
    cycles: 0,
    sinceMs,
  };
}
