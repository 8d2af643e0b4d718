import type { Capacity, GateReading, Hold } from '../decision.js';
import type { EngineFailure, HostFacts, Instant, Pilot, PilotState, SeenMode, YieldMode } from '../model.js';
import type { SinkState } from './event.js';
import { faultsOf, type Fault, type FaultFacts } from './faults.js';

/** What `planctonctl status --json` prints and the daemon leaves in its run directory after every cycle. */
export interface Status {
  readonly apiVersion: 'plancton/v1';
  readonly kind: 'Status';
  readonly version: string;
  readonly pid: number;
  readonly instance: string;
  readonly hostname: string;
  /** ISO 8601, when the cycle ended. */
  readonly at: string;
  /** The same, in ms since the host was booted: no step of its wall clock changes that. */
  readonly atBootMs: number;
  readonly startedAt: string;
  /** `waiting`: the engine does not answer, or there is no configuration yet. */
  readonly health: 'ok' | 'waiting';
  /** One sentence on what is wrong; undefined when nothing is. */
  readonly trouble: string | undefined;
  readonly mode: SeenMode;
  readonly cycles: number;
  /** Seconds from `at` until the next cycle begins at the latest (the watchdog is fed until then). */
  readonly nextCycleInSeconds: number;
  readonly capacity: Capacity | undefined;
  readonly holds: readonly Hold[];
  /** Everything that starts depend on, limiting or not. */
  readonly gates: readonly GateReading[];
  /** What is wrong now, the worst first. */
  readonly faults: readonly Fault[];
  /** What works, but not as somebody may expect; sentences. */
  readonly notices: readonly string[];
  readonly yields: { readonly mode: YieldMode; readonly text: string };
  /** Where what happens is kept or sent to. */
  readonly sinks: readonly SinkState[];
  readonly image: {
    readonly wanted: string;
    /** null: not on this host; undefined: could not be looked up. */
    readonly id: string | null | undefined;
    /** ISO 8601, when it was made; undefined: it is not here, or does not say. */
    readonly createdAt: string | undefined;
    readonly pulling: string | undefined;
  };
  readonly engine: {
    readonly host: string;
    readonly version: string | undefined;
    readonly apiVersion: string | undefined;
    /** What kind of trouble there is with it; undefined while it answers. */
    readonly failure: EngineFailure['kind'] | undefined;
  };
  readonly config: {
    readonly source: string;
    readonly revision: string | undefined;
    /** What its first pilots have shown so far; undefined once it is proven. */
    readonly probation: string | undefined;
    /** Of the revision in force; undefined where this host does not ask for signatures. */
    readonly signature: { readonly by: string } | { readonly problem: string } | undefined;
    readonly refused: { readonly revision: string; readonly problems: readonly string[] } | undefined;
    readonly unreachable: string | undefined;
  };
  readonly pilots: readonly PilotStatus[];
  readonly totals: {
    readonly spawned: number;
    readonly ended: number;
    readonly evicted: number;
    readonly failed: number;
  };
}

export interface PilotStatus {
  readonly name: string;
  /** First twelve characters of the engine's id. */
  readonly id: string;
  readonly state: PilotState;
  readonly image: string;
  readonly revision: string;
  readonly cpus: number | undefined;
  readonly ageSeconds: number;
}

/** What a status is made of. */
export interface StatusFacts extends FaultFacts {
  readonly version: string;
  readonly pid: number;
  readonly instance: string;
  readonly host: HostFacts;
  readonly startedWallMs: number;
  readonly nextCycleInMs: number;
  readonly cycles: number;
  readonly yields: Status['yields'];
  readonly sinks: Status['sinks'];
  readonly engine: Status['engine'];
  readonly config: Status['config'];
  readonly totals: Status['totals'];
  /** What went wrong lately; sentences. */
  readonly troubles: readonly string[];
}

function ageMs({ spawnedBootMs, bootId, createdWallMs }: Pilot, now: Instant, host: HostFacts): number {
  return spawnedBootMs !== undefined && bootId === host.bootId
    ? now.bootMs - spawnedBootMs
    : now.wallMs - createdWallMs;
}

/** A pilot as it is shown. */
export function toPilotStatus(pilot: Pilot, now: Instant, host: HostFacts): PilotStatus {
  return {
    name: pilot.name,
    id: pilot.id.slice(0, 12),
    state: pilot.state,
    image: pilot.image,
    revision: pilot.revision,
    cpus: pilot.cpus,
    ageSeconds: Math.max(0, Math.round(ageMs(pilot, now, host) / 1000)),
  };
}

function noticesOf({ seen, troubles }: StatusFacts): readonly string[] {
  const privateBinds = seen?.observation.privateBinds ?? [];
  const told = [...troubles, ...(seen?.observation.policy.clamps ?? [])];
  if (privateBinds.length === 0) return told;
  const paths = privateBinds.join(', ');
  return [...told, `what is mounted below ${paths} later will not show up in pilots: the mount there is private`];
}

function imageStatus({ wantedImage, seen }: StatusFacts): Status['image'] {
  const image = seen?.observation.image;
  const createdWallMs = image?.createdWallMs;
  return {
    wanted: wantedImage,
    id: image === null ? null : image?.id,
    createdAt: createdWallMs === undefined ? undefined : new Date(createdWallMs).toISOString(),
    pulling: seen?.observation.inFlight.pulling[0],
  };
}

/**
 * The status after a cycle; what a held cycle could not see is told from the last one that could. `before`: the faults of the status before.
 */
export function toStatus(facts: StatusFacts, before: readonly Fault[]): Status {
  const { seen, now, failure } = facts;
  return {
    apiVersion: 'plancton/v1',
    kind: 'Status',
    version: facts.version,
    pid: facts.pid,
    instance: facts.instance,
    hostname: facts.host.hostname,
    at: new Date(now.wallMs).toISOString(),
    atBootMs: Math.round(now.bootMs),
    startedAt: new Date(facts.startedWallMs).toISOString(),
    health: failure === undefined ? 'ok' : 'waiting',
    trouble: failure?.message,
    mode: facts.mode,
    cycles: facts.cycles,
    nextCycleInSeconds: Math.ceil(facts.nextCycleInMs / 1000),
    capacity: seen?.plan.capacity,
    holds: seen?.plan.holds ?? [],
    gates: seen?.plan.gates ?? [],
    faults: faultsOf(facts, before),
    notices: noticesOf(facts),
    yields: facts.yields,
    sinks: facts.sinks,
    image: imageStatus(facts),
    engine: facts.engine,
    config: facts.config,
    pilots: seen?.observation.pilots.map((pilot) => toPilotStatus(pilot, now, facts.host)) ?? [],
    totals: facts.totals,
  };
}
