import type { CpuSample, HostFacts, Instant, Pilot, PilotSpec, YieldMode } from '../../src/model.js';
import { createRandom } from './random.js';

/** How long the pilots of a scenario run, and how hard. */
export interface PilotKind {
  readonly seconds: number;
  /** Each pilot's length is drawn evenly from `seconds` -+ this fraction. */
  readonly jitter: number;
  /** The share of its CPUs a pilot uses. */
  readonly cpu: number;
  /** `work`: it has so many seconds of full speed to do, and takes longer when slowed. `wall`: it ends after that time. */
  readonly measure: 'work' | 'wall';
}

/** What everybody else on the host wants, in CPUs. */
export interface ForeignLoad {
  /** `ages`: of the pilots running, in seconds. */
  readonly wantedAt: (seconds: number, ages: readonly number[]) => number;
  /** When it may change next, later than `seconds`. */
  readonly changesAfter: (seconds: number) => number;
}

export interface HostOptions {
  readonly ncpus: number;
  readonly pilot: PilotKind;
  readonly foreign: ForeignLoad;
  /** `cgroup`: pilots get what others leave. Otherwise every busy process gets an equal share. */
  readonly yields: YieldMode;
  /** CPU seconds that the start of a pilot costs the host, beside what the pilot uses. */
  readonly startCost: number;
  /** Over-committed when the pilots' CPUs and the foreign load exceed the host by more than this. */
  readonly slack: number;
  readonly seed: number;
}

/** Sums over the time so far; seconds, or CPU seconds. */
export interface HostTotals {
  readonly seconds: number;
  readonly pilotSeconds: number;
  readonly busy: number;
  readonly overcommittedSeconds: number;
  readonly wanted: number;
  readonly given: number;
  readonly completed: number;
}

interface SimulatedPilot {
  readonly pilot: Pilot;
  readonly cpus: number;
  readonly bornSeconds: number;
  /** CPU seconds (`work`) or seconds (`wall`) to go. */
  left: number;
  /** CPUs it gets now. */
  given: number;
  exited: boolean;
}

const BOOT: Instant = { wallMs: Date.UTC(2026, 0, 1), monoMs: 3_600_000, bootMs: 3_600_000 };
const TINY = 1e-9;

/** A load that holds until the next entry; with a period the list repeats. `at` and `period` in seconds. */
export function stepLoad(
  steps: readonly { readonly at: number; readonly cpus: number }[],
  period = Infinity,
): ForeignLoad {
  const phase = (seconds: number) => (period === Infinity ? seconds : seconds % period);
  return {
    wantedAt: (seconds) => steps.findLast((step) => step.at <= phase(seconds) + TINY)?.cpus ?? 0,
    changesAfter: (seconds) => {
      const now = phase(seconds);
      const next = steps.find((step) => step.at > now + TINY)?.at ?? period;
      return seconds + (next - now);
    },
  };
}

/** Gives `supply` CPUs to those who want some, all alike, nobody more than he wants. */
function shareEqually(supply: number, wants: readonly number[]): number[] {
  const order = wants.map((want, index) => ({ want, index })).sort((a, b) => a.want - b.want);
  const given = wants.map(() => 0);
  let left = supply;
  order.forEach(({ want, index }, rank) => {
    const share = Math.min(want, left / (order.length - rank));
    given[index] = share;
    left -= share;
  });
  return given;
}

/** A foreign load of 2.5 CPUs is two busy processes and one that is half busy. */
function processes(cpus: number): number[] {
  const whole = Math.floor(cpus + TINY);
  const part = cpus - whole;
  return [...Array<number>(whole).fill(1), ...(part > TINY ? [part] : [])];
}

/** A host that shares its CPUs among pilots and foreign load as the kernel does. Time moves only in `advance`. */
export class SimulatedHost {
  readonly facts: HostFacts;
  readonly #options: HostOptions;
  readonly #random: () => number;
  readonly #pilots = new Map<string, SimulatedPilot>();
  #seconds = 0;
  #ids = 0;
  #sums = { pilotSeconds: 0, busy: 0, own: 0, overcommittedSeconds: 0, wanted: 0, given: 0, completed: 0 };
  #sampled = { seconds: 0, busy: 0, own: 0, seq: 0 };

  constructor(options: HostOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed);
    this.facts = {
      hostname: 'simulated',
      ncpus: options.ncpus,
      ramBytes: options.ncpus * 4e9,
      swapBytes: 0,
      bootId: 'simulated-boot',
    };
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
    return [...this.#pilots.values()].map(({ pilot, exited }) =>
      exited ? { ...pilot, state: 'exited' as const, exitCode: 0 } : pilot,
    );
  }

  /** Begins a pilot, which runs at once. */
  start(
    spec: Pick<
      PilotSpec,
      'name' | 'image' | 'cpus' | 'memoryBytes' | 'flavour' | 'revision' | 'spawnedBootMs' | 'bootId'
    >,
  ): void {
    const { pilot: kind, startCost, ncpus } = this.#options;
    this.#ids += 1;
    const id = `sim${this.#ids}`;
    const seconds = kind.seconds * (1 + kind.jitter * (2 * this.#random() - 1));
    this.#pilots.set(id, {
      pilot: {
        id,
        name: spec.name,
        state: 'running',
        image: spec.image,
        cpus: spec.cpus,
        memoryBytes: spec.memoryBytes,
        flavour: spec.flavour,
        revision: spec.revision,
        spawnedBootMs: spec.spawnedBootMs,
        bootId: spec.bootId,
        createdWallMs: this.now.wallMs,
        exitCode: undefined,
        adopted: false,
      },
      cpus: Math.min(spec.cpus, ncpus),
      bornSeconds: this.#seconds,
      left: kind.measure === 'work' ? seconds * Math.min(spec.cpus, ncpus) * kind.cpu : seconds,
      given: 0,
      exited: false,
    });
    this.#sums.busy += startCost;
  }

  /** Ends it if it runs, and forgets it. Returns how long it had run if that ended it, in seconds. */
  remove(id: string): number | undefined {
    const found = this.#pilots.get(id);
    this.#pilots.delete(id);
    return found === undefined || found.exited ? undefined : this.#seconds - found.bornSeconds;
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
    const busy = Math.min(ncpus, (this.#sums.busy - this.#sampled.busy) / spanSeconds);
    const own = (this.#sums.own - this.#sampled.own) / spanSeconds;
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

  /** One stretch of time in which nothing changes. */
  #step(until: number): boolean {
    const { foreign, ncpus, slack } = this.#options;
    const running = [...this.#pilots.values()].filter((pilot) => !pilot.exited);
    const wanted = Math.min(
      ncpus,
      foreign.wantedAt(
        this.#seconds,
        running.map((pilot) => this.#seconds - pilot.bornSeconds),
      ),
    );
    const given = this.#share(running, wanted);
    const next = Math.min(until, foreign.changesAfter(this.#seconds));
    const firstEnd = Math.min(...running.map((pilot) => pilot.left / this.#speed(pilot)));
    const span = Math.min(next - this.#seconds, firstEnd);
    const own = running.reduce((sum, pilot) => sum + pilot.given, 0);
    const promised = running.reduce((sum, pilot) => sum + pilot.cpus, 0);
    const sums = this.#sums;
    sums.pilotSeconds += running.length * span;
    sums.own += own * span;
    sums.busy += (own + given) * span;
    sums.wanted += wanted * span;
    sums.given += given * span;
    if (promised + wanted > ncpus + slack + TINY) sums.overcommittedSeconds += span;
    this.#seconds = span === next - this.#seconds ? next : this.#seconds + span;
    let ended = false;
    for (const pilot of running) {
      pilot.left -= this.#speed(pilot) * span;
      if (pilot.left > TINY) continue;
      pilot.exited = true;
      sums.completed += 1;
      ended = true;
    }
    return ended;
  }

  /** How fast a pilot comes nearer to its end. */
  #speed(pilot: SimulatedPilot): number {
    return this.#options.pilot.measure === 'work' ? pilot.given : 1;
  }

  /** Sets what every pilot is given; returns what the foreign load gets. */
  #share(running: readonly SimulatedPilot[], wanted: number): number {
    const { ncpus, pilot: kind, yields } = this.#options;
    const wants = running.map((pilot) => pilot.cpus * kind.cpu);
    const others = processes(wanted);
    const shares =
      yields === 'cgroup'
        ? [...shareEqually(ncpus - wanted, wants), ...others]
        : shareEqually(ncpus, [...wants, ...others]);
    running.forEach((pilot, index) => {
      pilot.given = shares[index] ?? 0;
    });
    return shares.slice(running.length).reduce((sum, share) => sum + share, 0);
  }
}
