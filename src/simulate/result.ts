/** What came of a simulation. Means are over time. */
export interface SimulationResult {
  readonly spawned: number;
  /** Ended by themselves, those that fizzled included. */
  readonly completed: number;
  readonly evicted: number;
  /** Ended by themselves within `fizzle_seconds` of their start. */
  readonly fizzled: number;
  /** Stopped at their time to live. */
  readonly expired: number;
  readonly pilotsMean: number;
  readonly pilotsAtEnd: number;
  /** How many pilots would have fitted; 0 while it was not known. */
  readonly admissibleMean: number;
  readonly idleCpusMean: number;
  /** Pilot time destroyed by eviction / all pilot time. */
  readonly wastedFraction: number;
  /** Time with the sum of the pilots' CPUs and the foreign load above the host and its slack. */
  readonly overcommittedSeconds: number;
  /** What others wanted and did not get, of what they wanted. */
  readonly ownerSlowdownFraction: number;
  /** When pilots were evicted, in seconds since the beginning. */
  readonly evictedAt: readonly number[];
}
