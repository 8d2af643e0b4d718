import { isAlive, revisionOf, type Blame, type Container, type EngineEvent } from './sightings.js';

/** How many may happen in any span of that length. */
export interface Pace {
  readonly most: number;
  readonly windowMs: number;
}

export interface PilotLimits {
  /** Most pilots alive at a time. */
  readonly maxDocks: number;
  /** How old a pilot may get, and how long it may take to end it then. */
  readonly life?: { readonly ttlMs: number; readonly endMs: number };
  /** Pilots killed before their time, other than by a force-stop; `none` where nothing is to be evicted. */
  readonly kills?: Pace | 'none';
  readonly starts?: Pace;
  /** Revisions of the configuration that were good. */
  readonly revisions?: readonly string[];
}

/** What the operator asked for and was told that it is so. */
export type Order = 'drain' | 'resume' | 'force-stop';

interface Life {
  /** By the clock of this process, ms; how often the engine was away by then. */
  readonly sinceMonoMs: number;
  readonly awayMs: number;
  /** By the engine's clock. */
  readonly sinceMs: number;
}

/** P2, P4, P6, P7, P9, P10, P13: what may be done with the pilots of one instance, judged by what the engine tells. */
export class PilotJudge {
  readonly #blame: Blame;
  readonly #limits: PilotLimits;
  readonly #alive = new Map<string, Life>();
  readonly #caps: { readonly sinceMs: number; readonly cap: number }[];
  readonly #kills: { readonly id: string; readonly atMs: number }[] = [];
  readonly #starts: number[] = [];
  #orders: { readonly order: Order; readonly atMs: number }[] = [];
  #awayMs = 0;

  constructor(limits: PilotLimits, blame: Blame) {
    this.#limits = limits;
    this.#blame = blame;
    this.#caps = [{ sinceMs: -Infinity, cap: limits.maxDocks }];
  }

  /** Pilots that live, as far as the engine has told. */
  alive(): readonly string[] {
    return [...this.#alive.keys()];
  }

  /** How many were started since the watch began. */
  get starts(): number {
    return this.#starts.length;
  }

  /** Another cap holds from now on. Those who were started under a higher one may stay. */
  cap(cap: number): void {
    this.#caps.push({ sinceMs: Date.now(), cap });
  }

  order(order: Order): void {
    this.#orders.push({ order, atMs: Date.now() });
  }

  /** The engine did not answer for so long: nobody can end a pilot meanwhile. */
  away(ms: number): void {
    this.#awayMs += ms;
  }

  event(event: EngineEvent): void {
    const { action, id, atMs } = event;
    if (action === 'create') this.#created(event);
    if (action === 'start') this.#started(id, atMs);
    if (action === 'kill') this.#killed(id, atMs);
    if (action === 'die' || action === 'destroy') this.#alive.delete(id);
  }

  /** All pilots there are, as the engine lists them. */
  list(pilots: readonly Container[]): void {
    this.count(living(pilots), 'the list of the engine');
    this.#judgeAges();
  }

  /** What happened until `atMs` was not told: from here on counts who is in this list, which was asked for then. */
  startAfresh(pilots: readonly Container[], atMs: number): void {
    const alive = living(pilots);
    for (const [id, { sinceMs }] of this.#alive) if (sinceMs < atMs && !alive.includes(id)) this.#alive.delete(id);
    for (const id of alive) if (!this.#alive.has(id)) this.#alive.set(id, this.#bornNow(atMs));
  }

  /** So many live at this very moment, whoever says so. */
  count(ids: readonly string[], source: string): void {
    const since = ids.map((id) => this.#alive.get(id)?.sinceMs ?? Date.now());
    const cap = this.#highestCap(Math.min(...since));
    if (ids.length > cap) this.#blame('P2 cap', `${ids.length} alive by ${source}, ${cap} allowed: ${short(ids)}`);
  }

  /** What is wrong in the end. */
  close(pilots: readonly Container[]): void {
    if (!this.#isOrdered('force-stop', Date.now())) return;
    for (const { name, state } of pilots) this.#blame('P7 force-stop', `${name} is still there: ${state}`);
  }

  #created({ id, attributes, atMs }: EngineEvent): void {
    this.#judgeOrders(`${attributes['name'] ?? id} was made`, atMs);
    const { revisions } = this.#limits;
    const revision = revisionOf(attributes);
    if (revisions !== undefined && !revisions.includes(revision)) {
      this.#blame('P10 revision', `${attributes['name'] ?? id} was made from revision "${revision}"`, atMs);
    }
  }

  #started(id: string, atMs: number): void {
    if (this.#alive.has(id)) return;
    this.#judgeOrders(`${short([id])} was started`, atMs);
    this.#alive.set(id, this.#bornNow(atMs));
    this.#starts.push(atMs);
    this.#judgePace(this.#starts, this.#limits.starts, 'starts', atMs);
    const cap = this.#highestCap(Math.min(...[...this.#alive.values()].map(({ sinceMs }) => sinceMs)));
    if (this.#alive.size > cap) {
      const ids = this.alive();
      this.#blame('P2 cap', `${ids.length} alive by the events, ${cap} allowed: ${short(ids)}`, atMs);
    }
  }

  #killed(id: string, atMs: number): void {
    const { kills, life: allowed } = this.#limits;
    const life = this.#alive.get(id);
    if (life === undefined || this.#kills.some((kill) => kill.id === id)) return;
    // A pilot's time runs from when it was asked for, which was a little earlier.
    const isOld = allowed !== undefined && atMs - life.sinceMs >= allowed.ttlMs / 2;
    if (isOld || this.#isOrdered('force-stop', atMs)) return;
    this.#kills.push({ id, atMs });
    if (kills === 'none') this.#blame('P4 kill', `${short([id])} was killed before its time`, atMs);
    else
      this.#judgePace(
        this.#kills.map((kill) => kill.atMs),
        kills,
        'kills',
        atMs,
      );
  }

  #judgePace(times: readonly number[], pace: Pace | undefined, what: string, atMs: number): void {
    if (pace === undefined) return;
    const within = times.filter((time) => atMs - time < pace.windowMs).length;
    if (within <= pace.most) return;
    this.#blame('P9 pace', `${within} ${what} within ${pace.windowMs} ms, ${pace.most} allowed`, atMs);
  }

  #judgeOrders(what: string, atMs: number): void {
    if (this.#isOrdered('force-stop', atMs)) this.#blame('P7 force-stop', `${what} after a force-stop`, atMs);
    else if (this.#isOrdered('drain', atMs)) this.#blame('P6 drain', `${what} although draining`, atMs);
  }

  /** Whether the last order of this kind before `atMs` was not taken back. */
  #isOrdered(wanted: 'drain' | 'force-stop', atMs: number): boolean {
    const orders = this.#orders.filter((order) => order.atMs < atMs && [wanted, 'resume'].includes(order.order));
    return orders.at(-1)?.order === wanted;
  }

  #judgeAges(): void {
    const { life: allowed } = this.#limits;
    if (allowed === undefined) return;
    const { ttlMs, endMs } = allowed;
    for (const [id, life] of this.#alive) {
      const ageMs = performance.now() - life.sinceMonoMs - (this.#awayMs - life.awayMs);
      if (ageMs > ttlMs + endMs)
        this.#blame('P13 ttl', `${short([id])} outlives ${ttlMs} ms and the ${endMs} ms to end it`);
    }
  }

  #bornNow(sinceMs: number): Life {
    return { sinceMonoMs: performance.now(), awayMs: this.#awayMs, sinceMs };
  }

  /** The highest cap there was since then. */
  #highestCap(sinceMs: number): number {
    const caps = this.#caps.filter((_, index) => (this.#caps[index + 1]?.sinceMs ?? Infinity) >= sinceMs);
    return Math.max(...caps.map(({ cap }) => cap));
  }
}

function living(pilots: readonly Container[]): readonly string[] {
  return pilots.filter(({ state }) => isAlive(state)).map(({ id }) => id);
}

function short(ids: readonly string[]): string {
  return ids.map((id) => id.slice(0, 12)).join(' ');
}
