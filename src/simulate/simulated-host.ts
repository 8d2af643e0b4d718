import type { CpuSample, HostFacts, Instant, Pilot, PilotEnd, PilotSpec, YieldMode } from '../model.js';
import { shareCpus } from './cpu-share.js';
import type { ForeignLoad } from './foreign-load.js';
import { createRandom } from './random.js';

/** How long the pilots of a scenario run, and how hard. */
export interface PilotKind {
  /** At full speed; a pilot that gets less CPU than it could use takes longer. */
  readonly seconds: number;
  /** Each pilot's length is drawn evenly from `seconds` -+ this fraction. */
  readonly jitter: number;
  /** The share of its CPUs that a pilot uses; above 0. */
  readonly cpu: number;
}

export interface HostOptions {
  readonly ncpus: number;
  readonly pilot: PilotKind;
  readonly foreign: ForeignLoad;
  readonly yields: YieldMode;
  /** CPU seconds that the start of a pilot costs the host, beside what the pilot uses. */
  readonly startCost: number;
  /** Over-committed when the pilots' CPUs and the foreign load exceed the host by more than this. CPUs. */
  readonly slack: number;
  /** A pilot that ends by itself within so many seconds has fizzled. */
  readonly fizzleSeconds: number;
  readonly seed: number;
}

/** Sums over the time so far. */
export interface HostTotals {
  readonly seconds: number;
  readonly pilotSeconds: number;
  /** CPU seconds used by anybody. */
  readonly busy: number;
  /** CPU seconds that others wanted, and got. */
  readonly wanted: number;
  readonly given: number;
  readonly overcommittedSeconds: number;
  /** Pilots that ended by themselves, and those of them that fizzled. */
  readonly completed: number;
  readonly fizzled: number;
}

/** What the host needs to know to run a pilot. */
export type SimulatedSpec = Pick<
  PilotSpec,
  'name' | 'image' | 'cpus' | 'memoryBytes' | 'flavour' | 'revision' | 'spawnedBootMs' | 'bootId'
>;

interface SimulatedPilot {
  readonly pilot: Pilot;
  readonly cpus: number;
  readonly bornSeconds: number;
  /** When it was frozen or thawed last. */
  readonly movedSeconds: number;
  /** CPU seconds to go. */
  left: number;
  /** CPUs it gets now. */
  given: number;
}

const BOOT: Instant = { wallMs: Date.UTC(2026, 0, 1), monoMs: 3_600_000, bootMs: 3_600_000 };
/** As pilots end that heed SIGTERM. */
const EXIT_TERMINATED = 143;
const TINY = 1e-9;

/** The facts of a simulated host: 4 GB of memory beside each CPU, no swap. */
export function simulatedFacts(ncpus: number): HostFacts {
  return { hostname: 'simulated', ncpus, ramBytes: ncpus * 4e9, swapBytes: 0, bootId: 'simulated-boot' };
}

/** A host that shares its CPUs among pilots and foreign load as the kernel does. Time moves only in `advance`. */
export class SimulatedHost {
  readonly facts: HostFacts;
  readonly #options: HostOptions;
  readonly #random: () => number;
  readonly #running = new Map<string, SimulatedPilot>();
  /** Those that stand still. */
  readonly #frozen = new Map<string, SimulatedPilot>();
  readonly #exited = new Map<string, { readonly pilot: Pilot; readonly ended: PilotEnd }>();
  #seconds = 0;
  #ids = 0;
  #sums = { pilotSeconds: 0, busy: 0, own: 0, overcommittedSeconds: 0, wanted: 0, given: 0, completed: 0, fizzled: 0 };
  #sampled = { seconds: 0, busy: 0, own: 0, seq: 0 };

  constructor(options: HostOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed);
    this.facts = simulatedFacts(options.ncpus);
  }

  /** Seconds since the simulation began. */
  get seconds(): number {
    return this.#seconds;
  }

  get now(): Instant {
    const ms = this.#seconds * 1000;
    return { wallMs: BOOT.wallMs + ms, monoMs: BOOT.monoMs + ms, bootMs: BOOT.bootMs + ms };
  }

  get yields(): YieldMode {
    return this.#options.yields;
  }

  get totals(): HostTotals {
    return { seconds: this.#seconds, ...this.#sums };
  }

  /** As an engine would list them. */
  list(): readonly Pilot[] {
    return [...this.#running.values(), ...this.#frozen.values(), ...this.#exited.values()].map(({ pilot }) => pilot);
  }

  /** Begins a pilot, which runs at once. */
  start(spec: SimulatedSpec): void {
    const { pilot: kind, startCost, ncpus } = this.#options;
    this.#ids += 1;
    const id = `sim${this.#ids}`;
    const cpus = Math.min(spec.cpus, ncpus);
    const seconds = kind.seconds * (1 + kind.jitter * (2 * this.#random() - 1));
    const { name, image, memoryBytes, flavour, revision, spawnedBootMs, bootId } = spec;
    const labels = { name, image, cpus: spec.cpus, memoryBytes, flavour, revision, spawnedBootMs, bootId };
    const createdWallMs = this.now.wallMs;
    this.#running.set(id, {
      pilot: { id, state: 'running', createdWallMs, exitCode: undefined, adopted: false, ...labels },
      cpus,
      bornSeconds: this.#seconds,
      movedSeconds: this.#seconds,
      left: seconds * cpus * kind.cpu,
      given: 0,
    });
    this.#sums.busy += startCost;
  }

  /** Has it stand still, if it runs. */
  freeze(id: string): void {
    this.#move(id, this.#running, this.#frozen, 'paused');
  }

  /** Has it go on, if it stands still. */
  thaw(id: string): void {
    this.#move(id, this.#frozen, this.#running, 'running');
  }

  /** Stops it if it runs, and forgets it. Returns how it had ended; undefined if there is no such pilot. */
  remove(id: string): PilotEnd | undefined {
    // A life is reckoned without the time in which it stood still.
    this.thaw(id);
    const running = this.#running.get(id);
    const ended = running === undefined ? this.#exited.get(id)?.ended : this.#endOf(running, EXIT_TERMINATED);
    this.#running.delete(id);
    this.#exited.delete(id);
    return ended;
  }

  /** Moves time on by at most `seconds`; where `stopAtEnd`, only up to the next end of a pilot. Returns whether one ended. */
  advance(seconds: number, stopAtEnd = false): boolean {
    const until = this.#seconds + seconds;
    let ended = false;
    while (this.#seconds < until - TINY && !(ended && stopAtEnd)) ended = this.#step(until) || ended;
    return ended;
  }

  /** How the host was used since the last sample. */
  sample(short = false): CpuSample {
    const spanSeconds = this.#seconds - this.#sampled.seconds;
    const { ncpus } = this.#options;
    const wanted = (this.#sums.busy - this.#sampled.busy) / spanSeconds;
    const busy = Math.min(ncpus, wanted);
    // What starts cost a full host comes out of the share of pilots, who yield to the engine as to everybody.
    const own = Math.max(0, (this.#sums.own - this.#sampled.own) / spanSeconds - (wanted - busy));
    const seq = this.#sampled.seq + 1;
    this.#sampled = { seconds: this.#seconds, busy: this.#sums.busy, own: this.#sums.own, seq };
    return {
      seq,
      monoMs: this.now.monoMs,
      spanMs: spanSeconds * 1000,
      cpus: ncpus,
      busy,
      idle: ncpus - busy,
      own,
      service: 0,
      short,
      duringPull: false,
    };
  }

  /** One stretch of time in which nothing changes. Returns whether a pilot ended. */
  #step(until: number): boolean {
    const { foreign, ncpus, slack } = this.#options;
    const running = [...this.#running.values()];
    const wanted = Math.min(ncpus, foreign.wantedAt(this.#seconds, running));
    const given = this.#share(running, wanted);
    const next = Math.min(until, foreign.changesAfter(this.#seconds));
    let span = next - this.#seconds;
    let own = 0;
    let promised = 0;
    for (const pilot of running) {
      span = Math.min(span, pilot.left / pilot.given);
      own += pilot.given;
      promised += pilot.cpus;
    }
    const sums = this.#sums;
    sums.pilotSeconds += running.length * span;
    sums.own += own * span;
    sums.busy += (own + given) * span;
    sums.wanted += wanted * span;
    sums.given += given * span;
    if (promised + wanted > ncpus + slack + TINY) sums.overcommittedSeconds += span;
    // Not by adding where that can be helped: it would not come out even.
    this.#seconds = span === next - this.#seconds ? next : this.#seconds + span;
    return this.#work(running, span);
  }

  /** Lets pilots work for `seconds`; returns whether one ended. */
  #work(running: readonly SimulatedPilot[], seconds: number): boolean {
    let ended = false;
    for (const pilot of running) {
      pilot.left -= pilot.given * seconds;
      if (pilot.left > TINY) continue;
      ended = true;
      this.#exit(pilot);
    }
    return ended;
  }

  #exit(found: SimulatedPilot): void {
    const { pilot, bornSeconds } = found;
    this.#running.delete(pilot.id);
    this.#exited.set(pilot.id, { pilot: { ...pilot, state: 'exited', exitCode: 0 }, ended: this.#endOf(found, 0) });
    this.#sums.completed += 1;
    if (this.#seconds - bornSeconds < this.#options.fizzleSeconds) this.#sums.fizzled += 1;
  }

  #move(
    id: string,
    from: Map<string, SimulatedPilot>,
    to: Map<string, SimulatedPilot>,
    state: 'running' | 'paused',
  ): void {
    const found = from.get(id);
    if (found === undefined) return;
    from.delete(id);
    const stoodStill = state === 'running' ? this.#seconds - found.movedSeconds : 0;
    const bornSeconds = found.bornSeconds + stoodStill;
    to.set(id, { ...found, pilot: { ...found.pilot, state }, bornSeconds, movedSeconds: this.#seconds });
  }

  #endOf({ bornSeconds }: SimulatedPilot, exitCode: number): PilotEnd {
    const startedWallMs = BOOT.wallMs + bornSeconds * 1000;
    return { exitCode, oomKilled: false, startedWallMs, finishedWallMs: this.now.wallMs };
  }

  /** Sets what every pilot is given; returns what the foreign load gets. */
  #share(running: readonly SimulatedPilot[], wanted: number): number {
    const { ncpus, pilot: kind, yields } = this.#options;
    const wants = running.map((pilot) => pilot.cpus * kind.cpu);
    const shares = shareCpus(ncpus, wants, wanted, yields);
    running.forEach((pilot, index) => {
      pilot.given = shares.pilots[index] ?? 0;
    });
    return shares.foreign;
  }
}
