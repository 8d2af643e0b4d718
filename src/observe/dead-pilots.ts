import type { ContainerEngine } from '../engine/container-engine.js';
import type { Pilot } from '../model.js';
import type { PilotCgroup } from './pilot-cgroup.js';

/** Asked about at each sample of the host, at most; more of them at once are no slip but another trouble. */
const MOST_ASKED = 8;

export interface DeadPilotsOptions {
  readonly engine: Pick<ContainerEngine, 'pilotEnd'>;
  /** The group in force now. */
  readonly group: () => PilotCgroup;
}

/**
 * An engine that cannot write down the end of a container (no room on its disk) goes on listing it as running for ever, and answers right when
 * it is asked about that one. So it is asked about those that are said to run and are not in the control group that all of them
 * run in; on a well host there are none. Without a group nothing is known, and nothing is asked.
 */
export class DeadPilots {
  readonly #options: DeadPilotsOptions;
  /** Ids of those that are dead, whatever the list says, and their exit codes. */
  #dead: ReadonlyMap<string, number> = new Map();
  /** Where among the suspects the next question begins. */
  #asked = 0;

  constructor(options: DeadPilotsOptions) {
    this.#options = options;
  }

  /** Asks about the pilots of a list; never rejects. */
  async look(pilots: readonly Pilot[]): Promise<void> {
    const { group } = this.#options;
    const { parent } = group();
    if (parent === undefined) return;
    const suspects = pilots.filter(({ id, state, adopted }) => state === 'running' && !adopted && !group().holds(id));
    // All of them in turn.
    this.#asked = suspects.length > MOST_ASKED ? (this.#asked + MOST_ASKED) % suspects.length : 0;
    const chosen = [...suspects.slice(this.#asked), ...suspects.slice(0, this.#asked)].slice(0, MOST_ASKED);
    const known = suspects.filter(({ id }) => this.#dead.has(id)).map(({ id }) => [id, this.#dead.get(id)] as const);
    const answers = await Promise.all(chosen.map(async ({ id }) => [id, await this.#ask(id)] as const));
    const dead = [...new Map([...known, ...answers])];
    this.#dead = new Map(dead.flatMap(([id, exitCode]) => (exitCode === undefined ? [] : [[id, exitCode] as const])));
  }

  /** Its exit code; undefined: it runs. Where there is no answer it is what it was. */
  async #ask(id: string): Promise<number | undefined> {
    try {
      return (await this.#options.engine.pilotEnd(id))?.exitCode;
    } catch {
      return this.#dead.get(id);
    }
  }

  /** The list, with those put right that were found dead. */
  correct(pilots: readonly Pilot[]): readonly Pilot[] {
    if (this.#dead.size === 0) return pilots;
    return pilots.map((pilot) => {
      const exitCode = pilot.state === 'running' ? this.#dead.get(pilot.id) : undefined;
      return exitCode === undefined ? pilot : { ...pilot, state: 'exited', exitCode };
    });
  }
}
