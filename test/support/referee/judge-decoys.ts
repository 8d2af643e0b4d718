import { lookAt, type Decoys } from './decoys.js';
import type { EngineWindow } from './engine-window.js';
import type { Blame, Container, EngineEvent } from './sightings.js';

/** What nobody may do to a decoy. Those who only look at it cause other events. */
const meddling = /^(kill|die|stop|start|restart|destroy|rename|pause|unpause|update|oom|exec_)/;

/** P1: nobody touches what is not a pilot of ours. */
export class DecoyJudge {
  readonly #decoys: Decoys;
  readonly #blame: Blame;

  constructor(decoys: Decoys, blame: Blame) {
    this.#decoys = decoys;
    this.#blame = blame;
  }

  event({ type, action, id, atMs, attributes }: EngineEvent): void {
    const decoy = this.#decoys.find(id);
    if (decoy !== undefined && meddling.test(action)) {
      this.#blame('P1 decoy', `decoy (${decoy.kind}) ${decoy.name}: ${action}`, atMs);
    }
    const isItsImage = type === 'image' && this.#decoys.images.includes(attributes['name'] ?? '');
    if (isItsImage && (action === 'delete' || action === 'untag')) {
      this.#blame('P1 decoy', `the image of decoys: ${action}`, atMs);
    }
  }

  list(containers: readonly Container[]): void {
    for (const { id, kind, name, state } of this.#decoys.all) {
      const found = containers.find((container) => container.id === id);
      const now = found === undefined ? 'gone' : `${found.name} ${found.state}`;
      if (now !== `${name} ${state}`) this.#blame('P1 decoy', `decoy (${kind}) ${name} ${state} is now: ${now}`);
    }
  }

  /** Whether each still runs since it was started, or was never started. */
  async close(engine: EngineWindow): Promise<void> {
    for (const { id, kind, name, state, startedAt } of this.#decoys.all) {
      const now = await lookAt(engine, id);
      if (now.state !== state || now.startedAt !== startedAt) {
        const how = `${state} since ${startedAt}, now ${now.state} since ${now.startedAt}`;
        this.#blame('P1 decoy', `decoy (${kind}) ${name}: ${how}`);
      }
    }
  }
}
