import { EngineError, type ContainerEngine } from '../engine/container-engine.js';
import type { Observation, Outcome } from '../model.js';

/** The image, or why it is not known whether it is here. */
type Finding = Pick<Observation, 'image' | 'imageFailure'>;

/** After these it may be another one, or gone. */
function mayConcernImages({ action, result }: Outcome): boolean {
  if (action.type === 'spawn') return result === 'failed';
  return action.type === 'pull' || action.type === 'drop-image';
}

/**
 * Looks for the image that pilots are started from. What was found once is believed until the host is looked at again, or something happens that
 * may concern it: a host that only replaces pilots asks its engine for each of them what it must, and no more.
 */
export class ImagePresence {
  readonly #engine: Pick<ContainerEngine, 'findImage'>;
  #known: { readonly reference: string; readonly finding: Finding } | undefined;

  constructor(engine: Pick<ContainerEngine, 'findImage'>) {
    this.#engine = engine;
  }

  /** Takes what has happened since the last look. */
  note(outcomes: readonly Outcome[]): void {
    if (outcomes.some(mayConcernImages)) this.forget();
  }

  /** The engine may be another one. */
  forget(): void {
    this.#known = undefined;
  }

  async find(reference: string): Promise<Finding> {
    const { finding } = this.#known?.reference === reference ? this.#known : {};
    if (finding !== undefined) return finding;
    try {
      const found: Finding = { image: await this.#engine.findImage(reference), imageFailure: undefined };
      // What is missing may come at any time, by whatever way.
      this.#known = found.image === null ? undefined : { reference, finding: found };
      return found;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return { image: undefined, imageFailure: { kind: error.kind, message: error.message } };
    }
  }
}
