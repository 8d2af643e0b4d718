import type { ContainerSettings, EngineFailure, HostImage, LocalImage, Pilot, PilotEnd, PilotSpec } from '../model.js';

/** Facts about the engine that shape what we ask of it. */
export interface EngineInfo {
  /** As the engine calls itself, e.g. `20.10.24`. */
  readonly version: string;
  /** The API version in use after negotiation, e.g. `1.41`. */
  readonly apiVersion: string;
  readonly cgroupDriver: 'systemd' | 'cgroupfs' | 'none';
  readonly cgroupVersion: 1 | 2;
  readonly rootless: boolean;
  readonly appArmor: boolean;
  /** Where the logs of containers go unless they say otherwise, e.g. `json-file`; empty: it does not tell. */
  readonly logDriver: string;
  /** What runs containers that say nothing else, e.g. `runc`; empty: it does not tell. */
  readonly defaultRuntime: string;
  /** Where images and containers live, for the disk checks. */
  readonly dataRoot: string;
}

/** Whose containers count as ours. */
export interface Ownership {
  /** Value of the instance label. */
  readonly instance: string;
  /** Also those that an original Plancton started (by exact name, no labels). */
  readonly adoptOriginal: boolean;
}

/** By what a container that was made is told from all others. */
export type NamedPilot = Pick<PilotSpec, 'name' | 'instance'>;

/** Progress of a pull, at most a few times a second. */
export interface PullProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly status: string;
}

/** Somebody who wants to hear of the ends of pilots. */
export interface EndsListener {
  /** Value of the instance label; pilots that an original Plancton started carry none and are not told of. */
  readonly instance: string;
  /** Ends from this moment on are told again, as far as the engine remembers them. Ms since 1970, by the engine's clock. */
  readonly sinceWallMs: number | undefined;
  /** The engine has begun to tell: what ends from now on will be told. */
  readonly onOpen: () => void;
  /**
   * A pilot has ended, and the list of pilots says so too by now. `atWallMs`: when, by the engine's clock; `end`: how, as far as the engine
   * has told.
   */
  readonly onEnd: (id: string, atWallMs: number, end: PilotEnd | undefined) => void;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** How much of a log is wanted: so many lines at its end, and no more than so many bytes of them. */
export interface LogTail {
  readonly lines: number;
  readonly maxBytes: number;
}

/** Somebody who wants to read along what a pilot writes. */
export interface LogListener {
  /** What was written before: so many lines. */
  readonly lines: number;
  /** Pieces as they come, of both streams, as the pilot wrote them. */
  readonly onText: (text: string) => void;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * What Plancton needs of a container engine, in our words. Every method rejects with an EngineError and with nothing else, and
 * always settles: each call has a deadline of its own.
 */
export interface ContainerEngine {
  /** Negotiates the API version and tells what the engine is. Cheap; call again after the engine was away. */
  info(): Promise<EngineInfo>;
  /** All containers of ours in every state, in one request however many there are. */
  listPilots(ownership: Ownership): Promise<readonly Pilot[]>;
  /** Makes the container; returns its id. A taken name is a `conflict`, a missing image `not-found`. */
  createPilot(spec: PilotSpec, cgroupParent: string | undefined): Promise<string>;
  /**
   * What the engine says it has made of this pilot; the more this is, the more a pilot gets of the host. `malformed` where `id` is that of
   * another container: nothing may be done to it then.
   */
  settingsOf(id: string, pilot: NamedPilot): Promise<ContainerSettings>;
  /** Starts it; already started is success. Rejects when it did not come up. */
  startPilot(id: string): Promise<void>;
  /** SIGTERM, then SIGKILL after `stopSeconds`; resolves when it does not run any more; gone is success. */
  stopPilot(id: string, stopSeconds: number): Promise<void>;
  /** Has all its processes stand still; paused already is success. Rejects when it does not run. */
  pausePilot(id: string): Promise<void>;
  /** Lets them go on; not paused is success. */
  unpausePilot(id: string): Promise<void>;
  /** Kills if need be and removes, with its anonymous volumes; gone is success. */
  removePilot(id: string): Promise<void>;
  /** How an ended pilot ended; undefined when it runs or is gone. */
  pilotEnd(id: string): Promise<PilotEnd | undefined>;
  /** The end of what a pilot has written to both streams, also of one that has ended. Some log drivers give nothing back (`refused`). */
  logTail(id: string, tail: LogTail): Promise<string>;
  /** Tells what a pilot writes; resolves when it has ended. */
  followLog(id: string, listener: LogListener): Promise<void>;
  /**
   * Tells the ends of pilots as they happen. A hint and never a fact: it may come twice, late, not at all, or of a pilot that runs.
   * Never resolves: rejects when the engine stops telling, tells what makes no sense or too much, or when `signal` aborts.
   */
  followEnds(listener: EndsListener): Promise<never>;
  /** CPU time used by one container so far, in ns. For pilots outside our cgroup. */
  pilotCpuNs(id: string): Promise<number>;
  /** The image as it is on this host; null when it is not. Asks no registry. */
  findImage(reference: string): Promise<LocalImage | null>;
  /** Fetches from the registry; rejects on everything that is not a complete image. `signal` gives up. */
  pullImage(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /** All images of the host, and which of them `instance` has marked. Takes a while where there are many: ask seldom. */
  listImages(instance: string): Promise<readonly HostImage[]>;
  /**
   * Marks the image as brought here by `instance`: `before` is what there was before the pull. What had been here already and is not ours
   * gets no mark. The mark is a name of the image, so that it survives everything that the image does.
   */
  markImage(reference: string, instance: string, before: readonly HostImage[]): Promise<void>;
  /** Removes an image that `instance` has marked. False: it is not ours, or somebody needs it, and it stays; gone is success. */
  dropImage(id: string, instance: string): Promise<boolean>;
}

export class EngineError extends Error {
  readonly kind: EngineFailure['kind'];
  readonly pull: EngineFailure['pull'];
  readonly start: EngineFailure['start'];

  constructor(
    kind: EngineFailure['kind'],
    message: string,
    { pull, start, ...options }: ErrorOptions & Pick<EngineFailure, 'pull' | 'start'> = {},
  ) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
    this.pull = pull;
    this.start = start;
  }
}
