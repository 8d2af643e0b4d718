import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import type { CpuSample, HostFacts, InFlight, Observation, Outcome, Pilot, Resources, RunMode } from '../model.js';
import type { HostSampler } from './host-sampler.js';
import { onPrivateMount } from './mount-propagation.js';
import type { PilotCgroup } from './pilot-cgroup.js';

/** A first figure is there a second after the start, and a better one soon after; later looks at the host wait for the timer. */
const FIRST_SPAN_MS = 1000;
const SECOND_SPAN_MS = 10_000;
/** Timers fire a hair early at times; a sample that is due within this fraction of the period is due now. */
const EARLY = 0.02;

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
  readonly inFlight: () => InFlight;
  readonly takeOutcomes: () => readonly Outcome[];
}

export interface Observer {
  /** One look at the world. Rejects with an EngineError when the pilots cannot be listed: unknown is not empty. */
  observe(config: Config, revision: string): Promise<Observation>;
  /** What the operator asks for, also where the pilots cannot be listed. */
  mode(): Promise<RunMode>;
  /** Ms until the next sample of the host is due. */
  nextSampleInMs(config: Config): number;
}

/** The part of `source:target[:options]` that is on the host. */
function sourceOf(bind: string): string {
  return bind.split(':')[0] ?? '';
}

/** Keeps the newest sample between looks: pilots are listed at every look, the host is sampled on the timer. */
class WorldObserver implements Observer {
  readonly #options: ObserverOptions;
  #sample: CpuSample | undefined;
  #resources: Resources = { memory: undefined, disk: undefined, pressure: undefined };
  #readAtMs: number | undefined;
  #pulled = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  async observe(config: Config, revision: string): Promise<Observation> {
    const { clock, host, instance, engine, group } = this.#options;
    // Before the list: what ends in between is then seen twice, as a name, and never not at all.
    const inFlight = this.#options.inFlight();
    const looking = engine.findImage(config.docker_image).catch(() => undefined);
    const pilots = await engine.listPilots({ instance, adoptOriginal: config.adopt_original });
    const outcomes = this.#options.takeOutcomes();
    this.#pulled ||= inFlight.pulling.length > 0 || outcomes.some(({ action }) => action.type === 'pull');
    if (this.nextSampleInMs(config) <= 0) await this.#takeSample(pilots, inFlight);
    const image = await looking;
    const mode = await this.mode();
    const mounts = config.binds.length === 0 ? '' : await this.#options.readMounts().catch(() => '');
    return {
      at: clock.now(),
      host,
      instance,
      revision,
      sample: this.#sample,
      resources: this.#resources,
      yields: group().yields,
      pilots,
      image,
      mode,
      privateBinds: onPrivateMount(mounts, config.binds.map(sourceOf)),
      inFlight,
      outcomes,
    };
  }

  nextSampleInMs(config: Config): number {
    if (this.#readAtMs === undefined) return 0;
    const periodMs = this.#spanMs(config);
    const leftMs = this.#readAtMs + periodMs - this.#options.clock.now().monoMs;
    return leftMs <= EARLY * periodMs ? 0 : leftMs;
  }

  #spanMs(config: Config): number {
    const periodMs = config.main_sleep * 1000;
    if (this.#sample === undefined) return Math.min(FIRST_SPAN_MS, periodMs);
    return this.#sample.short ? Math.min(SECOND_SPAN_MS, periodMs) : periodMs;
  }

  async #takeSample(pilots: readonly Pilot[], inFlight: InFlight): Promise<void> {
    const { clock, sampler, readResources } = this.#options;
    const short = this.#sample === undefined;
    const [sample, resources] = await Promise.all([
      sampler.read({ pilots, duringPull: this.#pulled, short }).catch(() => undefined),
      readResources(),
    ]);
    // An unreadable host keeps the old sample, which the plan will find stale.
    if (sample !== undefined) this.#sample = sample;
    this.#resources = resources;
    this.#readAtMs = clock.now().monoMs;
    this.#pulled = inFlight.pulling.length > 0;
  }

  /** A run directory that cannot be read may hold a drain: nothing is started until it can be. */
  async mode(): Promise<RunMode> {
    return this.#options.readMode().catch((): RunMode => 'drain');
  }
}

export function createObserver(options: ObserverOptions): Observer {
  return new WorldObserver(options);
}
