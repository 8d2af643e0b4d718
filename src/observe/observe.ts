import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import type {
  ConfigNote,
  CpuSample,
  HostFacts,
  InFlight,
  Observation,
  Outcome,
  Pilot,
  PolicyNote,
  Resources,
  RunMode,
  SeenMode,
} from '../model.js';
import { DeadPilots } from './dead-pilots.js';
import type { HostSampler } from './host-sampler.js';
import { ImageLook } from './image-look.js';
import { ImagePresence } from './image-presence.js';
import { leftOfSpanMs, lookSpanMs } from './look-schedule.js';
import { onPrivateMount } from './mount-propagation.js';
import type { PilotCgroup } from './pilot-cgroup.js';
import type { PilotUsages } from './pilot-usage.js';

export interface ObserverOptions {
  readonly clock: Clock;
  readonly host: HostFacts;
  readonly instance: string;
  /** What the operator asks for; rejects when that cannot be told. */
  readonly readMode: () => Promise<RunMode>;
  readonly engine: ContainerEngine;
  /** The text of /proc/self/mountinfo, or '' where the engine's mounts are not ours. */
  readonly readMounts: () => Promise<string>;
  readonly sampler: HostSampler;
  /** Never rejects: what cannot be read is undefined. */
  readonly readResources: () => Promise<Resources>;
  readonly group: () => PilotCgroup;
  /** Told of the pilots with each sample. */
  readonly usages: Pick<PilotUsages, 'look'>;
  readonly inFlight: () => InFlight;
  readonly takeOutcomes: () => readonly Outcome[];
}

export interface Observer {
  /** One look at the world. Rejects with an EngineError when the pilots cannot be listed: unknown is not empty. */
  observe(config: Config, note: ConfigNote, policy: PolicyNote): Promise<Observation>;
  /** What the operator asks for, also where the pilots cannot be listed. */
  mode(): Promise<SeenMode>;
  /** Ms until the next sample of the host is due. */
  nextSampleInMs(config: Config): number;
}

/** The part of `source:target[:options]` that is on the host. */
function sourceOf(bind: string): string {
  return bind.split(':')[0] ?? '';
}

/** An engine that unpacks an image takes CPUs for us; one that has been pulling for longer than this mostly waits for the network. */
const UNPACKING_MS = 600_000;

/** Keeps the newest sample between looks: pilots are listed at every look, the host is sampled and the image looked for on the timer. */
class WorldObserver implements Observer {
  readonly #options: ObserverOptions;
  #sample: CpuSample | undefined;
  #resources: Resources = { memory: undefined, disk: undefined, pressure: undefined, tasks: undefined };
  #readAtMs: number | undefined;
  #readings = 0;
  /** When the first sample was taken. */
  #watchedFromMs: number | undefined;
  #pulled = false;
  /** By image. */
  #pullingSinceMs: ReadonlyMap<string, number> = new Map();
  readonly #images: ImageLook;
  readonly #presence: ImagePresence;
  readonly #dead: DeadPilots;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#dead = new DeadPilots(options);
    this.#images = new ImageLook(options);
    this.#presence = new ImagePresence(options.engine);
  }

  async observe(config: Config, { revision, proof }: ConfigNote, policy: PolicyNote): Promise<Observation> {
    const { clock, host, instance, group } = this.#options;
    // Before the list: what ends in between is then seen twice, as a name, and never not at all.
    const inFlight = this.#options.inFlight();
    const isDue = this.nextSampleInMs(config) <= 0;
    if (isDue) this.#presence.forget();
    const listed = await this.#list(config);
    if (isDue) await this.#dead.look(listed);
    const pilots = this.#dead.correct(listed);
    const outcomes = this.#options.takeOutcomes();
    this.#notePulls(inFlight, outcomes);
    this.#images.note(outcomes);
    this.#presence.note(outcomes);
    const looking = this.#presence.find(config.docker_image);
    if (isDue) {
      await this.#takeSample(pilots, inFlight);
      this.#images.beginIfDue(config, this.#resources.disk);
    }
    const { image, imageFailure } = await looking;
    const mode = await this.mode();
    const mounts = config.binds.length === 0 ? '' : await this.#options.readMounts().catch(() => '');
    return {
      at: clock.now(),
      host,
      instance,
      revision,
      proof,
      sample: this.#sample,
      resources: this.#resources,
      yields: group().yields,
      pilots,
      image,
      imageFailure,
      images: this.#images.take(),
      mode,
      policy,
      privateBinds: onPrivateMount(mounts, config.binds.map(sourceOf)),
      inFlight,
      outcomes,
    };
  }

  async #list(config: Config): Promise<readonly Pilot[]> {
    const { instance, engine } = this.#options;
    try {
      return await engine.listPilots({ instance, adoptOriginal: config.adopt_original });
    } catch (error) {
      this.#presence.forget();
      throw error;
    }
  }

  nextSampleInMs(config: Config): number {
    if (this.#readAtMs === undefined) return 0;
    const watchedMs = this.#watchedFromMs === undefined ? undefined : this.#readAtMs - this.#watchedFromMs;
    return leftOfSpanMs(
      lookSpanMs(config, watchedMs, this.#readings),
      this.#options.clock.now().monoMs - this.#readAtMs,
    );
  }

  #notePulls({ pulling }: InFlight, outcomes: readonly Outcome[]): void {
    const { monoMs } = this.#options.clock.now();
    const ended = outcomes.some(({ action }) => action.type === 'pull');
    this.#pullingSinceMs = new Map(pulling.map((image) => [image, this.#pullingSinceMs.get(image) ?? monoMs]));
    const unpacks = [...this.#pullingSinceMs.values()].some((sinceMs) => monoMs - sinceMs < UNPACKING_MS);
    this.#pulled ||= unpacks || ended;
  }

  async #takeSample(pilots: readonly Pilot[], inFlight: InFlight): Promise<void> {
    const { clock, sampler, readResources } = this.#options;
    const short = this.#sample === undefined;
    const [sample, resources] = await Promise.all([
      sampler.read({ pilots, duringPull: this.#pulled, short }).catch(() => undefined),
      readResources(),
    ]);
    this.#options.usages.look(pilots);
    // An unreadable host keeps the old sample, which the plan will find stale.
    if (sample !== undefined) this.#sample = sample;
    this.#resources = resources;
    this.#readAtMs = clock.now().monoMs;
    this.#readings += 1;
    if (sample !== undefined) this.#watchedFromMs ??= this.#readAtMs;
    this.#pulled = false;
    this.#notePulls(inFlight, []);
  }

  async mode(): Promise<SeenMode> {
    return this.#options.readMode().catch(() => 'unknown' as const);
  }
}

export function createObserver(options: ObserverOptions): Observer {
  return new WorldObserver(options);
}
