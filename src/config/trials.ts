import { isDeepStrictEqual } from 'node:util';
import { sourceError, type Condemned, type ConfigRevision, type TrialRecord } from './source.js';

/**
 * Which revisions have been tried on pilots: the one that was proven last, and those that were condemned. What the source cannot remember
 * is known as long as the daemon runs.
 */
export class Trials {
  readonly #record: TrialRecord | undefined;
  #proven: ConfigRevision | undefined;
  #condemned: readonly Condemned[] = [];

  constructor(record: TrialRecord | undefined) {
    this.#record = record;
  }

  /** The one to go back to. */
  get proven(): ConfigRevision | undefined {
    return this.#proven;
  }

  isProven(revision: ConfigRevision): boolean {
    return isDeepStrictEqual(revision, this.#proven);
  }

  whyCondemned(revision: ConfigRevision): string | undefined {
    // Edits by hand all go by one name: what they say is compared as well.
    return this.#condemned.find((known) => isDeepStrictEqual(known.revision, revision))?.why;
  }

  /** The same of any revision that says the same to this host: most commits change something else. */
  whyCondemnedAs({ layers }: ConfigRevision): string | undefined {
    return this.#condemned.find(({ revision }) => isDeepStrictEqual(revision.layers, layers))?.why;
  }

  /** Learns what the source remembers. Without that every revision is tried again: a record that cannot be read stops nothing. */
  async recall(signal?: AbortSignal): Promise<void> {
    try {
      this.#proven = await this.#record?.proven(signal);
      const condemned = await this.#record?.condemned(signal);
      this.#condemned = condemned === undefined ? [] : [condemned];
    } catch (error) {
      sourceError(error);
    }
  }

  /** Where the source cannot write it down, the next start of the daemon tries the revision again, and that is all. */
  async prove(revision: ConfigRevision): Promise<void> {
    this.#proven = revision;
    await this.#record?.prove(revision).catch(sourceError);
  }

  async condemn(condemned: Condemned): Promise<void> {
    this.#condemned = [...this.#condemned, condemned];
    await this.#record?.condemn(condemned).catch(sourceError);
  }
}
