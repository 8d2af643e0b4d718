import type { EngineWindow } from './engine-window.js';
import { judgeCommandLines, judgeDaemons, judgeOutputs, usualLimits, type DaemonLimits } from './judge-daemon.js';
import type { DecoyJudge } from './judge-decoys.js';
import type { PilotJudge, PilotLimits } from './judge-pilots.js';
import { judgeRights, type Rights } from './judge-rights.js';
import { commandLines, daemonsOf, livingContainers } from './processes.js';
import { orphanedVolumes, residueOf, type WatchedFolder } from './residue.js';
import {
  isAlive,
  isLabelled,
  readContainers,
  readEvent,
  type Blame,
  type Container,
  type EngineEvent,
  type Rule,
} from './sightings.js';

const lookEveryMs = 150;

/** Whom to watch, and what they may do. */
export interface Watched {
  /** Value of the instance label of the pilots to watch. */
  readonly instance: string;
  readonly limits: PilotLimits & {
    readonly daemon?: DaemonLimits;
    /** Not judged where it is left out. */
    readonly rights?: Rights;
  };
  /** As the daemons are told with `--rundir`. */
  readonly runDir: string;
  /** Canaries: given to the daemon as secrets, to be found in none of `outputs` and on no command line. */
  readonly secrets?: readonly string[];
  /** Files and folders that the daemon writes for others to read. */
  readonly outputs?: readonly string[];
  /** Folders in which drafts and the like would pile up. */
  readonly folders?: readonly WatchedFolder[];
}

/** What the world should come to, once everything that was broken works again. */
export interface Quiet {
  /** So many pilots live; fewer where there is less to do is no quiet. */
  readonly pilots: number;
  readonly withinMs: number;
  /** Ids of pilots that must have lived on. */
  readonly survivors?: readonly string[];
}

/** What keeps the world from being quiet. */
interface Trouble {
  readonly rule: Rule;
  readonly evidence: string;
}

interface WatchParts {
  readonly engine: EngineWindow;
  readonly blame: Blame;
  readonly isDecoy: (id: string) => boolean;
  readonly decoys: DecoyJudge;
  readonly pilots: PilotJudge;
}

/** Follows the events, lists the containers and looks at the processes, each on its own: one that hangs holds up none of the others. */
export class Watch {
  readonly pilots: PilotJudge;
  readonly #options: Watched;
  readonly #parts: WatchParts;
  readonly #stop = new AbortController();
  #loops: readonly Promise<void>[] = [];
  /** Volumes that were there before the watch began. */
  #volumesBefore: ReadonlySet<string> = new Set();
  /** Pilots of the last list, and those made since. */
  #own = new Set<string>();
  #isAfresh = true;
  readonly #inspections = new Set<Promise<void>>();

  constructor(options: Watched, parts: WatchParts) {
    this.#options = options;
    this.#parts = parts;
    this.pilots = parts.pilots;
  }

  async begin(): Promise<void> {
    this.#volumesBefore = new Set(await orphanedVolumes(this.#parts.engine));
    const opened = new Promise<void>((resolve) => {
      this.#loops = [this.#followEvents(resolve)];
    });
    await opened;
    await this.#lookAtList();
    this.#loops = [...this.#loops, this.#repeat(() => this.#lookAtList()), this.#repeat(() => this.#lookAtProcesses())];
  }

  async listPilots(): Promise<readonly Container[]> {
    return (await this.#list()).filter((container) => this.#isOwn(container.id, container.labels));
  }

  async settle({ pilots, withinMs, survivors = [] }: Quiet): Promise<void> {
    const endMs = performance.now() + withinMs;
    let trouble = await this.#trouble(pilots);
    while (performance.now() < endMs && trouble.length > 0) {
      await pause(lookEveryMs);
      trouble = await this.#trouble(pilots);
    }
    for (const { rule, evidence } of trouble) this.#parts.blame(rule, evidence);
    const alive = (await this.listPilots()).filter(({ state }) => isAlive(state)).map(({ id }) => id);
    for (const id of survivors) {
      if (!alive.includes(id)) this.#parts.blame('P16 restart', `pilot ${id.slice(0, 12)} was lost`);
    }
  }

  async close(): Promise<void> {
    const { engine, decoys, blame } = this.#parts;
    const { secrets = [], outputs = [] } = this.#options;
    await this.#lookAtList();
    await Promise.all(this.#inspections);
    await decoys.close(engine);
    this.pilots.close(await this.listPilots());
    judgeOutputs(outputs, secrets, blame);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #trouble(wanted: number): Promise<readonly Trouble[]> {
    try {
      return await this.#findTrouble(wanted);
    } catch (error) {
      return [{ rule: 'P15 progress', evidence: `the engine does not answer: ${String(error)}` }];
    }
  }

  async #findTrouble(wanted: number): Promise<readonly Trouble[]> {
    const own = await this.listPilots();
    const volumes = (await orphanedVolumes(this.#parts.engine)).filter((name) => !this.#volumesBefore.has(name));
    const residue = residueOf(own, volumes, this.#options.folders ?? []);
    const alive = own.filter(({ state }) => isAlive(state)).length;
    return [
      ...residue.map((evidence) => ({ rule: 'P14 residue' as const, evidence })),
      ...(alive === wanted ? [] : [{ rule: 'P15 progress' as const, evidence: `${alive} pilots live, not ${wanted}` }]),
    ];
  }

  async #followEvents(onOpen: () => void): Promise<void> {
    const { signal } = this.#stop;
    // A little of what was before is told again and known already.
    let sinceMs = Date.now();
    while (!signal.aborted) {
      const onEvent = (line: unknown) => {
        const event = readEvent(line);
        sinceMs = Math.max(sinceMs, event.atMs);
        this.#judgeEvent(event);
      };
      await this.#parts.engine.follow(`/events?since=${(sinceMs / 1000).toFixed(6)}`, onOpen, onEvent, signal);
      // An engine that has ended forgets what it would have told.
      this.#isAfresh = true;
      await pause(lookEveryMs);
    }
  }

  #judgeEvent(event: EngineEvent): void {
    this.#parts.decoys.event(event);
    if (event.type !== 'container' || !this.#isOwn(event.id, event.attributes)) return;
    this.#own.add(event.id);
    this.pilots.event(event);
    const { rights } = this.#options.limits;
    if (event.action === 'start' && rights !== undefined) this.#inspect(event.id, rights);
  }

  /** Beside the events, which go on meanwhile. */
  #inspect(id: string, rights: Rights): void {
    const { engine, blame } = this.#parts;
    const inspection = engine
      .ask('GET', `/containers/${id}/json`)
      .then(({ status, body }) => {
        // Gone already, or the engine is broken: nothing is known of it then.
        if (status === 200) judgeRights(body, rights, blame);
      })
      .catch(() => undefined)
      .finally(() => this.#inspections.delete(inspection));
    this.#inspections.add(inspection);
  }

  async #lookAtList(): Promise<void> {
    const begunMs = performance.now();
    const begunWallMs = Date.now();
    try {
      const containers = await this.#list();
      this.#parts.decoys.list(containers);
      const pilots = containers.filter(({ id, labels }) => this.#isOwn(id, labels));
      this.#own = new Set(pilots.map(({ id }) => id));
      if (this.#isAfresh) this.pilots.startAfresh(pilots, begunWallMs);
      this.#isAfresh = false;
      this.pilots.list(pilots);
    } catch {
      this.pilots.away(performance.now() - begunMs + lookEveryMs);
    }
  }

  async #lookAtProcesses(): Promise<void> {
    const { limits, runDir, secrets = [] } = this.#options;
    const { blame } = this.#parts;
    this.pilots.count(
      [...livingContainers()].filter((id) => this.#own.has(id)),
      'their processes',
    );
    judgeDaemons(daemonsOf(runDir), limits.daemon ?? usualLimits, blame);
    if (secrets.length > 0) judgeCommandLines(commandLines(), secrets, blame);
    await Promise.resolve();
  }

  async #list(): Promise<readonly Container[]> {
    return readContainers((await this.#parts.engine.ask('GET', '/containers/json?all=1')).body);
  }

  #isOwn(id: string, labels: Readonly<Record<string, string>>): boolean {
    return !this.#parts.isDecoy(id) && isLabelled(labels, this.#options.instance);
  }

  async #repeat(look: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await look();
      await pause(lookEveryMs);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
