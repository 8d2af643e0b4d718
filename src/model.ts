/**
 * The nouns that travel through a cycle. Types only: this file imports nothing and holds no code, so that every
 * stage may use it. Units are in the names; where a name has none, it is a plain count or a number of CPUs.
 */

/** One moment on three clocks, read together. */
export interface Instant {
  /** Wall clock, ms since 1970; may jump. Only for the eyes of people and for comparing with the engine's stamps. */
  readonly wallMs: number;
  /** Monotonic, ms since an arbitrary start; stands still during suspend. For intervals. */
  readonly monoMs: number;
  /** Ms since boot, suspend included. For the age of pilots. */
  readonly bootMs: number;
}

/** What does not change while the daemon runs. */
export interface HostFacts {
  readonly hostname: string;
  /** Online CPUs. */
  readonly ncpus: number;
  readonly ramBytes: number;
  readonly swapBytes: number;
  /** Changes at each boot; the boot clocks of two boots cannot be compared. */
  readonly bootId: string;
}

/** How the host was used over one span of time. All figures are CPUs (2.5 = two and a half CPUs busy). */
export interface CpuSample {
  /** Rises by one with each new sample; the same number means the same sample. */
  readonly seq: number;
  /** When the span ended, monotonic. */
  readonly monoMs: number;
  readonly spanMs: number;
  /** Online CPUs during the span. */
  readonly cpus: number;
  /** Busy: everything but idle and iowait; steal counts as busy. */
  readonly busy: number;
  /** Strictly idle; `cpus - busy - idle` is iowait. */
  readonly idle: number;
  /** Used by our pilots; undefined when it could not be had. */
  readonly own: number | undefined;
  /** Used by the daemon and its children, and by what `own_cgroups` names. */
  readonly service: number;
  /** The first sample after start covers about a second only. */
  readonly short: boolean;
  /** An image of ours was being pulled and unpacked during the span. */
  readonly duringPull: boolean;
}

/** Memory in bytes. */
export interface MemoryUse {
  /** What can be had without swapping. */
  readonly availableBytes: number;
  /** What our pilots hold now, without cache that can be dropped; 0 where that cannot be told. */
  readonly pilotsBytes: number;
}

/** Room on one file system. */
export interface DiskSpace {
  /** For unprivileged users. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeInodes: number;
  /** 0 where the file system has no fixed number of them. */
  readonly totalInodes: number;
}

/** Percent of the time in which tasks of the host stood still for want of something, averaged by the kernel. */
export interface Pressure {
  /** At least one task waited for memory: over ten seconds, and over a minute. */
  readonly memorySome10: number;
  readonly memorySome60: number;
  /** All tasks that had anything to do waited for a disk; over a minute. */
  readonly ioFull60: number;
}

/** What pilots need beside CPUs. Of each: null = there is no such thing to look at here, undefined = it could not be read. */
export interface Resources {
  readonly memory: MemoryUse | null | undefined;
  /** Where the engine keeps images and containers; null where that is not on this host. */
  readonly disk: DiskSpace | null | undefined;
  /** Null where the kernel does not tell. */
  readonly pressure: Pressure | null | undefined;
  /** Null where the kernel does not tell. */
  readonly tasks: Tasks | null | undefined;
}

/** Processes and threads of the whole host, and how many the kernel lets there be. */
export interface Tasks {
  readonly count: number;
  readonly most: number;
}

/** How pilots give way to the owner of the host. */
export type YieldMode = 'cgroup' | 'containers' | 'none';

/** The state of a container as the engine tells it. */
export type PilotState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead' | 'unknown';

/** One container of ours. */
export interface Pilot {
  readonly id: string;
  readonly name: string;
  readonly state: PilotState;
  readonly image: string;
  /** The CPUs it was started with (label); undefined for pilots that carry no label. */
  readonly cpus: number | undefined;
  /** The memory it may take (label), 0 = without limit; undefined for pilots that carry no label. */
  readonly memoryBytes: number | undefined;
  readonly flavour: string;
  readonly revision: string;
  /** Spawn time on the boot clock of `bootId`; both undefined where the labels are missing. */
  readonly spawnedBootMs: number | undefined;
  readonly bootId: string | undefined;
  readonly createdWallMs: number;
  /** Known once it has exited. */
  readonly exitCode: number | undefined;
  /** Started by an original Plancton and adopted. */
  readonly adopted: boolean;
  /** Of its image, as the engine names it; undefined: it does not tell. */
  readonly imageId?: string | undefined;
  /** In the engine's network while it runs; undefined: it has none of its own. */
  readonly address?: string | undefined;
  /** Of its network card there, e.g. `02:42:ac:11:00:02`. */
  readonly mac?: string | undefined;
}

/** What the operator asks for through the files in the run directory. */
export type RunMode = 'active' | 'drain' | 'drain-stop' | 'force-stop';

/** The mode as the daemon sees it. `unknown`: the run directory cannot be read, so it may hold a drain, and no pilot is started. */
export type SeenMode = RunMode | 'unknown';

/** Work that was begun in an earlier cycle and has not ended. */
export interface InFlight {
  /** Pilots asked for, which the engine may not list yet. */
  readonly spawning: readonly { readonly name: string; readonly cpus: number }[];
  /** Ids of pilots being stopped or removed. */
  readonly removing: readonly string[];
  /** Image references being pulled. */
  readonly pulling: readonly string[];
}

/** An image as it is on the host. */
export interface LocalImage {
  readonly reference: string;
  readonly id: string;
  /** When it was made, by whoever made it; undefined: it does not say. */
  readonly createdWallMs: number | undefined;
}

/** An image on the host, and what it has to do with us. */
export interface HostImage {
  readonly id: string;
  /** Our marks, as names of the image; none = we did not bring it. */
  readonly marks: readonly string[];
  /** When it was last brought here, or became the wanted one again (wall clock); undefined without marks. */
  readonly markedWallMs: number | undefined;
  /** Names that came with our pulls, tags before digests. */
  readonly names: readonly string[];
  /** Tags that somebody else has made. */
  readonly othersNames: readonly string[];
  /** Somebody has a use for it: a container, ours or not, another image made from it, or a name of others. */
  readonly needed: boolean;
  /** Layers included that other images share. */
  readonly sizeBytes: number;
}

/** One read-only look at the world. The list of pilots is always known: without one there is no observation. */
export interface Observation {
  readonly at: Instant;
  readonly host: HostFacts;
  /** Whose pilots these are; a label on each. */
  readonly instance: string;
  /** The configuration in force; a label on each new pilot. */
  readonly revision: string;
  readonly proof: Proof;
  /** The newest sample; undefined until there is one. It may be old: compare `monoMs`. */
  readonly sample: CpuSample | undefined;
  /** Read whenever a sample is taken. */
  readonly resources: Resources;
  readonly yields: YieldMode;
  readonly pilots: readonly Pilot[];
  /** The wanted image: null = not on this host, undefined = could not be found out. */
  readonly image: LocalImage | null | undefined;
  /** Why it is not known whether the image is here. */
  readonly imageFailure?: EngineFailure | undefined;
  /** All images of the host, looked at now and then; undefined = not this time. */
  readonly images: readonly HostImage[] | undefined;
  readonly mode: SeenMode;
  readonly policy: PolicyNote;
  /** Sources of binds that are on private mounts of this host: nothing mounted below them later can reach a container. */
  readonly privateBinds: readonly string[];
  readonly inFlight: InFlight;
  /** What became of actions since the last observation. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Whether pilots have shown that the configuration in force works. `on-probation`: not yet, and there is one to go back to;
 * `first`: not yet, and there is none.
 */
export type Proof = 'proven' | 'on-probation' | 'first';

/** The configuration in force, as far as its pilots are concerned. */
export interface ConfigNote {
  readonly revision: string;
  readonly proof: Proof;
}

/** What the policy of this host makes of the configuration; sentences. */
export interface PolicyNote {
  /** Numbers that were capped. */
  readonly clamps: readonly string[];
  /** What it does not allow, or why there is none; nothing may be started then. */
  readonly refusals: readonly string[];
}

/** Everything the engine needs to know to make one pilot. */
export interface PilotSpec {
  readonly name: string;
  readonly hostname: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly entrypoint: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** In addition to the memory. */
  readonly swapBytes: number;
  /** Processes and threads at a time. */
  readonly pids: number;
  readonly privileged: boolean;
  readonly network: string;
  /** `host:container:mode`, the mode always present. */
  readonly binds: readonly string[];
  readonly devices: readonly DeviceSpec[];
  readonly capabilitiesAdded: readonly string[];
  readonly capabilitiesDropped: readonly string[];
  readonly securityOptions: readonly string[];
  /** What follows becomes labels (with `cpus`, `memoryBytes` and `image`): all that Plancton remembers about a pilot. */
  readonly instance: string;
  readonly flavour: string;
  readonly revision: string;
  readonly bootId: string;
  readonly spawnedBootMs: number;
}

/** What a container was to be. */
export interface AskedContainer {
  readonly spec: PilotSpec;
  /** Undefined: left to the engine. */
  readonly cgroupParent: string | undefined;
}

export interface DeviceSpec {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly permissions: string;
}

export type RemovalReason = 'exited' | 'never-started' | 'expired' | 'evicted' | 'force-stop';
/** `probe`: one pilot to see whether it is worth starting others. */
export type SpawnReason = 'growth' | 'replacement' | 'probe';
export type PullReason = 'missing' | 'changed' | 'expired';

export interface SpawnAction {
  readonly type: 'spawn';
  readonly spec: PilotSpec;
  readonly reason: SpawnReason;
}
export interface RemoveAction {
  readonly type: 'remove';
  readonly pilot: Pilot;
  readonly reason: RemovalReason;
  /** Seconds between SIGTERM and SIGKILL; 0 = kill at once. */
  readonly stopSeconds: number;
  /** How old the pilot was when this was decided. */
  readonly ageMs: number;
}
export interface PullAction {
  readonly type: 'pull';
  readonly reference: string;
  readonly reason: PullReason;
}
/** `disk`: there is too little room on the engine's disk. */
export type DropReason = 'superseded' | 'disk';
/** An image that we brought is taken away. */
export interface DropImageAction {
  readonly type: 'drop-image';
  readonly image: HostImage;
  readonly reason: DropReason;
}
/** The pilot stands still where it is, in memory. */
export interface FreezeAction {
  readonly type: 'freeze';
  readonly pilot: Pilot;
}
/** A pilot that stands still goes on. */
export interface ThawAction {
  readonly type: 'thaw';
  readonly pilot: Pilot;
}
/** What makes room for the owner, or takes it again. */
export type ReclaimAction = RemoveAction | FreezeAction | ThawAction;
export type Action = SpawnAction | PullAction | DropImageAction | ReclaimAction;

/** What a container was made with, by the engine's account: all that could give it a part of the host. */
export interface ContainerSettings {
  readonly image: string;
  /** Empty: the one of the image. */
  readonly user: string;
  readonly privileged: boolean;
  /** `source:target[:options]`. */
  readonly binds: readonly string[];
  readonly devices: readonly DeviceSpec[];
  /** Added ones, as the engine writes them. */
  readonly capabilities: readonly string[];
  /** As the engine writes them. */
  readonly capabilitiesDropped: readonly string[];
  readonly securityOptions: readonly string[];
  readonly network: string;
  /** Names of those that it is in, as far as the engine tells. */
  readonly networks: readonly string[];
  /** What runs it; empty: whatever runs all containers. */
  readonly runtime: string;
  /** Empty: the engine's own choice. */
  readonly cgroupParent: string;
  /** 0: no limit. */
  readonly cpus: number;
  /** 0: no limit. */
  readonly memoryBytes: number;
  /** In addition to the memory, as far as there is a limit. */
  readonly swapBytes: number;
  /** Processes and threads at a time; 0: no limit. */
  readonly pids: number;
  /** What pilots never have, each as `Name value`. */
  readonly extras: readonly string[];
}

/** What came of one action. `ended` tells how the removed pilot had ended, where the engine still knew. */
export interface Outcome {
  readonly action: Action;
  /** `skipped`: not tried, because another start of the same cycle had just failed, there is no room for it or somebody needs it by now. */
  readonly result: 'done' | 'failed' | 'skipped';
  readonly error: EngineFailure | undefined;
  readonly ended: PilotEnd | undefined;
  /** Of a pull. */
  readonly tookMs?: number | undefined;
  /** Of a start that failed: what was made was not asked to start, and goes again. */
  readonly unasked?: boolean;
}

/** How a pilot ended. Times as the engine tells them (wall clock); undefined if it never ran. */
export interface PilotEnd {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedWallMs: number | undefined;
  readonly finishedWallMs: number | undefined;
}

/** What a pilot has used of the host so far. */
export interface PilotUsage {
  readonly cpuSeconds: number;
  /** Undefined: its memory is not counted. */
  readonly memoryPeakBytes: number | undefined;
  /** Read from disks and written to them; undefined: not counted. */
  readonly blockBytes?: number | undefined;
  /** Sent and received; undefined: not known. */
  readonly networkBytes?: number | undefined;
}

/** An engine call that failed, sorted by what it means for us. `invalid`: what was asked for cannot work (HTTP 400), here or elsewhere. */
export interface EngineFailure {
  readonly kind:
    'unreachable' | 'forbidden' | 'timeout' | 'not-found' | 'invalid' | 'conflict' | 'refused' | 'malformed';
  readonly message: string;
  /** Only of a pull: what is wrong beyond the engine, as far as its words tell. */
  readonly pull?: PullTrouble | undefined;
  /** Only of a start: what the host lacks, as far as its engine's words tell. */
  readonly start?: StartTrouble | undefined;
}

/**
 * What a host lacks when its engine cannot start a container. `network`: something about it other than addresses. `not-as-asked`: nothing, but what
 * the engine has made may not be started.
 */
export type StartTrouble =
  'control-groups' | 'addresses' | 'network' | 'keys' | 'processes' | 'no-room' | 'not-as-asked';

/** Why a registry's image does not come. `denied`: may not be had from here, or is not there; registries do not tell which. */
export type PullTrouble =
  'rate-limited' | 'denied' | 'absent' | 'untrusted' | 'unreachable' | 'unwell' | 'damaged' | 'no-room' | 'silent';
